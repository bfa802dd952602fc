//! The signatures of clouds, judged by verifiers that are written from the services' documentation and share no code with the program.

use crate::support::crypto::{hex, hmac_sha256, sha256_hex};
use crate::support::http::Request;
use crate::support::{Program, Reply, Server, account, config, project};
use serde_json::json;

const TENCENT: &str = r#"{"Response":{"RealBalance":9647442,"FreezeAmount":0,"RequestId":"1"}}"#;
const HUAWEI: &str = r#"{"account_balances":[{"account_type":1,"amount":468.39,"currency":"CNY","measure_id":1}],"debt_amount":0,"measure_id":1,"currency":"CNY"}"#;

/// The part of a header between a name and what ends it.
fn part<'h>(header: &'h str, name: &str) -> Result<&'h str, String> {
    let rest = header.split_once(name).ok_or(format!("no {name} in {header}"))?.1;
    Ok(rest.split(", ").next().unwrap_or(rest))
}

/// The lines of the headers that are signed, as they came.
fn lines(request: &Request, signed: &str) -> Result<String, String> {
    let line = |name: &str| Ok(format!("{name}:{}\n", request.header(name).ok_or(format!("no {name}"))?.trim()));
    signed.split(';').map(line).collect()
}

fn verify_tencent(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let wanted = [("x-tc-action", "DescribeAccountBalance"), ("x-tc-version", "2018-07-09")];
    for (name, value) in wanted {
        if request.header(name) != Some(value) {
            return Err(format!("{name}: {:?}", request.header(name)));
        }
    }
    let seconds: i64 = request.header("x-tc-timestamp").and_then(|at| at.parse().ok()).ok_or("no time")?;
    let at = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    if (jiff::Timestamp::now() - at).get_seconds().abs() > 300 {
        return Err("AuthFailure.SignatureExpire".to_owned());
    }
    let date = at.strftime("%Y-%m-%d").to_string();
    let header = request.header("authorization").ok_or("no Authorization")?;
    let (credential, signed) = (part(header, "Credential=")?, part(header, "SignedHeaders=")?);
    if credential != format!("{id}/{date}/billing/tc3_request") || !header.starts_with("TC3-HMAC-SHA256 ") {
        return Err(header.to_owned());
    }
    if signed != "content-type;host" {
        return Err(format!("signed: {signed}"));
    }
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{signed}\n{}",
        request.method,
        request.path(),
        request.raw_query(),
        lines(request, signed)?.to_lowercase(),
        sha256_hex(&request.body)
    );
    let to_sign =
        format!("TC3-HMAC-SHA256\n{seconds}\n{date}/billing/tc3_request\n{}", sha256_hex(canonical.as_bytes()));
    let of_date = hmac_sha256(format!("TC3{secret}").as_bytes(), date.as_bytes());
    let key = hmac_sha256(&hmac_sha256(&of_date, b"billing"), b"tc3_request");
    let expected = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    if part(header, "Signature=")? == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

fn verify_huawei(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let header = request.header("authorization").ok_or("no Authorization")?;
    let (access, signed) = (part(header, "Access=")?, part(header, "SignedHeaders=")?);
    if access != id || !header.starts_with("SDK-HMAC-SHA256 ") {
        return Err(header.to_owned());
    }
    if !signed.split(';').any(|name| name == "host") || !signed.split(';').any(|name| name == "x-sdk-date") {
        return Err(format!("signed: {signed}"));
    }
    let date = request.header("x-sdk-date").ok_or("no X-Sdk-Date")?;
    let canonical = format!(
        "{}\n{}/\n{}\n{}\n{signed}\n{}",
        request.method,
        request.path(),
        request.raw_query(),
        lines(request, signed)?,
        sha256_hex(&request.body)
    );
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256_hex(canonical.as_bytes()));
    let expected = hex(&hmac_sha256(secret.as_bytes(), to_sign.as_bytes()));
    if part(header, "Signature=")? == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

type Verify = fn(&Request, &str, &str) -> Result<(), String>;

const CLOUDS: [(&str, Verify, &str, f64); 2] =
    [("tencent", verify_tencent, TENCENT, 96_474.42), ("huawei", verify_huawei, HUAWEI, 468.39)];

#[test]
fn clouds_accept_the_signatures() {
    for (provider, verify, answer, balance) in CLOUDS {
        for (id, secret) in [("AKIDexample", "secret-of-the-test"), ("AKID+/=", "s:e/c+r=e t")] {
            let server = Server::start(move |request| match verify(request, id, secret) {
                Ok(()) => Reply::ok(answer),
                Err(why) => Reply::status(418, json!({ "why": why }).to_string()),
            });
            for prefix in ["", "/gw"] {
                let mut account = account("A", provider, &format!("{}{prefix}", server.url()));
                account["api_key"] = json!(format!("{id}:{secret}"));
                let run = Program::check_json(&config(vec![account])).run().expect(0);
                assert_eq!(project(&run.report(), "A")["balance"], balance, "{provider}: {run}");
            }
        }
    }
}

#[test]
fn clouds_refuse_another_secret() {
    for (provider, verify, answer, _) in CLOUDS {
        let server = Server::start(move |request| match verify(request, "AKIDexample", "right") {
            Ok(()) => Reply::ok(answer),
            Err(_) => Reply::status(401, "{}"),
        });
        let mut account = account("A", provider, &server.url());
        account["api_key"] = json!("AKIDexample:wrong-secret");
        let run = Program::check_json(&config(vec![account])).run().expect(3);
        assert_eq!(run.reason("A"), "auth", "{provider}: {run}");
        assert!(!run.stdout.contains("wrong-secret") && !run.stderr.contains("wrong-secret"), "{run}");
    }
}
