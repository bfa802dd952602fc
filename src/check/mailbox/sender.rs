//! Whose a mail is: what a config calls a sender, and the address that a mail is from. The name beside an address is whatever the
//! sender likes, so it says nothing.

/// Whether an address is what a config calls it: all of it, a domain with those below it, or a part of the name or of one label.
pub(crate) fn is_address(address: &str, called: &str) -> bool {
    let called = called.trim();
    let is_domain = |domain: &str| {
        let own = address.rsplit_once('@').map_or("", |(_, own)| own);
        own == domain || own.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    match called.split_once('@') {
        Some(("", domain)) => is_domain(domain),
        Some((_, "")) => address.starts_with(called),
        Some(_) => address == called,
        None if called.contains('.') => is_domain(called),
        None => address.contains(called),
    }
}
