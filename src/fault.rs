//! Places where a test of the real program can make something go wrong; in release builds there are none.

/// Panics if the variable `BALANCE_ALERT_FAULT` names this place, or kills this process as `kill -9` does if it is
/// `kill:` and the place; in builds with debug assertions only.
pub(crate) fn point(place: &str) {
    #[cfg(debug_assertions)]
    if let Ok(wanted) = std::env::var("BALANCE_ALERT_FAULT") {
        if wanted.strip_prefix("kill:") == Some(place) {
            let _ = std::process::Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
            // The signal is on its way; nothing more is done here.
            loop {
                std::thread::park();
            }
        }
        assert!(wanted != place, "fault injected at {place}");
    }
    #[cfg(not(debug_assertions))]
    let _ = place;
}
