//! Places where a test of the real program can make something go wrong; in release builds there are none.

/// Makes go wrong what the variable `BALANCE_ALERT_FAULT` says of this place. It is a list of places, separated by commas: at a
/// bare one this panics, at one after `kill:` this process is killed as `kill -9` does, after `interrupt:` it gets a SIGINT, after
/// `abort:` it aborts, and after `hang:` this thread never goes on. In builds with debug assertions only.
pub(crate) fn point(place: &str) {
    #[cfg(debug_assertions)]
    for wanted in crate::process::environment::of_this_process("BALANCE_ALERT_FAULT").unwrap_or_default().split(',') {
        let id = std::process::id().to_string();
        let send = |signal: &str| std::process::Command::new("kill").args([signal, id.as_str()]).status();
        if wanted.strip_prefix("interrupt:") == Some(place) {
            let _ = send("-INT");
        }
        if wanted.strip_prefix("kill:") == Some(place) {
            let _ = send("-KILL");
            // The signal is on its way; nothing more is done here.
            loop {
                std::thread::park();
            }
        }
        if wanted.strip_prefix("abort:") == Some(place) {
            #[allow(clippy::disallowed_methods, reason = "the fault that a test asks for")]
            std::process::abort();
        }
        while wanted.strip_prefix("hang:") == Some(place) {
            std::thread::park();
        }
        assert!(wanted != place, "fault injected at {place}");
    }
    #[cfg(not(debug_assertions))]
    let _ = place;
}

/// Whether the list holds this word: for what goes wrong without a panic.
pub(crate) fn is_at(place: &str) -> bool {
    #[cfg(debug_assertions)]
    return crate::process::environment::of_this_process("BALANCE_ALERT_FAULT")
        .is_some_and(|list| list.split(',').any(|wanted| wanted == place));
    #[cfg(not(debug_assertions))]
    {
        let _ = place;
        false
    }
}
