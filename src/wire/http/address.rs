//! What an address says of the host behind it.

use url::{Host, Url};

/// The host of an address, with the port where it is not the scheme's own: for people, and for the `Host` header.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether an address is this machine: what is sent there never travels.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let address = std::net::IpAddr::V6(address).to_canonical();
            address.is_loopback() || address.is_unspecified()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_travels_is_this_machine() {
        for (url, want) in [
            ("http://localhost:8080/x", true),
            ("http://LOCALHOST.", true),
            ("http://a.localhost", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:80", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://0.0.0.0", true),
            ("http://localhost.example", false),
            ("http://notlocalhost", false),
            ("http://10.0.0.1", false),
            ("http://[fe80::1]", false),
            ("http://pushgateway", false),
            ("http://127.0.0.1.example", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), want, "{url}");
        }
    }
}
