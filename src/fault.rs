//! Places where a test of the real program can make something go wrong; in release builds there are none.

/// Panics if the variable `BALANCE_ALERT_FAULT` names this place, in builds with debug assertions only.
pub(crate) fn point(place: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("BALANCE_ALERT_FAULT").is_ok_and(|wanted| wanted == place) {
        panic!("fault injected at {place}");
    }
    #[cfg(not(debug_assertions))]
    let _ = place;
}
