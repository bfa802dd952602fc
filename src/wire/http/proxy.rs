//! Proxies: what the environment says of them, read once and in one way for reading and for sending.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::model::failure::{Failure, Reason};
use crate::process::network_settings::Surroundings;
use crate::wire::auth;

/// Which addresses are asked through which proxy.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    http: Slot,
    https: Slot,
    exceptions: Vec<Exception>,
}

/// A proxy for one scheme, or why the one that is named cannot be used.
type Slot = Option<Result<Proxy, Unusable>>;

/// A proxy that is spoken to in HTTP.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// The variable that names it.
    variable: &'static str,
    /// Its address, with user and password if it wants them.
    address: SecretString,
    /// The address without the login.
    place: Url,
    /// Its host and port, for people.
    name: String,
    /// What a request to it proves with who comes.
    login: Option<SecretString>,
    /// The password alone.
    password: Option<SecretString>,
}

#[derive(Clone)]
struct Unusable {
    variable: &'static str,
    why: &'static str,
}

/// What `NO_PROXY` leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    All,
    /// A host and all below it, or only one port of them.
    Name(String, Option<u16>),
    /// The addresses that begin with so many bits of this one.
    Net(IpAddr, u8, Option<u16>),
}

impl Proxies {
    /// Makes sense of the variables.
    pub(super) fn new(surroundings: &Surroundings) -> Proxies {
        let parse = |name, value: &Option<String>| value.as_ref().map(|value| Proxy::parse(name, value));
        let all = parse("ALL_PROXY", &surroundings.all_proxy);
        let exceptions = surroundings.no_proxy.as_deref().unwrap_or_default();
        Proxies {
            http: parse("HTTP_PROXY", &surroundings.http_proxy).or_else(|| all.clone()),
            https: parse("HTTPS_PROXY", &surroundings.https_proxy).or(all),
            exceptions: exceptions.split([',', ' ', '\t', '\n', ';']).filter_map(Exception::parse).collect(),
        }
    }

    /// The proxy for an address; none if it is asked directly.
    ///
    /// # Errors
    /// Why the proxy that a variable names cannot be used.
    pub(super) fn of(&self, url: &Url) -> Result<Option<&Proxy>, Failure> {
        let slot = match url.scheme() {
            "http" => &self.http,
            "https" => &self.https,
            _ => &None,
        };
        match slot {
            Some(_) if self.exceptions.iter().any(|exception| exception.holds(url)) => Ok(None),
            Some(Ok(proxy)) => Ok(Some(proxy)),
            Some(Err(unusable)) => {
                let hint = "name a proxy such as http://host:3128, or put the hosts that need none into NO_PROXY";
                Err(Failure::new(Reason::Config, unusable.describe()).with_hint(hint))
            }
            None => Ok(None),
        }
    }

    /// What is wrong with the variables, each thing once.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = [&self.http, &self.https]
            .into_iter()
            .filter_map(|slot| slot.as_ref()?.as_ref().err())
            .map(|unusable| format!("{}: nothing can be asked through it", unusable.describe()))
            .collect();
        problems.dedup();
        problems
    }

    /// The passwords of the proxies.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        [&self.http, &self.https].into_iter().filter_map(|slot| slot.as_ref()?.as_ref().ok()?.password.as_ref())
    }
}

impl Unusable {
    fn describe(&self) -> String {
        format!("the variable `{}` {}", self.variable, self.why)
    }
}

impl Proxy {
    fn parse(variable: &'static str, value: &str) -> Result<Proxy, Unusable> {
        let unusable = |why| Unusable { variable, why };
        let full = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&full).map_err(|_| unusable("does not hold the address of a proxy"))?;
        match url.scheme() {
            "http" => {}
            scheme if scheme.starts_with("socks") => {
                return Err(unusable("names a SOCKS proxy, which this program does not speak to"));
            }
            "https" => return Err(unusable("names a proxy behind TLS, which this program does not speak to")),
            _ => return Err(unusable("does not hold the address of a proxy")),
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| unusable("does not hold the address of a proxy"))?;
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (plain(url.username()), url.password().map(plain));
        // A word alone may be a password, and the host of a proxy is named in failures.
        let is_word = !value.contains("://") && !value.contains([':', '@', '.', '[']) && host != "localhost";
        if is_word || crate::process::quote_input::looks_secret(host) {
            return Err(unusable("does not hold the address of a proxy"));
        }
        let has_login = !user.is_empty() || password.is_some();
        let login = auth::basic(&user, password.as_deref().unwrap_or_default());
        let mut place = url.clone();
        // Neither can fail where there is a host.
        let _ = place.set_username("").and_then(|()| place.set_password(None));
        Ok(Proxy {
            place,
            variable,
            name: format!("{host}:{}", url.port_or_known_default().unwrap_or(80)),
            login: has_login.then(|| format!("Basic {login}").into()),
            // Some proxies take a token as the user alone.
            password: password.or(Some(user)).filter(|secret| has_login && !secret.is_empty()).map(Into::into),
            address: String::from(url).into(),
        })
    }

    /// Its host and port.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, without user and password.
    pub(crate) fn place(&self) -> &Url {
        &self.place
    }

    /// Its address, with user and password.
    pub(super) fn address(&self) -> Option<Url> {
        Url::parse(self.address.expose_secret()).ok()
    }

    /// What `Proxy-Authorization` holds.
    pub(super) fn login(&self) -> Option<&str> {
        self.login.as_ref().map(ExposeSecret::expose_secret)
    }

    /// The failure of a proxy itself.
    pub(super) fn failure(&self, failure: Failure) -> Failure {
        Failure { message: format!("the proxy {}: {}", self.name, failure.message), ..failure }
    }

    /// The failure of a proxy that refuses to let a request through.
    pub(super) fn refusal(&self, status: Option<u16>) -> Failure {
        let name = &self.name;
        let shown = status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        match status {
            Some(407) => {
                let what = if self.login.is_some() { "refuses the user or the password" } else { "wants a login" };
                let variable = self.variable;
                Failure::new(Reason::Connect, format!("the proxy {name} {what}{shown}"))
                    .with_hint(format!("the variable {variable} holds them as http://<user>:<password>@host:port"))
            }
            Some(400..=499) => Failure::new(Reason::Connect, format!("the proxy {name} refuses to connect{shown}")),
            _ => Failure::transient(Reason::Connect, format!("the proxy {name} does not connect{shown}")),
        }
    }
}

impl Exception {
    /// One entry; none if it is empty.
    fn parse(entry: &str) -> Option<Exception> {
        let entry = entry.trim();
        match entry {
            "" => return None,
            "*" => return Some(Exception::All),
            _ => {}
        }
        if let Some((inside, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
            return inside.parse().ok().map(|address| Exception::net(address, rest.strip_prefix('/'), port));
        }
        if let Some((address, bits)) = entry.split_once('/')
            && let Ok(address) = address.parse()
        {
            return Some(Exception::net(address, Some(bits), None));
        }
        if let Ok(address) = entry.parse() {
            return Some(Exception::net(address, None, None));
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Ok(address) = name.parse() {
            return Some(Exception::net(address, None, port));
        }
        let name = name.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
        // As the address itself writes it: in lower case, and in ASCII.
        let name = Host::parse(name).map_or_else(|_| name.to_lowercase(), |host| host.to_string());
        (!name.is_empty()).then_some(Exception::Name(name, port))
    }

    fn net(address: IpAddr, bits: Option<&str>, port: Option<u16>) -> Exception {
        let address = address.to_canonical();
        let all = if address.is_ipv4() { 32 } else { 128 };
        Exception::Net(address, bits.and_then(|bits| bits.parse().ok()).unwrap_or(all).min(all), port)
    }

    /// Whether an address is meant. Names are not looked up.
    fn holds(&self, url: &Url) -> bool {
        let is_port = |port: &Option<u16>| port.is_none() || *port == url.port_or_known_default();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address).to_canonical()),
            _ => None,
        };
        match self {
            Exception::All => true,
            Exception::Net(net, bits, port) => {
                is_port(port) && address.is_some_and(|address| prefix(address, *bits) == prefix(*net, *bits))
            }
            Exception::Name(name, port) => {
                let host = url.host_str().unwrap_or_default().trim_end_matches('.');
                let is_below = || host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                is_port(port) && address.is_none() && (host == name || is_below())
            }
        }
    }
}

/// The first bits of an address, and how many bits it has.
fn prefix(address: IpAddr, bits: u8) -> (u128, u32) {
    let (number, all) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    (number.checked_shr(all - u32::from(bits)).unwrap_or_default(), all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::environment::Environment;

    fn read(variables: &[(&str, &str)]) -> Proxies {
        Proxies::new(&Environment::of(variables).surroundings())
    }

    /// The proxy that an address is asked through, or the end of why it cannot be.
    fn through(proxies: &Proxies, url: &str) -> String {
        match proxies.of(&Url::parse(url).unwrap()) {
            Ok(Some(proxy)) => proxy.name().to_owned(),
            Ok(None) => "direct".to_owned(),
            Err(failure) => failure.message,
        }
    }

    #[test]
    fn the_scheme_of_the_address_decides_which_variable_counts() {
        for (variables, http, https) in [
            (&[][..], "direct", "direct"),
            (&[("HTTPS_PROXY", "http://s:1")][..], "direct", "s:1"),
            (&[("HTTP_PROXY", "http://h:1")], "h:1", "direct"),
            (&[("ALL_PROXY", "http://a:1")], "a:1", "a:1"),
            (&[("ALL_PROXY", "http://a:1"), ("https_proxy", "http://s:1")], "a:1", "s:1"),
            (&[("http_proxy", "h:1"), ("HTTP_PROXY", "")], "h:1", "direct"),
            (&[("http_proxy", "l:1"), ("HTTP_PROXY", "u:1")], "u:1", "direct"),
            (&[("HTTP_PROXY", "u:1"), ("REQUEST_METHOD", "GET")], "direct", "direct"),
            (&[("http_proxy", "l:1"), ("REQUEST_METHOD", "GET")], "l:1", "direct"),
            (&[("HTTPS_PROXY", " http://s "), ("NO_PROXY", "  ")], "direct", "s:80"),
            (&[("HTTPS_PROXY", "http://u:p%40ss@s:3128/")], "direct", "s:3128"),
            (&[("HTTPS_PROXY", "http://[::1]:3128")], "direct", "[::1]:3128"),
        ] {
            let proxies = read(variables);
            assert_eq!(through(&proxies, "http://api.example/x"), http, "{variables:?}");
            assert_eq!(through(&proxies, "https://api.example/x"), https, "{variables:?}");
        }
    }

    #[test]
    fn what_no_proxy_leaves_out_is_asked_directly() {
        for (no_proxy, url, is_direct) in [
            ("*", "https://api.example", true),
            ("api.example", "https://api.example", true),
            ("example", "https://api.example", true),
            (".example", "https://api.example", true),
            (".api.example", "https://api.example", true),
            ("*.example", "https://api.example", true),
            ("pi.example", "https://api.example", false),
            ("other.example, api.example", "https://api.example", true),
            ("other.example api.example", "https://api.example", true),
            (" api.example ", "https://api.example", true),
            ("API.Example.", "https://api.example", true),
            ("api.example", "https://api.example.", true),
            ("api.example:443", "https://api.example", true),
            ("api.example:8443", "https://api.example", false),
            ("api.example:8443", "https://api.example:8443", true),
            ("api.example:x", "https://api.example", false),
            ("münchen.example", "https://münchen.example", true),
            (".localhost", "https://a.localhost", true),
            (".localhost", "https://localhost", true),
            ("127.0.0.1", "https://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "https://127.0.0.1:8080", true),
            ("127.0.0.1:80", "https://127.0.0.1:8080", false),
            ("127.0.0.0/8", "https://127.9.9.9", true),
            ("127.0.0.0/8", "https://128.0.0.1", false),
            ("10.1.0.0/15", "https://10.0.255.255", true),
            ("10.1.0.0/15", "https://10.2.0.0", false),
            ("0.0.0.0/0", "https://1.2.3.4", true),
            ("0.0.0.0/0", "https://[::2]", false),
            ("127.0.0.0/8", "https://localhost", false),
            ("::1", "https://[::1]", true),
            ("[::1]", "https://[::1]:8080", true),
            ("[::1]:8080", "https://[::1]:8080", true),
            ("[::1]:80", "https://[::1]:8080", false),
            ("fd00::/8", "https://[fd12::1]", true),
            ("[fd00::]/8", "https://[fd12::1]", true),
            ("fd00::/8", "https://[fe80::1]", false),
            ("127.0.0.1", "https://[::ffff:127.0.0.1]", true),
            ("0.0.1", "https://127.0.0.1", false),
            ("", "https://api.example", false),
        ] {
            let proxies = read(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)]);
            assert_eq!(through(&proxies, url) == "direct", is_direct, "{no_proxy:?} {url}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_and_never_quoted() {
        for (value, why) in [
            ("socks5://u:Secret@h:1080", "names a SOCKS proxy"),
            ("SOCKS5H://h", "names a SOCKS proxy"),
            ("socks4a://h", "names a SOCKS proxy"),
            ("https://u:Secret@h:443", "names a proxy behind TLS"),
            ("ftp://h", "does not hold the address of a proxy"),
            ("http://", "does not hold the address of a proxy"),
            ("http://u:Secret@", "does not hold the address of a proxy"),
            ("Secret:Secret:Secret", "does not hold the address of a proxy"),
            ("SecretWord", "does not hold the address of a proxy"),
            ("sk_live_Secret12", "does not hold the address of a proxy"),
            ("http://sk_live_Secret12", "does not hold the address of a proxy"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTecret1In0.Secret", "does not hold the address of a proxy"),
        ] {
            let proxies = read(&[("ALL_PROXY", value), ("NO_PROXY", "near.example")]);
            let said = through(&proxies, "https://api.example");
            assert!(said.starts_with("the variable `ALL_PROXY`") && said.contains(why), "{value}: {said}");
            assert!(!said.contains("Secret"), "{said}");
            assert_eq!(through(&proxies, "https://near.example"), "direct", "what needs no proxy works");
            assert_eq!(proxies.problems().len(), 1, "{:?}", proxies.problems());
        }
    }

    #[test]
    fn a_login_is_decoded_once() {
        for (value, login, secret) in [
            ("http://u:p%40s%25s@h:1", Some("u:p@s%s"), Some("p@s%s")),
            ("http://u@h:1", Some("u:"), Some("u")),
            ("http://h:1", None, None),
        ] {
            let proxies = read(&[("HTTP_PROXY", value)]);
            let proxy = proxies.of(&Url::parse("http://x").unwrap()).unwrap().unwrap().clone();
            let (user, password) = login.and_then(|login| login.split_once(':')).unwrap_or_default();
            let want = login.map(|_| format!("Basic {}", auth::basic(user, password)));
            assert_eq!(proxy.login(), want.as_deref());
            assert_eq!(proxies.secrets().next().map(ExposeSecret::expose_secret), secret);
        }
    }
}
