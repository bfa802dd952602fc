use super::*;
use crate::process::clock::Clock;
use crate::process::redact::Redactor;
use crate::wire::http::MOST_REDIRECTS;

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::now();
    let parse = |text: &str| parse_retry_after(text, now);
    assert_eq!(parse(" 7 "), Some(Duration::from_secs(7)));
    assert_eq!(parse("1.5"), Some(Duration::from_millis(1500)));
    assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    let soon = now + Duration::from_secs(3600);
    let parsed = parse(&httpdate::fmt_http_date(soon)).unwrap();
    assert!(parsed > Duration::from_secs(3000) && parsed <= Duration::from_secs(3600));
    assert_eq!(parse("99999999999999999999"), Some(Duration::MAX));
    for bad in ["", "-1", "soon", "NaN", "inf", "1e3", "1.2.3"] {
        assert_eq!(parse(bad), None, "{bad}");
    }
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    answer_after(MOST_REDIRECTS, status, headers, body)
}

#[test]
fn a_header_that_comes_twice_keeps_all_its_different_values() {
    for (headers, want) in [
        (vec![("x-balance", "5")], "5"),
        (vec![("x-balance", "5"), ("x-balance", "5")], "5"),
        (vec![("x-balance", "5"), ("x-balance", "50"), ("x-balance", "5")], "5\n50"),
    ] {
        assert_eq!(answer(200, &headers, "").headers["x-balance"], want, "{headers:?}");
    }
}

fn answer_after(follows: usize, status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let url = Url::parse("http://api.example:8080/v1?key=Secret").unwrap();
    let response =
        Response::of(status, &HeaderMap::from_iter(headers), &url, None, follows, Clock::default().now()).unwrap();
    Response { body: body.into(), ..response }
}

#[test]
fn a_retry_date_is_meant_by_the_clock_of_its_writer() {
    let at = |seconds: u64| httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    for (date, again, want) in [(1_000_000, 1_000_007, 7), (4_000_000_000, 4_000_000_007, 7), (1000, 900, 0)] {
        let response = answer(429, &[("date", &at(date)), ("retry-after", &at(again))], "");
        assert_eq!(response.retry_after, Some(Duration::from_secs(want)));
    }
}

#[test]
fn of_a_redirect_that_was_followed_nothing_new_is_said() {
    let url = |text: &str| Url::parse(text).unwrap();
    let asked = url("https://api.example/v2/balance?user=joe");
    let last = url("https://api.example/v2/hook/sesame?user=joe&pass=open%20door");
    let response = Response { followed: followed(&asked, &last), ..Response::default() };
    let said = "no /v2/hook/sesame, not sesame or open door; no balance of joe";
    let failure = response.without_followed(Failure::new(Reason::Auth, "x").saying(said));
    assert_eq!(failure.said(), Some("no ***, not *** or ***; no balance of joe"));
    assert_eq!(followed(&asked, &asked), Vec::<String>::new());
}

#[test]
fn a_redirect_names_its_host_and_nothing_more() {
    for (location, want) in [
        ("https://other.example/login?token=Secret", "to `https://other.example`, which is not followed"),
        ("http://other.example:81/Secret", "to `other.example:81`, which is not followed"),
        ("https://api.example:8080/", "to `https://api.example:8080`, which is not followed"),
        ("//other.example/x", "to `other.example`, which is not followed"),
        ("http://user:Secret@other.example/", "to `other.example`, which is not followed"),
        ("/again", "to its own host once more, after 5 that were followed"),
        ("mailto:Secret", "without an address"),
        ("http://", "without an address"),
    ] {
        let failure = answer(302, &[("location", location)], "").fault().unwrap().settle(&Redactor::default());
        assert_eq!(failure.message, format!("the answer is a redirect {want} (HTTP 302)"), "{location}");
        assert_eq!((failure.reason, failure.retry), (Reason::HttpStatus, crate::model::failure::Retry::Never));
    }
    let unfollowed = answer_after(0, 307, &[("location", "/again")], "").fault().unwrap().message;
    assert_eq!(unfollowed, "the answer is a redirect to its own host, which is not followed (HTTP 307)");
    assert!(answer(301, &[], "").fault().unwrap().message.contains("without an address"));
}

#[test]
fn a_redirect_to_a_host_that_holds_a_piece_of_a_secret_does_not_name_it() {
    let redactor = Redactor::default();
    redactor.learn("Zk7Qw92LmXv4Tb8NrP1sYd6HgC3jFa5E");
    for label in ["zk7qw92lmxv4", "x.lmxv.4tb8.nrp1", "ljvtoulxhezey3kyoy2fiyry"] {
        for to in [format!("http://{label}.evil.example/"), format!("https://{label}.api.example/")] {
            let failure = answer(302, &[("location", &to)], "").fault().unwrap().settle(&redactor);
            assert_eq!(
                failure.message, "the answer is a redirect to another host, which is not followed (HTTP 302)",
                "{to}"
            );
        }
    }
}

#[test]
fn a_web_page_is_not_the_service() {
    let page = "\u{FEFF} <!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
    for (status, headers, body, reason, passes) in [
        (403, &[("server", "cloudflare")][..], page, Some(Reason::HttpStatus), false),
        (403, &[], "<html>no title</html>", Some(Reason::HttpStatus), false),
        (403, &[("cf-ray", "x")], "error code: 1020", Some(Reason::HttpStatus), false),
        (403, &[], "error code: 1020", None, false),
        (503, &[], page, Some(Reason::HttpStatus), true),
        (502, &[], "<HTML><TITLE>502 Bad Gateway", Some(Reason::HttpStatus), true),
        (511, &[], page, Some(Reason::HttpStatus), false),
        (403, &[], "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", None, false),
        (403, &[], r#"{"message": "<html>"}"#, None, false),
        (503, &[], "", None, false),
        (401, &[], page, None, false),
        (404, &[], page, None, false),
        (200, &[], page, None, false),
    ] {
        let fault = answer(status, headers, body).fault();
        assert_eq!(fault.as_ref().map(|fault| fault.reason), reason, "{status} {body}");
        assert_eq!(
            fault.is_some_and(|fault| fault.retry != crate::model::failure::Retry::Never),
            passes,
            "{status} {body}"
        );
    }
    let failure = answer(403, &[("server", "cloudflare")], page).fault().unwrap();
    assert_eq!(failure.said(), Some("Just a moment..."));
    assert!(failure.hint.unwrap().contains("Cloudflare"));
}

#[test]
fn a_web_page_is_known_by_its_beginning_or_by_its_type() {
    for (kind, body, is_page) in [
        ("", "\u{FEFF} <!DOCTYPE html><html>", true),
        ("", "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">", true),
        ("", "<!-- a --><!-- b -->\n<HTML lang=en>", true),
        ("", "<head>", true),
        ("", "<body class=x>", true),
        ("", "<meta charset=utf-8>", true),
        ("", "<form action=/login>", true),
        ("", "<script>x</script>", true),
        ("Text/HTML; charset=utf-8", "<div>Sign in</div>", true),
        ("text/html", "ok", false),
        ("text/html", r#"{"ok": true}"#, false),
        ("application/xml", "<?xml version=\"1.0\"?><response>ok</response>", false),
        ("", "<header><code>0</code></header>", false),
        ("", "ok", false),
        ("", "", false),
    ] {
        let headers = [("content-type", kind)];
        let headers = if kind.is_empty() { &headers[..0] } else { &headers[..] };
        assert_eq!(answer(200, headers, body).is_web_page(), is_page, "{kind} {body}");
    }
}

#[test]
fn plain_http_on_a_tls_port_is_said() {
    for body in [
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
        "Client sent an HTTP request to an HTTPS server.\n",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        "Bad Request\nThis combination of host and port requires TLS.\r\n",
    ] {
        let failure = answer(400, &[], body).fault().unwrap();
        assert_eq!(failure.hint.as_deref(), Some("write `https://`"), "{body}");
    }
    assert!(answer(400, &[], r#"{"error": "bad request"}"#).fault().is_none());
}

#[test]
fn a_clock_that_is_wrong_is_named_where_it_may_be_the_cause() {
    let date = |ahead: i64| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs((now - ahead) as u64))
    };
    let refusal = |reason, said: &str| Failure::new(reason, "refused").saying(said);
    for (ahead, failure, is_signed, want) in [
        (Some(1410), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, Some("23 min ahead of")),
        (Some(-1410), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, Some("23 min behind")),
        (Some(1), refusal(Reason::Auth, "SignatureDoesNotMatch"), true, None),
        (None, refusal(Reason::Auth, "SignatureDoesNotMatch"), true, None),
        (Some(1410), refusal(Reason::Auth, "Invalid API key"), false, None),
        (Some(1410), refusal(Reason::Api, "no such account"), true, None),
        (
            Some(-7500),
            refusal(Reason::Api, "InvalidTimeStamp.Expired: Specified time stamp"),
            false,
            Some("2 h behind"),
        ),
        (None, refusal(Reason::Api, "InvalidTimestamp: x"), false, Some("check this machine's clock")),
        (None, refusal(Reason::HttpStatus, "RequestExpired"), false, Some("check this machine's clock")),
        (None, refusal(Reason::Auth, "RequestTimeTooSkewed"), false, Some("check this machine's clock")),
        (None, refusal(Reason::Auth, "Timestamp expired"), false, Some("check this machine's clock")),
        (None, refusal(Reason::Auth, "AuthFailure.SignatureExpire"), false, Some("check this machine's clock")),
        (Some(2), refusal(Reason::Auth, "Timestamp expired"), false, None),
        (None, refusal(Reason::Decode, "timestamp expired"), false, None),
    ] {
        let headers = ahead.map(date);
        let headers: Vec<(&str, &str)> = headers.iter().map(|date| ("date", date.as_str())).collect();
        let text = failure.describe();
        let hint = answer(403, &headers, "").by_the_clock(failure, is_signed).hint;
        let is_right = match want {
            Some(want) => hint.as_ref().is_some_and(|hint| hint.contains(want)),
            None => hint.is_none(),
        };
        assert!(is_right, "{ahead:?} {text}: {hint:?}");
    }
}
