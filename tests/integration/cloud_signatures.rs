//! The signatures of clouds, judged by verifiers that are written from the services' documentation and share no code with the program.

use crate::support::crypto::{base64, hex, hmac_sha1, hmac_sha256, sha1_hex, sha256_hex};
use crate::support::http::{Request, percent_decode};
use crate::support::{Program, Reply, Server, account, config, project};
use serde_json::{Value, json};

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

/// The request as Tencent, Huawei and Amazon sign it.
fn canonical(request: &Request, path: &str, headers: &str, signed: &str) -> String {
    let (method, query, body) = (&request.method, request.raw_query(), sha256_hex(&request.body));
    format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{body}")
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
    let canonical = canonical(request, request.path(), &lines(request, signed)?.to_lowercase(), signed);
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
    let canonical = canonical(request, &format!("{}/", request.path()), &lines(request, signed)?, signed);
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256_hex(canonical.as_bytes()));
    let expected = hex(&hmac_sha256(secret.as_bytes(), to_sign.as_bytes()));
    if part(header, "Signature=")? == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

/// What OVHcloud's clock says; ours is another one.
const OVH_TIME: &str = "1764590400";

fn verify_aws(request: &Request, service: &str, id: &str, secret: &str) -> Result<(), String> {
    let header = request.header("authorization").ok_or("no Authorization")?;
    let (credential, signed) = (part(header, "Credential=")?, part(header, "SignedHeaders=")?);
    let at = request.header("x-amz-date").ok_or("no X-Amz-Date")?;
    let scope = format!("{}/us-east-1/{service}/aws4_request", &at[..8]);
    if credential != format!("{id}/{scope}") || !header.starts_with("AWS4-HMAC-SHA256 ") {
        return Err(header.to_owned());
    }
    if signed != "content-type;host;x-amz-date;x-amz-target" {
        return Err(format!("signed: {signed}"));
    }
    let canonical = canonical(request, request.path(), &lines(request, signed)?, signed);
    let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), &at.as_bytes()[..8]);
    for word in ["us-east-1", service, "aws4_request"] {
        key = hmac_sha256(&key, word.as_bytes());
    }
    let expected = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    if part(header, "Signature=")? == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

fn verify_baidu(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let header = request.header("authorization").ok_or("no Authorization")?;
    let date = request.header("x-bce-date").ok_or("no x-bce-date")?;
    let prefix = format!("bce-auth-v1/{id}/{date}/1800");
    let rest = header.strip_prefix(&format!("{prefix}/")).ok_or(header.to_owned())?;
    let (signed, signature) = rest.split_once('/').ok_or(header.to_owned())?;
    if signed != "content-type;host;x-bce-date" {
        return Err(format!("signed: {signed}"));
    }
    // Only what these headers hold is encoded here.
    let encoded = |value: &str| {
        value.trim().replace('/', "%2F").replace(':', "%3A").replace(';', "%3B").replace(' ', "%20").replace('=', "%3D")
    };
    let lines = signed.split(';').map(|name| format!("{name}:{}", encoded(request.header(name).unwrap_or_default())));
    let canonical = format!(
        "{}\n{}\n{}\n{}",
        request.method,
        request.path(),
        request.raw_query(),
        lines.collect::<Vec<_>>().join("\n")
    );
    let key = hex(&hmac_sha256(secret.as_bytes(), prefix.as_bytes()));
    let expected = hex(&hmac_sha256(key.as_bytes(), canonical.as_bytes()));
    if signature == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

fn verify_ovh(request: &Request, consumer: &str, secret: &str) -> Result<(), String> {
    if request.path().ends_with("/auth/time") {
        return match request.header("x-ovh-signature").or(request.header("x-ovh-consumer")) {
            None => Ok(()),
            Some(_) => Err("the time is asked for with a signature, which a wrong clock spoils".to_owned()),
        };
    }
    let wanted =
        [("x-ovh-application", "the-application"), ("x-ovh-consumer", consumer), ("x-ovh-timestamp", OVH_TIME)];
    if let Some((name, _)) = wanted.iter().find(|(name, value)| request.header(name) != Some(value)) {
        return Err(format!("{name}: {:?}", request.header(name)));
    }
    let address = format!("http://{}{}", request.header("host").ok_or("no host")?, request.target);
    let text = format!("{secret}+{consumer}+{}+{address}+{}+{OVH_TIME}", request.method, request.text());
    let expected = format!("$1${}", sha1_hex(text.as_bytes()));
    if request.header("x-ovh-signature") == Some(&expected) { Ok(()) } else { Err(format!("signature of {address}")) }
}

fn verify_qiniu(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let kind = request.header("content-type").map(|kind| format!("\nContent-Type: {kind}")).unwrap_or_default();
    let host = request.header("host").ok_or("no host")?;
    let text = format!("{} {}\nHost: {host}{kind}\n\n", request.method, request.target);
    let signature = base64(&hmac_sha1(secret.as_bytes(), text.as_bytes())).replace('+', "-").replace('/', "_");
    let expected = format!("Qiniu {id}:{signature}");
    if request.header("authorization") == Some(&expected) { Ok(()) } else { Err(format!("signature of {text:?}")) }
}

/// No page of the catalogue is signed by it, so pages of a user's own are.
fn verify_qbox(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let text = format!("{}\n", request.target);
    let signature = base64(&hmac_sha1(secret.as_bytes(), text.as_bytes())).replace('+', "-").replace('/', "_");
    let expected = format!("QBox {id}:{signature}");
    if request.header("authorization") == Some(&expected) { Ok(()) } else { Err(format!("signature of {text:?}")) }
}

fn verify_ucloud(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    let pairs = request.raw_query().split('&').filter_map(|pair| pair.split_once('='));
    let mut pairs: Vec<(String, String)> = pairs.map(|(k, v)| (percent_decode(k), percent_decode(v))).collect();
    let at = pairs.iter().position(|(name, _)| name == "Signature").ok_or("no Signature")?;
    let (_, signature) = pairs.remove(at);
    if !pairs.contains(&("PublicKey".to_owned(), id.to_owned())) {
        return Err("no PublicKey".to_owned());
    }
    pairs.sort();
    let text: String = pairs.iter().map(|(name, value)| format!("{name}{value}")).collect();
    if signature == sha1_hex(format!("{text}{secret}").as_bytes()) {
        Ok(())
    } else {
        Err(format!("signature of {text:?}"))
    }
}

/// As the SDK for Go asks: the colon of the address is encoded, and signed so.
fn verify_jdcloud(request: &Request, id: &str, secret: &str) -> Result<(), String> {
    if !request.path().ends_with("/v1/regions/cn-north-1/assets%3AdescribeAccountAmount") {
        return Err(request.path().to_owned());
    }
    let header = request.header("authorization").ok_or("no Authorization")?;
    let (credential, signed) = (part(header, "Credential=")?, part(header, "SignedHeaders=")?);
    let at = request.header("x-jdcloud-date").ok_or("no x-jdcloud-date")?;
    let scope = format!("{}/cn-north-1/asset/jdcloud2_request", &at[..8]);
    if credential != format!("{id}/{scope}") || !header.starts_with("JDCLOUD2-HMAC-SHA256 ") {
        return Err(header.to_owned());
    }
    if signed != "content-type;host;x-jdcloud-date;x-jdcloud-nonce" {
        return Err(format!("signed: {signed}"));
    }
    let canonical = canonical(request, request.path(), &lines(request, signed)?, signed);
    let to_sign = format!("JDCLOUD2-HMAC-SHA256\n{at}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = hmac_sha256(format!("JDCLOUD2{secret}").as_bytes(), &at.as_bytes()[..8]);
    for word in ["cn-north-1", "asset", "jdcloud2_request"] {
        key = hmac_sha256(&key, word.as_bytes());
    }
    let expected = hex(&hmac_sha256(&key, to_sign.as_bytes()));
    if part(header, "Signature=")? == expected { Ok(()) } else { Err(format!("signature of {canonical:?}")) }
}

/// Verifies a request by the id and the secret of a credential.
type Verify = fn(&Request, &str, &str) -> Result<(), String>;

/// A cloud, what verifies its signatures, what it answers, and the balance that is read from that.
struct Cloud {
    provider: &'static str,
    verify: Verify,
    answer: fn(&Request) -> &'static str,
    balance: f64,
    /// What an account says beside its credential.
    beside: fn() -> Value,
}

impl Cloud {
    fn account(&self, url: &str, id: &str, secret: &str) -> Value {
        let mut account = account("A", self.provider, url);
        if self.provider == "ovh" {
            account.as_object_mut().unwrap().remove("api_key");
            account["credentials"] = json!({"application": "the-application", "consumer": id, "secret": secret});
        } else {
            account["api_key"] = json!(format!("{id}:{secret}"));
        }
        account.as_object_mut().unwrap().extend((self.beside)().as_object().unwrap().clone());
        account
    }
}

const CLOUDS: [Cloud; 11] = [
    Cloud {
        provider: "tencent",
        verify: verify_tencent,
        answer: |_| TENCENT,
        balance: 96_474.42,
        beside: || json!({}),
    },
    Cloud { provider: "huawei", verify: verify_huawei, answer: |_| HUAWEI, balance: 468.39, beside: || json!({}) },
    Cloud {
        provider: "aws-free-plan",
        verify: |request, id, secret| verify_aws(request, "freetier", id, secret),
        answer: |_| r#"{"accountPlanRemainingCredits":{"amount":174.32,"unit":"USD"}}"#,
        balance: 174.32,
        beside: || json!({}),
    },
    Cloud {
        provider: "aws-costs",
        verify: |request, id, secret| verify_aws(request, "ce", id, secret),
        answer: |_| r#"{"ResultsByTime":[{"Total":{"UnblendedCost":{"Amount":"12.5","Unit":"USD"}}}]}"#,
        balance: 87.5,
        beside: || json!({"budget": 100}),
    },
    Cloud {
        provider: "aws-budget",
        verify: |request, id, secret| verify_aws(request, "budgets", id, secret),
        answer: |_| r#"{"Budget":{"BudgetLimit":{"Amount":"100","Unit":"USD"},"BudgetType":"COST","CalculatedSpend":{"ActualSpend":{"Amount":"40","Unit":"USD"}}}}"#,
        balance: 60.0,
        beside: || json!({"options": {"account": "111122223333", "budget": "all of \"it\""}}),
    },
    Cloud {
        provider: "baidu",
        verify: verify_baidu,
        answer: |_| r#"{"cashBalance":850.0000}"#,
        balance: 850.0,
        beside: || json!({}),
    },
    Cloud {
        provider: "ovh",
        verify: verify_ovh,
        answer: |request| match request.path().rsplit('/').next() {
            Some("time") => OVH_TIME,
            Some("balance") => r#"["PRE PAID"]"#,
            _ => r#"{"amount":{"value":12.5,"currencyCode":"EUR"}}"#,
        },
        balance: 12.5,
        beside: || json!({}),
    },
    Cloud {
        provider: "qiniu",
        verify: verify_qiniu,
        answer: |_| r#"{"status":true,"data":{"api_keys":[{"total_fee":2.5}]}}"#,
        balance: 97.5,
        beside: || json!({"budget": 100}),
    },
    Cloud {
        provider: "ucloud",
        verify: verify_ucloud,
        answer: |_| r#"{"RetCode":0,"AccountInfo":{"AmountAvailable":"120.50"}}"#,
        balance: 120.5,
        beside: || json!({}),
    },
    Cloud {
        provider: "qiniu-cloud",
        verify: verify_qiniu,
        answer: |_| r#"{"code":0,"data":{"available_balance":1250000000,"currency":"CNY"}}"#,
        balance: 12.5,
        beside: || json!({}),
    },
    Cloud {
        provider: "jdcloud",
        verify: verify_jdcloud,
        answer: |_| r#"{"requestId":"1","result":{"availableAmount":"66.80","frozenAmount":"0.00"}}"#,
        balance: 66.8,
        beside: || json!({"currency": "CNY"}),
    },
];

#[test]
fn clouds_accept_the_signatures() {
    for cloud in CLOUDS {
        let Cloud { provider, verify, answer, balance, .. } = cloud;
        for (id, secret) in [("AKIDexample", "secret-of-the-test"), ("AKID+/=", "s:e/c+r=e t")] {
            let server = Server::start(move |request| match verify(request, id, secret) {
                Ok(()) => Reply::ok(answer(request)),
                Err(why) => Reply::status(418, json!({ "why": why }).to_string()),
            });
            for prefix in ["", "/gw"] {
                let account = cloud.account(&format!("{}{prefix}", server.url()), id, secret);
                let run = Program::check_json(&config(vec![account])).run().expect(0);
                assert_eq!(project(&run.report(), "A")["balance"], balance, "{provider}: {run}");
            }
        }
    }
}

#[test]
fn clouds_refuse_another_secret() {
    for cloud in CLOUDS {
        let Cloud { provider, verify, answer, .. } = cloud;
        let server = Server::start(move |request| match verify(request, "AKIDexample", "right") {
            Ok(()) => Reply::ok(answer(request)),
            Err(_) => Reply::status(401, "{}"),
        });
        let account = cloud.account(&server.url(), "AKIDexample", "wrong-secret");
        let run = Program::check_json(&config(vec![account])).run().expect(3);
        assert_eq!(run.reason("A"), "auth", "{provider}: {run}");
        assert!(!run.stdout.contains("wrong-secret") && !run.stderr.contains("wrong-secret"), "{run}");
    }
}

#[test]
fn the_next_page_of_a_signed_answer_is_signed_too() {
    let schemes: [(&str, Verify); 3] = [("ucloud-sha1", verify_ucloud), ("qiniu", verify_qiniu), ("qbox", verify_qbox)];
    for (sign, verify) in schemes {
        let server =
            Server::start(move |request| match (verify(request, "AK", "SK"), request.query("after").as_deref()) {
                (Err(why), _) => Reply::status(418, json!({ "why": why }).to_string()),
                (Ok(()), None) => Reply::ok(r#"{"left":10,"next":"b&c"}"#),
                (Ok(()), Some("b&c")) => Reply::ok(r#"{"left":5,"next":null}"#),
                (Ok(()), Some(_)) => Reply::status(404, "{}"),
            });
        let request =
            json!({"url": format!("{}/v1/left?size=2", server.url()), "query": {"PublicKey": "{credential.id}"}});
        let step = json!({"name": "left", "request": request, "sum": {"left": ".left"},
            "pages": {"next": ".next // null", "query": "after"}});
        let page = json!({"id": "acme", "title": "Acme", "kind": "balance", "unit": "points", "balance": "$bind.left",
            "sign": sign, "credential": {"format": "pair"}, "steps": [step]});
        let mut config = config(vec![json!({"name": "A", "provider": "acme", "api_key": "AK:SK", "threshold": 1})]);
        config["providers"] = json!([page]);
        let run = Program::check_json(&config).run().expect(0);
        assert_eq!(project(&run.report(), "A")["balance"], 15.0, "{sign}: {run}");
    }
}
