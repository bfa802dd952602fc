//! Addresses that a config names.

use url::Url;

use crate::process::quote_input;

/// Whether a text is the name of a machine, or an IP address, without scheme, user and port.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    text.parse::<std::net::IpAddr>().is_ok()
        || (name.len() <= 253 && name.split('.').all(is_label) && !quote_input::looks_secret(name))
}

/// An address that can be asked over HTTP.
pub(crate) fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not a web address such as `https://host/path`".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("must begin with `http://` or `https://`".to_owned());
    }
    Ok(url)
}
