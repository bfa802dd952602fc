//! Every provider through the real HTTP path: what is asked, how it is signed, and what each
//! shape of answer means. The signatures are verified here from the published algorithms.

use crate::support::crypto::{hex, hmac_sha256, sha256_hex};
use crate::support::http::percent_decode;
use crate::support::{Finished, Program, Reply, Request, Server, account, config, project, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

const KEY: &str = "key-of-the-test:second-half";

const OPENROUTER: &str = r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#;
const UNIAPI: &str = r#"{"success":true,"data":{"balance":10446.05,"used":48280.24,"cache_used":0}}"#;
const WXRANK: &str = r#"{"code":0,"msg":"剩余263419余额"}"#;
const TIKHUB: &str = r#"{"code":200,"user_data":{"balance":99.5}}"#;
const VOLC: &str = r#"{"ResponseMetadata":{"RequestId":"20240517163045010225","Action":"QueryBalanceAcct","Version":"2022-01-01","Service":"billing","Region":"cn-north-1"},"Result":{"AccountID":2100000000,"ArrearsBalance":"0.00","AvailableBalance":"1234.56","CashBalance":"1234.56","CreditLimit":"0.00","FreezeAmount":"0.00"}}"#;
const ALIYUN: &str = r#"{"Code":"200","Message":"success","RequestId":"16176743-6DC7-4CB3-BB25-A13982D8DFAD","Success":true,"Data":{"AvailableAmount":"10,000.00","CreditAmount":"0.00","MybankCreditAmount":"0.00","Currency":"CNY","AvailableCashAmount":"10,000.00","QuotaLimit":"10,000.00"}}"#;
const DEEPSEEK: &str = r#"{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"110.00","granted_balance":"10.00","topped_up_balance":"100.00"}]}"#;
const MOONSHOT: &str = r#"{"code":0,"data":{"available_balance":49.58894,"voucher_balance":46.58893,"cash_balance":3.00001},"scode":"0x0","status":true}"#;
const SILICONFLOW: &str = r#"{"code":20000,"message":"OK","status":true,"data":{"id":"userid","name":"u","email":"u@example.com","isAdmin":false,"balance":"0.88","status":"normal","chargeBalance":"88.00","totalBalance":"88.88"}}"#;

/// Provider, path (without the query), query, sample body, its balance, its currency.
type Entry = (&'static str, &'static str, &'static str, &'static str, f64, Option<&'static str>);

const CATALOGUE: &[Entry] = &[
    ("openrouter", "/api/v1/credits", "", OPENROUTER, 74.75, Some("USD")),
    ("uniapi", "/v1/billing/usage", "unit=usd", UNIAPI, 10446.05, Some("USD")),
    ("wxrank", "/weixin/score", "key=key-of-the-test%3Asecond-half", WXRANK, 263_419.0, None),
    ("tikhub", "/api/v1/tikhub/user/get_user_info", "", TIKHUB, 99.5, Some("USD")),
    ("volc", "/", "Action=QueryBalanceAcct&Version=2022-01-01", VOLC, 1234.56, Some("CNY")),
    ("aliyun", "/", "", ALIYUN, 10_000.0, Some("CNY")),
    ("deepseek", "/user/balance", "", DEEPSEEK, 110.0, Some("CNY")),
    ("moonshot", "/v1/users/me/balance", "", MOONSHOT, 49.588_94, Some("CNY")),
    ("siliconflow", "/v1/user/info", "", SILICONFLOW, 88.88, Some("USD")),
];

// ---- what is asked -----------------------------------------------------------------------

#[test]
fn every_provider_asks_its_own_question() {
    for &(provider, path, query, body, balance, currency) in CATALOGUE {
        let server = Server::start(move |_| Reply::ok(body));
        let config = config(vec![account("A", provider, &server.url())]);
        let run = Program::check_json(&config).run();
        assert_eq!(run.code(), 0, "{provider}: {run}");

        let request = server.only_request();
        assert_eq!(request.path(), path, "{provider}");
        // A colon may stand in a query as it is, or encoded.
        assert_eq!(percent_decode(request.raw_query()), percent_decode(query), "{provider}");
        if provider != "aliyun" {
            assert_eq!(request.method, "GET", "{provider}");
        }
        let authorization = request.header("Authorization").unwrap_or_default();
        match provider {
            "wxrank" => assert_eq!(authorization, "", "the key stands in the query alone"),
            "volc" | "aliyun" => assert!(!authorization.contains("second-half"), "{authorization}"),
            _ => assert_eq!(authorization, format!("Bearer {KEY}"), "{provider}"),
        }
        assert!(request.header("User-Agent").is_some_and(|agent| agent.contains("balance-alert")));

        let report = run.report();
        let account = project(&report, "A");
        assert_eq!(account["provider"], provider);
        assert_eq!(account["status"], "ok", "{provider}");
        assert_eq!(account["balance"], balance, "{provider}");
        assert_eq!(account["currency"], json!(currency), "{provider}");
        assert_eq!(account["attempts"], 1, "{provider}");
        assert_eq!(account["error"], Value::Null, "{provider}");
    }
}

#[test]
fn all_accounts_of_a_run_are_read_together() {
    let server = Server::start(|request| {
        let entry = CATALOGUE.iter().find(|entry| entry.0 == request.case());
        Reply::ok(entry.unwrap().3)
    });
    let accounts = CATALOGUE.iter().map(|entry| account(entry.0, entry.0, &format!("{}/{}", server.url(), entry.0)));
    let run = Program::check_json(&config(accounts.collect())).run().expect(0);
    let report = run.report();
    assert_eq!(report["summary"]["total"], CATALOGUE.len());
    assert_eq!(report["summary"]["ok"], CATALOGUE.len());
    for &(provider, _, _, _, balance, _) in CATALOGUE {
        assert_eq!(project(&report, provider)["balance"], balance, "{provider}");
        assert_eq!(server.hits_of(provider), 1, "{provider}");
    }
}

#[test]
fn a_base_url_keeps_its_path_prefix() {
    let cases = [
        ("/gw", "openrouter", "/gw/api/v1/credits", OPENROUTER),
        ("/gw/", "openrouter", "/gw/api/v1/credits", OPENROUTER),
        ("/gw/api/v1", "openrouter", "/gw/api/v1/credits", OPENROUTER),
        ("/api/v1", "openrouter", "/api/v1/credits", OPENROUTER),
        ("/", "openrouter", "/api/v1/credits", OPENROUTER),
        ("/gw", "uniapi", "/gw/v1/billing/usage", UNIAPI),
        ("/gw/v1", "uniapi", "/gw/v1/billing/usage", UNIAPI),
        ("/deep/er", "moonshot", "/deep/er/v1/users/me/balance", MOONSHOT),
        ("/deep/v1/", "moonshot", "/deep/v1/users/me/balance", MOONSHOT),
    ];
    for (prefix, provider, path, body) in cases {
        let server = Server::start(move |_| Reply::ok(body));
        let base = format!("{}{prefix}", server.url());
        let run = Program::check_json(&config(vec![account("A", provider, &base)])).run();
        assert_eq!(run.code(), 0, "{prefix}: {run}");
        assert_eq!(server.only_request().path(), path, "{prefix}");
    }
}

#[test]
fn a_key_is_encoded_in_a_query_and_plain_in_a_header() {
    let key = "a+b/c=d&e f%41?#ü";
    let server = Server::start(|_| Reply::ok(WXRANK));
    let mut in_query = account("W", "wxrank", &server.url());
    in_query["api_key"] = json!(key);
    Program::check_json(&config(vec![in_query])).run().expect(0);
    let request = server.only_request();
    assert_eq!(request.query("key").as_deref(), Some(key), "{}", request.target);

    let key = "sk-a+b/c=d&e%41?#";
    let server = Server::start(|_| Reply::ok(UNIAPI));
    let mut in_header = account("U", "uniapi", &server.url());
    in_header["api_key"] = json!(key);
    Program::check_json(&config(vec![in_header])).run().expect(0);
    assert_eq!(server.only_request().header("Authorization"), Some(&*format!("Bearer {key}")));
}

#[test]
fn a_key_comes_from_the_config_the_environment_or_a_file() {
    let server = Server::start(|_| Reply::ok(UNIAPI));
    let base = |case: &str| format!("{}/{case}", server.url());
    let mut from_variable = account("variable", "uniapi", &base("variable"));
    from_variable["api_key"] = json!("${ACME_KEY}");
    let mut from_default = account("default", "uniapi", &base("default"));
    from_default["api_key"] = json!("${NOT_SET:-of-the-default}");
    let mut from_file = account("file", "uniapi", &base("file"));
    from_file.as_object_mut().unwrap().remove("api_key");
    from_file["api_key_file"] = json!("keys/acme");
    let mut from_dotenv = account("dotenv", "uniapi", &base("dotenv"));
    from_dotenv["api_key"] = json!("${DOTENV_KEY}");
    let mut twice = account("twice", "uniapi", &base("twice"));
    twice["api_key"] = json!("${BOTH_KEY}");
    Program::check_json(&config(vec![from_variable, from_default, from_file, from_dotenv, twice]))
        .env("ACME_KEY", "of-the-variable")
        .env("BOTH_KEY", "of-the-real-environment")
        .file("keys/acme", "  of-the-file\r\n\n")
        .file(".env", "DOTENV_KEY=of-the-dotenv\nBOTH_KEY=of-the-dotenv\n")
        .run()
        .expect(0);
    for (case, key) in [
        ("variable", "of-the-variable"),
        ("default", "of-the-default"),
        ("file", "of-the-file"),
        ("dotenv", "of-the-dotenv"),
        ("twice", "of-the-real-environment"),
    ] {
        let requests = server.requests();
        let request = requests.iter().find(|request| request.case() == case).unwrap();
        assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {key}")), "{case}");
    }
}

#[test]
fn a_variable_that_is_not_set_fails_its_account_alone() {
    let server = Server::start(|_| Reply::ok(UNIAPI));
    let mut without = account("Without", "uniapi", &server.url());
    without["api_key"] = json!("${NO_SUCH_VARIABLE}");
    let run = Program::check_json(&config(vec![without, account("With", "uniapi", &server.url())])).run().expect(3);
    assert_eq!(run.reason("Without"), "config");
    let report = run.report();
    let message = project(&report, "Without")["error"]["message"].as_str().unwrap();
    assert!(message.contains("NO_SUCH_VARIABLE"), "{message}");
    assert_eq!(project(&report, "With")["status"], "ok");
    assert_eq!(server.hits(), 1, "nobody is asked with a literal for a key");
}

#[test]
fn a_disabled_account_is_not_asked() {
    let server = Server::start(|_| Reply::ok(UNIAPI));
    let mut off = account("Off", "uniapi", &server.url());
    off["enabled"] = json!(false);
    let run = Program::check_json(&config(vec![off, account("On", "uniapi", &server.url())])).run().expect(0);
    assert_eq!(server.hits(), 1);
    project(&run.report(), "On");
}

// ---- signatures --------------------------------------------------------------------------

/// Whether a text whose digits are `YYYYMMDDhhmmss` in UTC is the present time.
fn check_clock(text: &str) -> Result<(), String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let time =
        jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &digits).map_err(|why| format!("no time: {text}: {why}"))?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    match time.duration_since(jiff::Timestamp::now()).as_secs().abs() {
        0..=120 => Ok(()),
        off => Err(format!("{text} is {off} s off")),
    }
}

/// Percent-encodes by RFC 3986: everything but the unreserved characters.
fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The canonical request that both services hash: method, path, query, headers, names, body.
fn canonical_request(request: &Request, signed: &str) -> Result<String, String> {
    let mut query: Vec<_> = request
        .raw_query()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", encode(&percent_decode(name)), encode(&percent_decode(value)))
        })
        .collect();
    query.sort();
    let names: Vec<_> = signed.split(';').collect();
    if !names.is_sorted() {
        return Err(format!("signed headers are not sorted: {signed}"));
    }
    let mut headers = String::new();
    for name in names {
        let value = request.header(name).ok_or(format!("{name} is signed but not sent"))?;
        headers += &format!("{name}:{}\n", value.trim());
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method,
        request.path(),
        query.join("&"),
        sha256_hex(&request.body)
    ))
}

/// The fields `Name=value` of an `Authorization` header after its scheme.
fn fields<'a>(header: &'a str, scheme: &str, separator: &str) -> Result<BTreeMap<&'a str, &'a str>, String> {
    let rest = header.strip_prefix(scheme).ok_or(format!("scheme: {header}"))?;
    let fields = rest.strip_prefix(' ').ok_or(format!("no blank: {header}"))?.split(separator);
    Ok(fields.filter_map(|field| field.split_once('=')).collect())
}

fn field<'a>(fields: &BTreeMap<&str, &'a str>, name: &str) -> Result<&'a str, String> {
    fields.get(name).copied().ok_or(format!("no {name} in {fields:?}"))
}

fn signed_names_cover(signed: &str, needed: &[&str]) -> Result<(), String> {
    let names: Vec<_> = signed.split(';').collect();
    match needed.iter().find(|name| !names.contains(name)) {
        Some(name) => Err(format!("{name} is not signed: {signed}")),
        None => Ok(()),
    }
}

/// Verifies Volcengine's `HMAC-SHA256` as its gateway does.
fn verify_volc(request: &Request, id: &str, secret: &str, region: &str) -> Result<(), String> {
    let header = request.header("Authorization").ok_or("no Authorization")?;
    let fields = fields(header, "HMAC-SHA256", ", ")?;
    let date = request.header("X-Date").ok_or("no X-Date")?;
    check_clock(date)?;
    let scope = format!("{}/{region}/billing/request", &date[..8]);
    let credential = field(&fields, "Credential")?;
    if credential != format!("{id}/{scope}") {
        return Err(format!("credential: {credential}"));
    }
    let signed = field(&fields, "SignedHeaders")?;
    signed_names_cover(signed, &["host", "x-date"])?;
    if let Some(hash) = request.header("X-Content-Sha256")
        && hash != sha256_hex(&request.body)
    {
        return Err(format!("body hash: {hash}"));
    }
    let canonical = canonical_request(request, signed)?;
    let to_sign = format!("HMAC-SHA256\n{date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = secret.as_bytes().to_vec();
    for step in [&date[..8], region, "billing", "request"] {
        key = hmac_sha256(&key, step.as_bytes());
    }
    let expected = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    match field(&fields, "Signature")? {
        signature if signature == expected => Ok(()),
        other => Err(format!("signature {other}, expected {expected} for {canonical:?}")),
    }
}

/// Verifies Alibaba Cloud's `ACS3-HMAC-SHA256` as its gateway does.
fn verify_aliyun(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    if request.header("x-acs-action") != Some("QueryAccountBalance") {
        return Err(format!("action: {:?}", request.header("x-acs-action")));
    }
    if request.header("x-acs-version") != Some("2017-12-14") {
        return Err(format!("version: {:?}", request.header("x-acs-version")));
    }
    if !["GET", "POST"].contains(&request.method.as_str()) {
        return Err(format!("method: {}", request.method));
    }
    check_clock(request.header("x-acs-date").ok_or("no x-acs-date")?)?;
    if request.header("x-acs-signature-nonce").is_none_or(|nonce| nonce.len() < 16) {
        return Err("no nonce worth the name".into());
    }
    if request.header("x-acs-content-sha256") != Some(&sha256_hex(&request.body)) {
        return Err("body hash".into());
    }
    let header = request.header("Authorization").ok_or("no Authorization")?;
    if header.contains(", ") {
        return Err(format!("commas without blanks, please: {header}"));
    }
    let fields = fields(header, "ACS3-HMAC-SHA256", ",")?;
    if field(&fields, "Credential")? != id {
        return Err(format!("credential: {header}"));
    }
    let signed = field(&fields, "SignedHeaders")?;
    let needed =
        ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];
    signed_names_cover(signed, &needed)?;
    let canonical = canonical_request(request, signed)?;
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
    let expected = hex(&hmac_sha256(secret.as_bytes(), to_sign.as_bytes()));
    match field(&fields, "Signature")? {
        signature if signature == expected => Ok(()),
        other => Err(format!("signature {other}, expected {expected} for {canonical:?}")),
    }
}

/// A request as the published vectors have it, to prove the verifiers without the program.
fn vector(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
    Request {
        method: method.into(),
        target: target.into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        body: Vec::new(),
        at: std::time::Instant::now(),
    }
}

#[test]
fn the_verifiers_agree_with_the_published_vectors() {
    let empty = sha256_hex(b"");
    let request = vector(
        "GET",
        "/?Action=QueryBalanceAcct&Version=2022-01-01",
        &[
            ("content-type", "application/json"),
            ("host", "open.volcengineapi.com"),
            ("x-content-sha256", &empty),
            ("x-date", "20240517T083045Z"),
        ],
    );
    let canonical = canonical_request(&request, "content-type;host;x-content-sha256;x-date").unwrap();
    assert_eq!(sha256_hex(canonical.as_bytes()), "fbd9ddd5117f752c2b1f7d2d6f43eb75a405ba1f6914db3ae58e2872704b7a52");
    let request = vector(
        "POST",
        "/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        &[
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", &empty),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ],
    );
    let signed = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
    let canonical = canonical_request(&request, signed).unwrap();
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
    assert_eq!(
        hex(&hmac_sha256(b"YourAccessKeySecret", to_sign.as_bytes())),
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    );
}

/// Answers as the service does: the sample to a right signature, 403 and why to a wrong one.
fn judged(verdict: Result<(), String>, sample: &str) -> Reply {
    match verdict {
        Ok(()) => Reply::ok(sample),
        Err(why) => {
            let error = json!({"Code": "SignatureDoesNotMatch", "CodeN": 100_010, "Message": why});
            let body = json!({"ResponseMetadata": {"Error": error}, "Code": "SignatureDoesNotMatch", "Message": why});
            Reply::status(403, body.to_string())
        }
    }
}

const SIGNED: [(&str, &str); 4] = [
    ("AKLTtest-access-key", "test-secret-key"),
    ("AK", "with:colons::in:it"),
    ("AKLT+odd/id=", "YWJj+/=="),
    ("AKLTspaces", "ends in equals=:+/="),
];

#[test]
fn volc_accepts_the_signature() {
    for (id, secret) in SIGNED {
        for (region, options) in [("cn-beijing", json!({})), ("cn-shanghai", json!({"region": "cn-shanghai"}))] {
            for prefix in ["", "/gw"] {
                let server = Server::start(move |request| judged(verify_volc(request, id, secret, region), VOLC));
                let base = format!("{}{prefix}", server.url());
                let mut account = account("V", "volc", &base);
                account["api_key"] = json!(format!("{id}:{secret}"));
                account["options"] = options.clone();
                let run = Program::check_json(&config(vec![account])).run();
                assert_eq!(run.code(), 0, "{id}:{secret} in {region}: {run}");
                assert_eq!(project(&run.report(), "V")["balance"], 1234.56);
            }
        }
    }
}

#[test]
fn aliyun_accepts_the_signature() {
    for (id, secret) in SIGNED {
        let server = Server::start(move |request| judged(verify_aliyun(request, id, secret), ALIYUN));
        let mut account = account("A", "aliyun", &server.url());
        account["api_key"] = json!(format!("{id}:{secret}"));
        let run = Program::check_json(&config(vec![account])).run();
        assert_eq!(run.code(), 0, "{id}:{secret}: {run}");
        assert_eq!(project(&run.report(), "A")["balance"], 10_000.0);
    }
}

#[test]
fn a_wrong_secret_is_an_auth_failure() {
    let server = Server::start(|request| match request.case() {
        "volc" => judged(verify_volc(request, "AK", "right", "cn-beijing"), VOLC),
        _ => judged(verify_aliyun(request, "AK", "right"), ALIYUN),
    });
    let mut accounts =
        ["volc", "aliyun"].map(|provider| account(provider, provider, &format!("{}/{provider}", server.url())));
    for account in &mut accounts {
        account["api_key"] = json!("AK:wrong");
    }
    let run = Program::check_json(&config(accounts.to_vec())).run().expect(3);
    assert_eq!(run.reason("volc"), "auth");
    assert_eq!(run.reason("aliyun"), "auth");
}

#[test]
fn credentials_without_a_colon_are_never_sent() {
    let server = Server::start(|_| Reply::ok(VOLC));
    for (provider, credentials) in
        [("volc", "only-an-id"), ("aliyun", "only-an-id"), ("volc", ":secret"), ("aliyun", "id:")]
    {
        let mut account = account("A", provider, &server.url());
        account["api_key"] = json!("${CREDENTIALS}");
        let run = Program::check_json(&config(vec![account])).env("CREDENTIALS", credentials).run();
        assert_eq!(run.code(), 3, "{provider} {credentials}: {run}");
        assert_eq!(run.reason("A"), "config", "{provider} {credentials}: {run}");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn every_attempt_is_signed_anew() {
    let nonces = Mutex::new(Vec::new());
    let server = Server::start(move |request| {
        let verdict = verify_aliyun(request, "AK", "se:cret");
        let nonce = request.header("x-acs-signature-nonce").unwrap_or_default().to_string();
        let mut nonces = nonces.lock().unwrap();
        if nonces.contains(&nonce) {
            return judged(Err("the nonce was used before".into()), ALIYUN);
        }
        nonces.push(nonce);
        if verdict.is_ok() && nonces.len() < 3 {
            return Reply::status(503, "{}");
        }
        judged(verdict, ALIYUN)
    });
    let mut account = account("A", "aliyun", &server.url());
    account["api_key"] = json!("AK:se:cret");
    let mut config = config(vec![account]);
    config["settings"]["max_retries"] = json!(3);
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(server.hits(), 3, "{run}");
}

// ---- what an answer means ----------------------------------------------------------------

/// What must come of an answer.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Balance(f64),
    Fails(&'static [&'static str]),
}

use Expect::{Balance, Fails};

/// The service says itself that it failed.
const IN_BAND: Expect = Fails(&["api", "auth", "rate_limited"]);
/// The field that matters is not there, or is nonsense.
const NONSENSE: Expect = Fails(&["decode"]);
/// No field at all: some services' own success flag is missing as well.
const NOTHING: Expect = Fails(&["decode", "api"]);

struct Case {
    provider: &'static str,
    status: u16,
    body: String,
    options: Value,
    expect: Expect,
}

fn case(provider: &'static str, body: impl Into<String>, expect: Expect) -> Case {
    Case { provider, status: 200, body: body.into(), options: json!({}), expect }
}

/// Runs all cases as the accounts of one config, and compares every one of them.
fn judge(cases: Vec<Case>) {
    let accounts = cases.iter().map(|case| (case.status, case.body.clone()));
    let answers: Vec<_> = accounts.collect();
    let server = Server::start(move |request| {
        let n: usize = request.case().parse().unwrap();
        Reply::status(answers[n].0, answers[n].1.clone())
    });
    let accounts = cases.iter().enumerate().map(|(n, case)| {
        let mut account = account(&n.to_string(), case.provider, &format!("{}/{n}", server.url()));
        for (key, value) in case.options.as_object().unwrap() {
            account[key] = value.clone();
        }
        account
    });
    let mut config = config(accounts.collect());
    config["settings"]["max_concurrent_checks"] = json!(50);
    let run = Program::check_json(&config).run();
    let report = run.report();
    let mut wrong = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let account = project(&report, &n.to_string());
        let right = match case.expect {
            Balance(balance) => {
                let status = if balance < 10.0 { "low" } else { "ok" };
                account["balance"] == balance && account["status"] == status
            }
            Fails(reasons) => {
                account["status"] == "failed"
                    && account["balance"].is_null()
                    && account["error"]["reason"].as_str().is_some_and(|reason| reasons.contains(&reason))
            }
        };
        if !right {
            wrong.push(format!(
                "{} answers {} {}\n  expected {:?}\n  got {account}",
                case.provider, case.status, case.body, case.expect
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn no_provider_takes_nonsense_for_a_balance() {
    let page = "<!DOCTYPE html><html><body><h1>Just a moment... 4242</h1></body></html>";
    let mut cases = Vec::new();
    for &(provider, _, _, sample, ..) in CATALOGUE {
        cases.push(case(provider, "", NONSENSE));
        cases.push(case(provider, "   \n", NONSENSE));
        cases.push(case(provider, page, NONSENSE));
        cases.push(case(provider, "0", NOTHING));
        cases.push(case(provider, "\"12\"", NOTHING));
        cases.push(case(provider, "{}", NOTHING));
        cases.push(case(provider, "[]", NOTHING));
        cases.push(case(provider, "null", NOTHING));
        cases.push(case(provider, "{\"error\":\"no\"}", NOTHING));
        cases.push(case(provider, &sample[..sample.len() - 1], NONSENSE));
        cases.push(case(provider, format!("{sample}{sample}"), Fails(&["decode", "protocol"])));
        for (status, reason) in [
            (401, "auth"),
            (403, "auth"),
            (404, "http_status"),
            (410, "http_status"),
            (429, "rate_limited"),
            (500, "http_status"),
        ] {
            // Whatever the body says, the status is not 200.
            let expect: &'static [&'static str] = match reason {
                "auth" => &["auth"],
                "rate_limited" => &["rate_limited"],
                _ => &["http_status"],
            };
            cases.push(Case { status, ..case(provider, sample, Fails(expect)) });
        }
    }
    judge(cases);
}

#[test]
fn a_byte_order_mark_and_bytes_that_are_no_text_do_no_harm() {
    let server = Server::start(|request| match request.case() {
        "bom" => Reply::ok(format!("\u{feff}{UNIAPI}")),
        "latin" => Reply::bytes(b"{\"success\":true,\"data\":{\"balance\":\"\xa3 5\"}}".to_vec()),
        _ => Reply::bytes(vec![0xff, 0xfe, 0x00, 0x80]),
    });
    let accounts = ["bom", "latin", "binary"].map(|name| account(name, "uniapi", &format!("{}/{name}", server.url())));
    let run = Program::check_json(&config(accounts.to_vec())).run().expect(3);
    let report = run.report();
    let bom = project(&report, "bom");
    assert_eq!((&bom["status"], &bom["balance"]), (&json!("ok"), &json!(10446.05)), "{bom}");
    assert_eq!(run.reason("latin"), "decode");
    assert_eq!(run.reason("binary"), "decode");
}

/// Every way in which an amount comes; `body` puts it where the provider has it.
fn amounts(provider: &'static str, body: impl Fn(&str) -> String) -> Vec<Case> {
    [
        ("12.5", Balance(12.5)),
        ("\"12.5\"", Balance(12.5)),
        ("\" 12.50 \"", Balance(12.5)),
        ("0", Balance(0.0)),
        ("\"0.00\"", Balance(0.0)),
        ("-3.25", Balance(-3.25)),
        ("\"-3.25\"", Balance(-3.25)),
        ("\"1,234.56\"", Balance(1234.56)),
        ("\"-1,234,567.89\"", Balance(-1_234_567.89)),
        ("1e3", Balance(1000.0)),
        ("0.1", Balance(0.1)),
        ("\"1,23\"", NONSENSE),
        ("\"1.234,56\"", NONSENSE),
        ("\"1.2万\"", Balance(12000.0)),
        ("\"1.5k\"", Balance(1500.0)),
        ("\"3.2M\"", Balance(3_200_000.0)),
        ("\"12.50 DR\"", Balance(-12.5)),
        ("\"3.2m\"", NONSENSE),
        ("\"5abc\"", NONSENSE),
        ("\"Error 403\"", NONSENSE),
        ("\"expired on 2026-11-20\"", NONSENSE),
        ("\"\"", NONSENSE),
        ("\"many\"", NONSENSE),
        ("\"NaN\"", NONSENSE),
        ("\"Infinity\"", NONSENSE),
        ("\"-inf\"", NONSENSE),
        ("NaN", NONSENSE),
        ("1e999", NONSENSE),
        ("null", NONSENSE),
        ("true", NONSENSE),
        ("[]", NONSENSE),
        ("{}", NONSENSE),
        ("[12.5]", NONSENSE),
    ]
    .into_iter()
    .map(|(amount, expect)| case(provider, body(amount), expect))
    .collect()
}

#[test]
fn amounts_are_read_exactly_or_not_at_all() {
    let mut cases = amounts("uniapi", uniapi_body);
    cases.extend(amounts("tikhub", |amount| format!(r#"{{"code":200,"user_data":{{"balance":{amount}}}}}"#)));
    cases.extend(amounts("volc", |amount| {
        format!(r#"{{"ResponseMetadata":{{}},"Result":{{"AvailableBalance":{amount}}}}}"#)
    }));
    cases.extend(amounts("aliyun", |amount| {
        format!(r#"{{"Code":"200","Success":true,"Data":{{"AvailableAmount":{amount},"Currency":"CNY"}}}}"#)
    }));
    cases.extend(amounts("moonshot", |amount| {
        format!(r#"{{"code":0,"status":true,"data":{{"available_balance":{amount}}}}}"#)
    }));
    cases.extend(amounts("siliconflow", |amount| {
        format!(r#"{{"code":20000,"status":true,"data":{{"balance":"99","totalBalance":{amount}}}}}"#)
    }));
    cases.extend(amounts("deepseek", |amount| {
        format!(r#"{{"is_available":true,"balance_infos":[{{"currency":"CNY","total_balance":{amount}}}]}}"#)
    }));
    judge(cases);
}

#[test]
fn openrouter_answers() {
    let credits =
        |credits: &str, usage: &str| format!(r#"{{"data":{{"total_credits":{credits},"total_usage":{usage}}}}}"#);
    judge(vec![
        case("openrouter", OPENROUTER, Balance(74.75)),
        case("openrouter", credits("10", "12.5"), Balance(-2.5)),
        case("openrouter", credits("100", "100"), Balance(0.0)),
        case("openrouter", credits("100", "0"), Balance(100.0)),
        // Decimals, not floats: in binary this is 0.19999999999999998.
        case("openrouter", credits("0.3", "0.1"), Balance(0.2)),
        case("openrouter", credits("null", "1"), NONSENSE),
        case("openrouter", credits("10", "null"), NONSENSE),
        case("openrouter", credits("NaN", "1"), NONSENSE),
        case("openrouter", r#"{"data":{"total_credits":10}}"#, NONSENSE),
        case("openrouter", r#"{"data":null}"#, NOTHING),
        case("openrouter", r#"{"error":{"code":401,"message":"no auth"}}"#, Fails(&["api", "auth", "decode"])),
    ]);
}

#[test]
fn uniapi_answers() {
    judge(vec![
        case("uniapi", UNIAPI, Balance(10446.05)),
        case("uniapi", r#"{"success":false,"message":"bad","data":{"balance":50}}"#, IN_BAND),
        case("uniapi", r#"{"data":{"balance":50}}"#, NOTHING),
        case("uniapi", r#"{"success":true}"#, NONSENSE),
        case("uniapi", r#"{"success":true,"data":{}}"#, NONSENSE),
    ]);
}

#[test]
fn wxrank_answers() {
    judge(vec![
        case("wxrank", WXRANK, Balance(263_419.0)),
        case("wxrank", r#"{"code":0,"msg":"剩余-5余额"}"#, Balance(-5.0)),
        case("wxrank", r#"{"code":0,"msg":"剩余1,234.5余额"}"#, Balance(1234.5)),
        case("wxrank", r#"{"code":0,"msg":"剩余0余额"}"#, Balance(0.0)),
        case("wxrank", r#"{"code":-1,"msg":"密钥无效"}"#, IN_BAND),
        case("wxrank", r#"{"code":-1,"msg":"剩余263419余额"}"#, IN_BAND),
        case("wxrank", r#"{"msg":"剩余263419余额"}"#, NOTHING),
        case("wxrank", r#"{"code":0,"msg":"没有"}"#, NONSENSE),
        case("wxrank", r#"{"code":0,"msg":"the key expired on 2026-11-20"}"#, NONSENSE),
        case("wxrank", r#"{"code":0,"msg":"请60秒后重试"}"#, NONSENSE),
        case("wxrank", r#"{"code":0,"msg":"剩余3天"}"#, NONSENSE),
        case("wxrank", r#"{"code":0,"msg":"今日已用15次，剩余263余额"}"#, Balance(263.0)),
        case("wxrank", r#"{"code":0}"#, NONSENSE),
    ]);
}

#[test]
fn tikhub_answers() {
    judge(vec![
        case("tikhub", TIKHUB, Balance(99.5)),
        case("tikhub", r#"{"code":200,"data":{"balance":15}}"#, Balance(15.0)),
        case("tikhub", r#"{"code":200,"balance":17}"#, Balance(17.0)),
        case("tikhub", r#"{"code":200,"user_data":{"balance":0},"balance":17}"#, Balance(0.0)),
        case("tikhub", r#"{"code":400,"user_data":{"balance":50}}"#, IN_BAND),
        case("tikhub", r#"{"code":401,"message":"no","user_data":{"balance":50}}"#, IN_BAND),
        Case { status: 403, ..case("tikhub", r#"{"detail":"forbidden"}"#, Fails(&["auth"])) },
    ]);
}

#[test]
fn volc_answers() {
    let error = r#"{"ResponseMetadata":{"Error":{"CodeN":100010,"Code":"SignatureDoesNotMatch","Message":"no"}},"Result":{"AvailableBalance":"50"}}"#;
    judge(vec![
        case("volc", VOLC, Balance(1234.56)),
        case("volc", error, IN_BAND),
        Case { status: 403, ..case("volc", error, Fails(&["auth"])) },
        case("volc", r#"{"ResponseMetadata":{}}"#, NONSENSE),
        case("volc", r#"{"ResponseMetadata":{},"Result":{}}"#, NONSENSE),
        case("volc", r#"{"ResponseMetadata":{},"Result":null}"#, NONSENSE),
    ]);
}

#[test]
fn aliyun_answers() {
    let answer = |code: &str, success: &str| {
        format!(
            r#"{{"Code":{code},"Success":{success},"Message":"m","Data":{{"AvailableAmount":"1,050.25","Currency":"CNY"}}}}"#
        )
    };
    let not_found = r#"{"RequestId":"r","HostId":"business.aliyuncs.com","Code":"InvalidAccessKeyId.NotFound","Message":"Specified access key is not found."}"#;
    judge(vec![
        case("aliyun", answer("\"200\"", "true"), Balance(1050.25)),
        case("aliyun", answer("200", "true"), Balance(1050.25)),
        case("aliyun", answer("\"Success\"", "true"), Balance(1050.25)),
        case("aliyun", answer("\"200\"", "false"), IN_BAND),
        case("aliyun", answer("\"NotApplicable\"", "false"), IN_BAND),
        case("aliyun", answer("\"NotAuthorized\"", "false"), IN_BAND),
        case("aliyun", r#"{"Code":"200","Success":true,"Data":null}"#, NONSENSE),
        case("aliyun", r#"{"Code":"200","Success":true}"#, NONSENSE),
        Case { status: 400, ..case("aliyun", not_found, Fails(&["http_status", "api", "auth"])) },
        Case { status: 404, ..case("aliyun", not_found, Fails(&["http_status", "api", "auth"])) },
    ]);
}

#[test]
fn aliyun_reports_the_currency_of_the_answer() {
    let server = Server::start(|_| {
        Reply::ok(r#"{"Code":"200","Success":true,"Data":{"AvailableAmount":"50.00","Currency":"USD"}}"#)
    });
    let run = Program::check_json(&config(vec![account("A", "aliyun", &server.url())])).run().expect(0);
    assert_eq!(project(&run.report(), "A")["currency"], "USD");
}

#[test]
fn deepseek_answers() {
    let wallets = |usd: &str, cny: &str| {
        format!(
            r#"{{"is_available":true,"balance_infos":[{{"currency":"USD","total_balance":{usd}}},{{"currency":"CNY","total_balance":{cny}}}]}}"#
        )
    };
    let of = |currency: &str, body: String, expect| Case {
        options: json!({"currency": currency}),
        ..case("deepseek", body, expect)
    };
    judge(vec![
        case("deepseek", DEEPSEEK, Balance(110.0)),
        // Which of the wallets holds money changes, and the threshold is meant in one currency.
        case("deepseek", wallets("\"20\"", "\"0\""), Fails(&["api", "config", "decode"])),
        case("deepseek", wallets("20", "30"), Fails(&["api", "config", "decode"])),
        of("USD", wallets("\"20\"", "\"0\""), Balance(20.0)),
        of("USD", wallets("20", "30"), Balance(20.0)),
        of("CNY", wallets("\"20\"", "\"30\""), Balance(30.0)),
        of("USD", wallets("0", "30"), Balance(0.0)),
        of("EUR", wallets("20", "30"), Fails(&["api", "config", "decode"])),
        case("deepseek", r#"{"is_available":true,"balance_infos":[]}"#, Fails(&["api", "config", "decode"])),
        case(
            "deepseek",
            r#"{"is_available":false,"balance_infos":[{"currency":"CNY","total_balance":"50"}]}"#,
            Balance(50.0),
        ),
    ]);
}

#[test]
fn deepseek_reports_the_currency_of_its_wallet() {
    let two =
        r#"{"balance_infos":[{"currency":"USD","total_balance":"0.00"},{"currency":"CNY","total_balance":"110.00"}]}"#;
    let server = Server::start(move |request| Reply::ok(if request.case() == "two" { two } else { DEEPSEEK }));
    let mut dollars = account("dollars", "deepseek", &format!("{}/two", server.url()));
    dollars["currency"] = json!("USD");
    let only = account("only", "deepseek", &format!("{}/one", server.url()));
    let run = Program::check_json(&config(vec![only, dollars])).run().expect(2);
    let report = run.report();
    assert_eq!(project(&report, "only")["currency"], "CNY");
    assert_eq!(project(&report, "dollars")["currency"], "USD");
}

#[test]
fn moonshot_answers() {
    judge(vec![
        case("moonshot", MOONSHOT, Balance(49.58894)),
        case("moonshot", r#"{"code":1,"status":false,"data":{"available_balance":50}}"#, IN_BAND),
        case("moonshot", r#"{"code":0,"status":false,"data":{"available_balance":50}}"#, IN_BAND),
        case("moonshot", r#"{"code":0,"status":true,"data":{}}"#, NONSENSE),
    ]);
}

#[test]
fn siliconflow_answers() {
    judge(vec![
        case("siliconflow", SILICONFLOW, Balance(88.88)),
        case("siliconflow", r#"{"code":20012,"status":false,"data":{"totalBalance":"50"}}"#, IN_BAND),
        case("siliconflow", r#"{"code":20000,"status":true,"data":{"balance":"50"}}"#, NONSENSE),
        Case { status: 410, ..case("siliconflow", "gone", Fails(&["http_status"])) },
    ]);
}

// ---- OpenRouter's two zeros --------------------------------------------------------------

fn two_zeros(key_answer: Reply) -> (Server, Finished) {
    let server = Server::start(move |request| match request.path() {
        "/api/v1/credits" => Reply::ok(r#"{"data":{"total_credits":0,"total_usage":0}}"#),
        "/api/v1/key" => key_answer.clone(),
        _ => Reply::status(404, "{}"),
    });
    let run = Program::check_json(&config(vec![account("A", "openrouter", &server.url())])).run();
    let paths: Vec<_> = server.requests().iter().map(|request| request.path().to_string()).collect();
    assert_eq!(paths, ["/api/v1/credits", "/api/v1/key"], "{run}");
    for request in server.requests() {
        assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {KEY}")));
    }
    (server, run)
}

#[test]
fn two_zeros_of_a_management_key_are_an_empty_account() {
    let (_server, run) = two_zeros(Reply::ok(r#"{"data":{"is_management_key":true}}"#));
    let run = run.expect(2);
    let report = run.report();
    assert_eq!(project(&report, "A")["status"], "low");
    assert_eq!(project(&report, "A")["balance"], 0.0);
}

#[test]
fn two_zeros_of_any_other_key_say_nothing() {
    let answers = [
        Reply::ok(r#"{"data":{"label":"sk-or-v1","is_management_key":false}}"#),
        Reply::ok(r#"{"data":{"label":"sk-or-v1"}}"#),
        Reply::ok("<html>"),
        Reply::status(404, "{}"),
        Reply::status(500, "{}"),
        Reply::close(),
    ];
    let mut named = 0;
    for answer in answers {
        let (_server, run) = two_zeros(answer);
        let run = run.expect(3);
        let report = run.report();
        assert_eq!(project(&report, "A")["balance"], Value::Null, "{run}");
        // A key that is known to be the wrong one is named; what could not be asked keeps its own reason.
        if run.stdout.contains("management") {
            assert_eq!(run.reason("A"), "auth", "{run}");
            named += 1;
        }
    }
    assert_eq!(named, 2);
}

#[test]
fn one_zero_needs_no_second_question() {
    let server = Server::start(|_| Reply::ok(r#"{"data":{"total_credits":5,"total_usage":5}}"#));
    let run = Program::check_json(&config(vec![account("A", "openrouter", &server.url())])).run().expect(2);
    assert_eq!(server.hits(), 1, "{run}");
}

// ---- files and own pages -----------------------------------------------------------------

fn from_file(name: &str, path: &str, expression: &str) -> Value {
    json!({"name": name, "provider": "file", "threshold": 10, "options": {"path": path, "balance": expression}})
}

#[test]
fn a_file_is_read_beside_the_config() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let absolute = dir.path().join("absolute.json").display().to_string();
    write("absolute.json", "[1, {\"n\": 77}]");
    write("etc/numbers.json", r#"{"accounts": {"a": "10,000.5", "b": null, "c": -4}}"#);
    write("etc/broken.json", "{");
    let config = config(vec![
        from_file("a", "numbers.json", ".accounts.a"),
        from_file("b", "numbers.json", ".accounts.b"),
        from_file("c", "numbers.json", ".accounts.c"),
        from_file("sum", "numbers.json", ".accounts.c + 20"),
        from_file("absolute", &absolute, ".[1].n"),
        from_file("absent", "no-such-file.json", ".a"),
        from_file("broken", "broken.json", ".a"),
        from_file("missing", "numbers.json", ".accounts.nobody"),
        from_file("wrong", "numbers.json", ".accounts.a.b.c"),
    ]);
    write("etc/config.json", &config.to_string());
    let path = dir.path().join("etc/config.json").display().to_string();
    let run = Program::new(["check", "--output", "json"]).args(["--config", &path]).run().expect(2);
    let report = run.report();
    assert_eq!(project(&report, "a")["balance"], 10_000.5);
    assert_eq!(project(&report, "c")["balance"], -4.0);
    assert_eq!(project(&report, "c")["status"], "low");
    assert_eq!(project(&report, "sum")["balance"], 16.0);
    assert_eq!(project(&report, "absolute")["balance"], 77.0);
    assert_eq!(run.reason("b"), "decode");
    assert_eq!(run.reason("broken"), "decode");
    assert_eq!(run.reason("missing"), "decode");
    run.reason("wrong");
    run.reason("absent");
    let message = project(&report, "absent")["error"]["message"].as_str().unwrap();
    assert!(message.contains("no-such-file.json"), "{message}");
}

fn acme(url: &str) -> String {
    format!(
        r#"
settings: {{ max_retries: 0 }}
providers:
  - id: acme
    title: Acme
    kind: balance
    currency: EUR
    request: {{ url: "{url}/v1/me", headers: {{ Authorization: "Bearer {{api_key}}", X-Team: blue }} }}
    error: 'if .ok == false then .why else null end'
    balance: '.wallet.amount'
projects:
  - {{ name: A, provider: acme, api_key: "acme-key", threshold: 10 }}
"#
    )
}

#[test]
fn an_own_page_is_a_provider_like_any_other() {
    let server = Server::start(|_| Reply::ok(r#"{"ok":true,"wallet":{"amount":"1,042.50"}}"#));
    let run = Program::check_text(&acme(&server.url())).args(["--output", "json"]).run().expect(0);
    let request = server.only_request();
    assert_eq!((&*request.method, &*request.target), ("GET", "/v1/me"));
    assert_eq!(request.header("Authorization"), Some("Bearer acme-key"));
    assert_eq!(request.header("X-Team"), Some("blue"));
    let report = run.report();
    assert_eq!(project(&report, "A")["balance"], 1042.5);
    assert_eq!(project(&report, "A")["currency"], "EUR");
    assert_eq!(project(&report, "A")["provider"], "acme");
}

#[test]
fn an_own_page_can_say_what_an_error_is() {
    let server = Server::start(|_| Reply::ok(r#"{"ok":false,"why":"account is frozen","wallet":{"amount":50}}"#));
    let run = Program::check_text(&acme(&server.url())).args(["--output", "json"]).run().expect(3);
    assert_eq!(run.reason("A"), "api");
    let report = run.report();
    let message = project(&report, "A")["error"]["message"].as_str().unwrap();
    assert!(message.contains("account is frozen"), "{message}");
}

#[test]
fn an_own_page_can_be_asked_elsewhere() {
    let server = Server::start(|_| Reply::ok(r#"{"ok":true,"wallet":{"amount":50}}"#));
    let text = acme("https://api.acme.test")
        .replace("threshold: 10", &format!("threshold: 10, base_url: '{}/gw'", server.url()));
    Program::check_text(&text).args(["--output", "json"]).run().expect(0);
    assert_eq!(server.only_request().target, "/gw/v1/me");
}

#[test]
fn an_own_page_fails_like_any_other() {
    let cases = [
        (Reply::ok("{}"), "decode"),
        (Reply::ok(r#"{"ok":true,"wallet":{"amount":null}}"#), "decode"),
        (Reply::html("<html>12</html>"), "decode"),
        (Reply::status(401, "{}"), "auth"),
        (Reply::status(500, "{}"), "http_status"),
    ];
    for (reply, reason) in cases {
        let server = Server::start(move |_| reply.clone());
        let run = Program::check_text(&acme(&server.url())).args(["--output", "json"]).run().expect(3);
        assert_eq!(run.reason("A"), reason, "{run}");
    }
}

#[test]
fn what_has_no_limit_is_unlimited_and_never_alerts() {
    let server = Server::start(|_| Reply::ok(r#"{"limit":null}"#));
    let hook = Server::start(|_| Reply::ok("{}"));
    let text = format!(
        r#"
settings: {{ max_retries: 0 }}
webhook: {{ type: custom, url: "{}" }}
providers:
  - id: capped
    title: Capped
    kind: quota
    request: {{ url: "{}/v1/key", headers: {{ X-Key: "{{api_key}}" }} }}
    balance: 'if has("limit") then .limit // "unlimited" else null end'
projects:
  - {{ name: A, provider: capped, api_key: "k", threshold: 10, warning_threshold: 20 }}
"#,
        hook.url(),
        server.url()
    );
    let run = Program::check_text(&text).args(["--output", "json"]).run().expect(0);
    let report = run.report();
    let account = project(&report, "A");
    assert_eq!(account["status"], "unlimited", "{run}");
    assert_eq!(account["balance"], Value::Null, "no number: {run}");
    assert_eq!(account["ratio"], Value::Null, "{run}");
    assert_eq!(account["error"], Value::Null, "{run}");
    assert_eq!(hook.hits(), 0);

    let run = Program::check_text(&text).args(["--output", "nagios"]).run().expect(0);
    assert!(!run.stdout.contains('|'), "no number, no performance data: {run}");
}
