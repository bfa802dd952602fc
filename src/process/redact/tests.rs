//! Every form in which a secret can come back, and what must stay as it is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::utf8_percent_encode;

use super::*;

fn knowing(secrets: &[&str]) -> Redactor {
    let redactor = Redactor::default();
    secrets.iter().for_each(|secret| redactor.learn(secret));
    redactor
}

fn between(secret: &str, what: &str) -> String {
    secret.chars().map(|c| format!("{c}{what}")).collect()
}

fn each(secret: &str, form: impl Fn(u32) -> String) -> String {
    secret.chars().map(|c| form(c as u32)).collect()
}

fn hex(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, text::UNRESERVED).to_string()
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap().trim_matches('"').to_owned()
}

fn base32(bytes: &[u8]) -> String {
    let digit = |bits: &[u8]| {
        let value = (0..5).fold(0, |value, at| value << 1 | bits.get(at).copied().unwrap_or_default());
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(value)])
    };
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(5).map(digit).collect()
}

/// All ways in which a peer may send a secret back.
fn echoes(secret: &str) -> Vec<(String, String)> {
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut echoes: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, text: String| echoes.push((what.to_owned(), text));
    add("as it is", secret.to_owned());
    add("in capitals", secret.to_uppercase());
    add("in small letters", secret.to_lowercase());
    for (what, mark) in [
        ("zero-width space", "\u{200B}"),
        ("soft hyphen", "\u{AD}"),
        ("bidirectional", "\u{202E}"),
        ("isolate", "\u{2066}"),
        ("word joiner", "\u{2060}"),
        ("byte order mark", "\u{FEFF}"),
        ("combining acute", "\u{301}"),
        ("grapheme joiner", "\u{34F}"),
        ("variation selector", "\u{FE0F}"),
        ("tag", "\u{E0041}"),
        ("filler", "\u{3164}"),
        ("control", "\u{1}"),
        ("NUL", "\0"),
    ] {
        add(what, between(secret, mark));
        add(&format!("{what} once"), format!("{}{mark}{}", &secret[..3], &secret[3..]));
        add(&format!("{what} in base64"), STANDARD.encode(between(secret, mark)));
        add(&format!("{what} in JSON"), json(&between(secret, mark)));
    }
    for (what, entity) in [("named", "&shy;"), ("decimal", "&#8203;"), ("hexadecimal", "&#x200b;"), ("open", "&#8203")]
    {
        // An open reference would swallow digits that follow.
        let text = between(secret, entity);
        if what != "open" || !secret.chars().any(|c| c.is_ascii_digit()) {
            add(&format!("{what} zero-width entities"), text);
        }
    }
    add(
        "full width",
        each(secret, |c| char::from_u32(if (0x21..0x7F).contains(&c) { c + 0xFEE0 } else { c }).unwrap().into()),
    );
    add("accented", secret.replace('a', "á").replace('e', "é").replace('n', "ñ"));
    add("percent", percent(secret));
    add("percent in small letters", percent(secret).to_lowercase());
    add("percent, twice", percent(&percent(secret)));
    add("percent, all of it", each(secret, |c| format!("%{c:02X}")));
    add("percent, all of it, twice", percent(&each(secret, |c| format!("%{c:02X}"))));
    add("JSON", json(secret));
    add("JSON, twice", json(&json(secret)));
    add("JSON, three times", json(&json(&json(secret))));
    add("JSON, code points", each(secret, |c| format!("\\u{c:04x}")));
    add("JSON, code points, twice", json(&each(secret, |c| format!("\\u{c:04X}"))));
    add("JSON, escaped slashes", json(secret).replace('/', "\\/"));
    add("C escapes", each(secret, |c| format!("\\x{c:02x}")));
    add("rust escapes", each(secret, |c| format!("\\u{{{c:x}}}")));
    add("HTML, named", html.clone());
    add("HTML, twice", html.replace('&', "&amp;"));
    add("HTML, decimal", each(secret, |c| format!("&#{c};")));
    add("HTML, decimal with zeros", each(secret, |c| format!("&#{c:07};")));
    add("HTML, hexadecimal", each(secret, |c| format!("&#x{c:x};")));
    add("HTML, hexadecimal in capitals", each(secret, |c| format!("&#X{c:X};")));
    add("HTML in JSON", json(&html));
    add("JSON in HTML", json(secret).replace('&', "&amp;").replace('"', "&#34;"));
    add("percent in JSON in HTML", json(&percent(secret)).replace('%', "&percnt;"));
    for (name, engine) in [
        ("standard", &STANDARD),
        ("bare", &STANDARD_NO_PAD),
        ("for addresses", &URL_SAFE),
        ("bare for addresses", &URL_SAFE_NO_PAD),
    ] {
        for before in ["", "u", "us", "user:", "user.name:", "a:b"] {
            for after in ["", "\n", ":x", "tail"] {
                let pair = engine.encode(format!("{before}{secret}{after}"));
                add(&format!("base64, {name}, {before}?{after}"), format!("Basic {pair}"));
            }
        }
        let long = engine.encode(format!("{} {secret} and more of it", "x".repeat(50)));
        let wrapped = |ending: &str| {
            long.as_bytes()
                .chunks(19)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect::<Vec<_>>()
                .join(ending)
        };
        add(&format!("base64, {name}, wrapped"), wrapped("\r\n"));
        add(&format!("base64, {name}, folded"), wrapped("\n    "));
        add(&format!("base64, {name}, wrapped in JSON"), json(&wrapped("\n")));
        add(&format!("base64, {name}, percent"), percent(&engine.encode(secret)));
        add(&format!("base64, {name}, twice"), engine.encode(engine.encode(format!("k={secret}"))));
        add(&format!("base64, {name}, of JSON"), engine.encode(format!("{{\"key\":\"{}\"}}", json(secret))));
        add(&format!("base64, {name}, of percent"), engine.encode(format!("key={}", percent(secret))));
    }
    add("hexadecimal", hex(secret.as_bytes(), ""));
    add("hexadecimal in capitals", hex(secret.as_bytes(), "").to_uppercase());
    add("hexadecimal, odd", format!("0{}", hex(secret.as_bytes(), "")));
    add("hexadecimal with 0x", format!("0x{}", hex(secret.as_bytes(), "")));
    add("hexadecimal with colons", hex(secret.as_bytes(), ":"));
    add("hexadecimal with blanks", hex(secret.as_bytes(), " "));
    let reversed: String = secret.chars().rev().collect();
    add("reversed", reversed.clone());
    add("reversed for the eye", format!("\u{202E}{reversed}\u{202C}"));
    add("reversed in base64", STANDARD.encode(&reversed));
    add("octal", each(secret, |c| format!("\\{c:03o}")));
    add("octal in JSON", json(&each(secret, |c| format!("\\{c:03o}"))));
    add("quoted-printable", each(secret, |c| format!("={c:02X}")));
    add("base32", base32(secret.as_bytes()));
    add("base32 in small letters", base32(secret.as_bytes()).to_lowercase());
    for (what, separator) in [("commas", ", "), ("blanks", " ")] {
        add(&format!("bytes, decimal, with {what}"), each(secret, |c| format!("{c}{separator}")));
        add(&format!("bytes, hexadecimal, with {what}"), each(secret, |c| format!("0x{c:02X}{separator}")));
    }
    add("hexadecimal of base64", hex(STANDARD.encode(secret).as_bytes(), ""));
    add("base64 of hexadecimal", STANDARD.encode(hex(secret.as_bytes(), "")));
    echoes
}

/// Whether a reader who knows how could find the secret in a text.
fn is_in(secret: &str, text: &str) -> bool {
    let squeezed = |text: &str| {
        let kept = text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !text::is_invisible(*c));
        kept.collect::<String>().to_lowercase()
    };
    let text = squeezed(text);
    let forms = [
        secret.to_owned(),
        percent(secret),
        json(secret),
        each(secret, |c| format!("%{c:02x}")),
        each(secret, |c| format!("&#{c};")),
        each(secret, |c| format!("&#x{c:x};")),
        each(secret, |c| format!("\\u{c:04x}")),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex(secret.as_bytes(), ""),
    ];
    forms.iter().any(|form| text.contains(&squeezed(form)))
}

#[test]
fn every_form_of_a_secret_is_masked() {
    for secret in [
        "sk-a/b+c=\"d&e<f>g",
        "Passw0rd!",
        "e1ef79ab40c7cafe12",
        "9876543210",
        "1234567",
        "a%41b\\u0041&amp;c",
        "hunter2x",
    ] {
        let redactor = knowing(&[secret]);
        for (what, echo) in echoes(secret) {
            let text = format!("the key \"{echo}\" is bad");
            let clean = redactor.clean(&text);
            assert!(clean.contains(MASK), "{secret}, {what}: {text:?} gives {clean:?}");
            assert!(!is_in(secret, &clean), "{secret}, {what}: {text:?} gives {clean:?}");
            assert!(clean.starts_with("the key \"") && clean.ends_with("\" is bad"), "{secret}, {what}: {clean:?}");
        }
    }
}

#[test]
fn a_secret_that_is_wrapped_is_masked() {
    let secret = "sk-0123456789abcdefghijklmnop";
    let redactor = knowing(&[secret]);
    for ending in ["\n", "\r\n", "\n   ", " ", "\t", "\u{A0}", "<br>".get(..0).unwrap()] {
        let echo = format!("bad key: {}{ending}{}, sorry", &secret[..11], &secret[11..]);
        assert_eq!(redactor.clean(&echo), "bad key: ***, sorry", "{ending:?}");
    }
}

#[test]
fn short_keys_and_words_are_masked_where_they_stand_alone() {
    for (secret, said, want) in [
        ("abc", "bad key abc", "bad key ***"),
        ("abc", "key=abc&x=1", "key=***&x=1"),
        ("abc", "ABC, “abc”", "***, “***”"),
        ("abc", "密钥abc无效", "密钥***无效"),
        ("abc", "a\u{200B}b\u{AD}c!", "***!"),
        ("abc", "abcdef fabc", "abcdef fabc"),
        ("abc", "Basic dTphYmM= or YWJj", "Basic *** or ***"),
        ("k", "key k is bad", "key *** is bad"),
        ("17", "no. 17 of 170", "no. *** of 170"),
        ("test", "the latest test failed", "the latest *** failed"),
        ("test", "key_test: test-key", "key_***: ***-key"),
        ("test", "Basic dXNlcjp0ZXN0", "Basic ***"),
        ("密钥", "坏的 密钥!", "坏的 ***!"),
    ] {
        assert_eq!(knowing(&[secret]).clean(said), want, "{secret}");
    }
}

#[test]
fn words_of_this_program_and_of_the_user_stay() {
    let keys = [
        "test",
        "refused",
        "credential",
        "HTTP",
        "the",
        "1",
        "none",
        "OpenRouter",
        "balance-alert",
        "EMPTY",
        "us-east",
    ];
    let redactor = knowing(&keys);
    let own =
        "the credential was refused (HTTP 401), none of the test keys of OpenRouter, balance-alert: EMPTY us-east";
    assert_eq!(redactor.polish(own), own);
    assert_eq!(redactor.shield(own), own);
    // Numbers could be amounts, so they stay in reports; in a message they are hardly one.
    let redactor = knowing(&["1234567", "9876543210", "4417"]);
    let report = "balance 1234567, threshold 9876543210, 4417 checks";
    assert_eq!(redactor.shield(report), report);
    assert_eq!(redactor.polish("key 1234567 of 4417 in 12345678"), "key *** of *** in 12345678");
}

#[test]
fn what_can_be_nothing_else_never_leaves() {
    let redactor = knowing(&["sk-Live/0123\"x", "short1"]);
    for text in ["name: sk-Live/0123\"x!", "sk-live/0123\"X", r#"{"name":"sk-Live/0123\"x"}"#, "?k=sk-Live%2F0123%22x"]
    {
        let shielded = redactor.shield(text);
        assert!(shielded.contains(MASK) && !shielded.to_lowercase().contains("0123"), "{text}: {shielded}");
    }
    assert!(matches!(redactor.shield("nothing to hide: short1"), Cow::Borrowed(_)));
    // A JSON text stays one.
    let json: serde_json::Value = serde_json::from_str(&redactor.shield(r#"["sk-Live/0123\"x", 1]"#)).unwrap();
    assert_eq!(json, serde_json::json!(["***", 1]));
}

#[test]
fn strength_is_what_else_a_text_could_be() {
    use Strength::{Strong, Weak, Word};
    for (secret, want) in [
        ("abc", Word),
        ("test", Word),
        ("OpenRouter", Word),
        ("not-needed", Word),
        ("密钥", Word),
        ("1234", Weak),
        ("9876543210", Weak),
        ("10,000.00", Weak),
        ("a1b2", Weak),
        ("p@ss", Weak),
        ("LeakFileSecret", Strong),
        ("hunter2x", Strong),
        ("sk-12345", Strong),
        ("P@ssword", Strong),
        ("1234567890123456", Strong),
        ("correct horse battery", Strong),
    ] {
        assert_eq!(Strength::of(secret), want, "{secret}");
    }
}

#[test]
fn what_lets_in_is_learnt_from_an_address() {
    for (address, want) in [
        (
            "https://open.feishu.cn/open-apis/bot/v2/hook/550e8400-e29b-41d4-a716-446655440000",
            vec!["550e8400-e29b-41d4-a716-446655440000"],
        ),
        ("https://hooks.slack.com/services/T0/B0/aB3dE5fG7hI9jK1lM3nO5pQ7", vec!["aB3dE5fG7hI9jK1lM3nO5pQ7"]),
        ("https://h/robot/send?access_token=abc&other=1", vec!["abc"]),
        ("https://user:p%40ss@h/", vec!["p@ss"]),
        ("https://h/v1/projects/my-project-123456/billing-accounts", vec![]),
        ("https://gw-7f8b9c6d5-a1b2c3d4.example/openai-v1", vec![]),
    ] {
        assert_eq!(tokens(&Url::parse(address).unwrap()), want, "{address}");
    }
    for address in
        ["postgres://u:p%40ssw0rd1@h/d", "postgres://u:p%40ssw0rd1@h1:1,h2:2/d", "postgres://h/d?password=p%40ssw0rd1"]
    {
        let redactor = Redactor::default();
        redactor.learn_database(address);
        assert_eq!(redactor.clean("FATAL: p@ssw0rd1 p%40ssw0rd1"), "FATAL: *** ***", "{address}");
    }
}

#[test]
fn the_address_of_a_host_is_no_secret() {
    let redactor = knowing(&["http://127.0.0.1:8080", "https://hooks.example/", "https://hooks.example/in/x"]);
    let own = "goes to `http://127.0.0.1:8080`, https://hooks.example/";
    assert_eq!(redactor.shield(own), own);
    assert_eq!(redactor.shield("https://hooks.example/in/x"), "***");
}

#[test]
fn what_is_only_suspected_hides_nothing_but_what_others_say() {
    let redactor = Redactor::default();
    redactor.suspect("us-east-1");
    redactor.suspect("option-value-aB3dE5fG7hI9");
    redactor.suspect("production");
    let own = "ec2.us-east-1.example: the connection was refused in production";
    assert_eq!(redactor.polish(own), own);
    assert_eq!(redactor.clean("us-east-1 production"), "*** production");
    assert_eq!(redactor.polish("option-value-aB3dE5fG7hI9"), "***");
}

#[test]
fn a_token_that_nobody_has_learnt_is_masked() {
    let redactor = Redactor::default();
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl-_";
    assert_eq!(redactor.clean(&format!("(\"Bearer {token}\")")), "(\"Bearer ***\")");
    assert_eq!(redactor.clean(&between(token, "\u{200B}")), "***");
    assert_eq!(redactor.clean(&token[..50]), "***", "cut off by whoever echoes it");
    assert_eq!(redactor.clean("greyJoyJoyJoyJoy and eyJoy stay"), "greyJoyJoyJoyJoy and eyJoy stay");
}

#[test]
fn a_login_in_an_address_leaves_by_no_exit_and_a_hint_shows_where_it_stands() {
    for (text, want) in [
        ("at http://user:password@host:1", "at http://***@host:1"),
        ("as postgres://<user>:<password>@host/database", "as postgres://<user>:<password>@host/database"),
    ] {
        assert_eq!(shield(text), want);
    }
}

#[test]
fn a_secret_inside_a_longer_one_does_not_leave_a_rest() {
    let redactor = knowing(&["secret-1", "secret-1-longer", "longer-still-9"]);
    assert_eq!(redactor.clean("x secret-1-longer y"), "x *** y");
    assert_eq!(redactor.clean("x secret-1-longer-still-9 y"), "x *** y", "two that overlap");
}

#[test]
fn a_secret_that_was_cut_is_masked() {
    let redactor = knowing(&["sk-or-v1-0123456789abcdefghij", "sk-or-v1-9876543210abcdefgxyz"]);
    for (said, want) in [
        ("bad key sk-or-v1-0123456789ab", "bad key ***"),
        ("bad key sk-or-v1-0123456789...", "bad key ***..."),
        ("bad key ...56789abcdefghij", "bad key ...***"),
        ("keys begin with sk-or-v1-", "keys begin with sk-or-v1-"),
        ("sk-or-v1-0*****ghij", "sk-or-v1-0*****ghij"),
    ] {
        assert_eq!(redactor.clean(said), want);
    }
}

#[test]
fn what_is_learnt_later_is_masked_too() {
    let redactor = knowing(&["first-secret-1"]);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 1..100 {
        let secret = format!("{:016x}", random.u64(..));
        assert_eq!(redactor.clean(&secret), GAP, "nobody knows it, but it looks like one");
        redactor.learn(&secret);
        assert_eq!(redactor.clean(&format!("{secret}. first-secret-1")), "***. ***");
    }
}

#[test]
fn long_words_are_cut_without_leaving_half_a_secret_and_in_little_time() {
    let secret = format!("sk-{}", "0123456789abcdef".repeat(4));
    let redactor = knowing(&[&secret]);
    let start = std::time::Instant::now();
    for filler in [" ", "\u{200B}", "\n", "x", "%20", "\\n", "YWFh", "61", "&#32;", &secret, "%25", "\\\\"] {
        for shift in 0..3 {
            let said = format!("{}{}{secret}", " ".repeat(shift), filler.repeat(40_000 / filler.len()));
            for end in [said.len(), said.len() - 9] {
                let clean = redactor.clean(&said[..said.floor_char_boundary(end)]);
                assert!(!clean.contains("0123456789abcdef"), "{filler:?} gives {clean:?}");
            }
        }
    }
    let nested = (0..12).fold(secret.clone(), |text, _| STANDARD.encode(text));
    assert!(!redactor.clean(&nested).contains(&secret));
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Keys as machines make them, of all lengths.
fn keys() -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut of = |length: usize, hexadecimal: bool| -> String {
        let digit = |random: &mut fastrand::Rng| match hexadecimal {
            true => char::from_digit(random.u32(..16), 16).unwrap(),
            false => random.alphanumeric(),
        };
        std::iter::repeat_with(|| digit(&mut random)).take(length).collect()
    };
    let mut keys: Vec<String> = [20, 24, 32, 40, 128, 256, 1200].iter().map(|length| of(*length, false)).collect();
    keys.extend([32, 64].map(|length| of(length, true)));
    keys.extend(["sk-or-v1-", "sk-proj-", "sk-ant-api03-"].map(|lead| format!("{lead}{}", of(48, false))));
    keys.push("3f2c1a9e-77b1-4c5d-9e2f-0a1b2c3d4e5f".to_owned());
    keys
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// Asserts that nothing of ten letters and digits of a secret is shown.
#[track_caller]
fn expect_nothing_of(secret: &str, clean: &str, what: &str) {
    let shown = letters(clean);
    let secret = letters(secret);
    let lead = ["skorv1", "skproj", "skantapi03"].iter().find(|lead| secret.starts_with(**lead));
    let own = &secret[lead.map_or(0, |lead| lead.len())..];
    for at in 0..=own.len() - 10 {
        let reversed: String = own[at..at + 10].chars().rev().collect();
        let is_shown = shown.contains(&own[at..at + 10]) || shown.contains(&reversed);
        assert!(!is_shown, "{what}: {:?} of {secret} stands in {clean:?}", &own[at..at + 10]);
    }
    assert!(clean.contains(MASK) && clean.starts_with("bad k") && clean.ends_with("orry"), "{what}: {clean:?}");
}

#[test]
fn any_part_of_a_secret_is_masked_wherever_it_lies() {
    for key in keys() {
        let redactor = knowing(&[&key]);
        let length = key.len();
        let mut parts = vec![(1, length - 1), (8, length.min(24)), (0, length / 2), (length / 2, length), (1, length)];
        let mut random = fastrand::Rng::with_seed(5);
        parts.extend((0..30).map(|_| {
            let part = random.usize(16..=length.min(100));
            let start = random.usize(..=length - part);
            (start, start + part)
        }));
        for (start, end) in parts {
            // More would be cut, and the end of the message with it.
            let part = &key[start..end.min(start + 600)];
            for echo in [part.to_owned(), format!("********{part}****"), part.to_uppercase(), hex(part.as_bytes(), "")]
            {
                let clean = redactor.clean(&format!("bad key: {echo}, sorry"));
                expect_nothing_of(&key, &clean, &format!("{start}..{end} as {echo}"));
            }
        }
        let holed = format!("{}**{}", &key[..length / 2 - 1], &key[length / 2 + 1..]);
        expect_nothing_of(
            &key,
            &redactor.clean(&format!("bad key: {}, sorry", &holed[..holed.len().min(1000)])),
            "a hole",
        );
    }
    for (secret, said, want) in [
        ("Tr0ub4dor9", "no: Tr0ub", "no: Tr0ub"),
        ("Tr0ub4dor9", "no: Tr0ub4..", "no: ***.."),
        ("Tr0ub4dor9", "no: ..ub4dor9", "no: ..***"),
        ("sk-9aB3dE5fG7hI", "no: aB3dE5f", "no: ***"),
        ("aB3dE5fG7hI9jK1lM3nO", "no: E5fG7hI9", "no: ***"),
        ("aB3dE5fG7hI9jK1lM3nO", "no: E5fG7hI", "no: E5fG7hI"),
        ("aB3dE5fG7hI9jK1lM3nO", "not aB3dE5 but jK1lM3n", "not *** but ***"),
        ("aB3dE5fG7hI9jK1lM3nO", "/in/aB3dE5/x/fG7hI/y", "/in/***/x/***/y"),
        ("aB3dE5fG7hI9jK1lM3nO", "not aB3dE but aB3dE", "not aB3dE but aB3dE"),
    ] {
        assert_eq!(knowing(&[secret]).clean(said), want, "{secret}");
    }
}

#[test]
fn a_secret_in_pieces_is_masked_whatever_stands_between() {
    const SEPARATORS: [&str; 31] = [
        "-",
        ".",
        "|",
        "·",
        "_",
        "' + '",
        "\" + \"",
        "<br>",
        "<br/>",
        "<wbr>",
        "<!-- -->",
        "</b><b class=\"x1\">",
        "&lt;br&gt;",
        "]]><![CDATA[",
        "=\r\n",
        "\\\n",
        "\n> ",
        "\r\n\t",
        "\\n",
        " | ",
        ", ",
        "', '",
        "\u{1b}[31m",
        "\u{1b}[0m\u{1b}[1;38;5;12m",
        "\u{1b}[K",
        "\u{9b}31m",
        "^[[31m",
        "\\e[31m",
        "\\x1b[0m",
        "\\033[1m",
        "\\u001b[31m",
    ];
    for key in keys().iter().filter(|key| key.len() <= 40) {
        let redactor = knowing(&[key]);
        for separator in SEPARATORS {
            for size in 2..=8 {
                let pieces: Vec<&str> =
                    key.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
                let said = format!("bad key: {}, sorry", pieces.join(separator));
                expect_nothing_of(key, &redactor.clean(&said), &format!("{size} by {separator:?}"));
            }
        }
    }
    let uuid = "3f2c1a9e-77b1-4c5d-9e2f-0a1b2c3d4e5f";
    for form in [uuid.replace('-', ""), uuid.replace('-', "_"), uuid.replace('-', " ").to_uppercase()] {
        assert_eq!(knowing(&[uuid]).clean(&format!("no key {form}.")), "no key ***.");
    }
}

#[test]
fn words_and_names_that_a_secret_holds_stay() {
    for (secret, said) in [
        ("sk-ant-api03-aB3dE5fG7hI9jK1lM3nO", "keys begin with sk-ant-api03-, Bearer sk-ant-api03-..."),
        ("sk-proj-aB3dE5fG7hI9jK1lM3nO", "sk-proj- keys of a project are refused"),
        ("github_pat_11AB3dE5fG7hI9jK1lM3nO", "a github_pat_ is needed"),
        ("my-organization-7hI9jK1lM3nO", "the organization my-organization was not found"),
        ("prod-billing-01-7hI9jK1lM3nO5p", "prod-billing-01 has no access, Billing is off in prod"),
        ("deepseek-v3-7hI9jK1lM3nO5p", "the model deepseek-v3 is gone"),
        ("ap-southeast-1:7hI9jK1lM3nO5p", "no such region: ap-southeast-1"),
        ("unauthorized-credentials!9", "unauthorized: invalid credentials"),
        (
            "https://user:aB3dE5fG7hI9@gw-7f8b9c6d5-a1b2.example:8443/x",
            "gw-7f8b9c6d5-a1b2.example:8443 closed the connection",
        ),
        (
            "https://hooks.slack.com/services/T0/B0/aB3dE5fG7hI9jK1lM3nO5pQ7",
            "https://hooks.slack.com/services/ knows no such hook",
        ),
        ("postgres://app:aB3dE5fG7@127.0.0.1:5432/app", "no database at 127.0.0.1:5432"),
        ("-----BEGIN PRIVATE KEY-----\naB3dE5fG7hI9jK1l", "it does not begin with BEGIN PRIVATE KEY"),
        ("a12345678b20240101c9", "20240101 12345678 are numbers"),
        ("internationalization", "international organization"),
        ("aB3dE5fG7hI9jK1lM3nO", "HTTP 401 at 2024-01-01T12:00:00Z, request 3f2c1a9e77b1, aB3d...M3nO"),
    ] {
        assert_eq!(knowing(&[secret]).clean(said), said, "{secret}");
    }
}

#[test]
fn many_secrets_cost_little_to_learn_and_to_look_for() {
    let mut random = fastrand::Rng::with_seed(3);
    let redactor = Redactor::default();
    let mut last = String::new();
    for _ in 0..50_000 {
        last = std::iter::repeat_with(|| random.alphanumeric()).take(40).collect();
        redactor.learn(&format!("sk-or-v1-{last}"));
    }
    let start = std::time::Instant::now();
    assert_eq!(redactor.clean(&last[4..20]), MASK);
    let built = start.elapsed();
    let start = std::time::Instant::now();
    let text = "the quick brown fox; ".repeat(1_000);
    let masked = redactor.mask(&format!("{text}{}", &last[4..20]));
    assert!(masked.ends_with(MASK) && masked.len() > text.len(), "{}", masked.len());
    let found = start.elapsed();
    assert!(built + found < std::time::Duration::from_secs(60), "{built:?}, {found:?}");
}

#[test]
fn a_secret_of_digits_is_masked_in_groups_too() {
    let redactor = knowing(&["9988776655443"]);
    for said in ["9988-7766-5544-3", "9988 7766 5544 3", "9988\",\"7766\",\"5544\",\"3", "99.88.77.66.55.44.3"] {
        assert_eq!(redactor.mask(&format!("bad key {said}.")), "bad key ***.", "{said}");
    }
    assert_eq!(redactor.mask("9988-7766 of 5544"), "9988-7766 of 5544");
}

#[test]
fn a_secret_of_letters_is_masked_in_groups_too_unless_they_may_be_words() {
    let redactor = knowing(&["hjkzxcvbq", "qwertzuiop", "swordfish", "openrouter", "deepseek", "notfound"]);
    for said in [
        "hjkz-xcvb-q",
        "hjk zxc vbq",
        "HJKZ.XCVB.Q",
        "hj_kz_xc_vb_q",
        "hjk | zxc | vbq",
        "hjkzx-cvbq",
        "qwer tzui op",
        "qw\u{200B}er-tz\u{AD}ui-op",
        "swo-rdf-ish",
        "s&#119;o-rdf-ish",
    ] {
        assert_eq!(redactor.clean(&format!("bad key {said}, sorry")), "bad key ***, sorry", "{said}");
    }
    for said in [
        "a sword fish in the sea",
        "open router, deep seek",
        "the key was not found",
        "hjkz-xcvb is a part",
        "xhjk-zxc-vbq and hjk-zxc-vbqx are others",
        "hjkz-xcvb q has other signs",
    ] {
        assert_eq!(redactor.clean(said), said, "{said}");
    }
}

#[test]
fn a_short_key_of_letters_and_digits_is_found_in_pieces() {
    for secret in ["abc123", "x1y2z3"] {
        let redactor = knowing(&[secret]);
        for mark in ["&", "-", " ", "/", ", ", "<b>"] {
            let said = redactor.clean(&format!("bad: {} (code 7)", between(secret, mark)));
            assert!(!said.contains(between(secret, mark).trim_end_matches(mark)), "{said}");
        }
    }
    assert_eq!(knowing(&["123456"]).clean("of 12 34 56 items"), "of 12 34 56 items");
}

#[test]
fn a_secret_in_another_script_is_found_in_pieces_and_reversed_too() {
    for secret in ["密码安全钥匙很长", "패스워드비밀번호", "ひみつのかぎです", "пароль зимний вечер"]
    {
        let redactor = knowing(&[secret]);
        let turned: String = secret.chars().rev().collect();
        let half = secret.chars().count() / 2;
        let halves =
            secret.char_indices().nth(half).map(|(at, _)| format!("{} {}", &secret[..at], &secret[at..])).unwrap();
        let without_end: String = secret.chars().take(secret.chars().count() - 1).collect();
        for said in [between(secret, "."), between(secret, " "), between(secret, "-"), turned, halves, without_end] {
            let clean = redactor.clean(&format!("The key is wrong, it was {said} so try again"));
            let left = secret.chars().filter(|c| c.is_alphabetic() && clean.contains(*c)).count();
            assert!(left * 3 < secret.chars().count(), "{said}: {clean}");
        }
    }
    let redactor = knowing(&["密码安全钥匙很长"]);
    for said in ["密码错误，请重试", "账户安全", "时间很长"] {
        assert_eq!(redactor.clean(said), said);
    }
}

#[test]
fn any_eight_letters_of_a_key_of_letters_that_were_drawn_are_masked() {
    for key in [
        "vgnxaqhyoprhlhvh",
        "vgnx aqhy oprh lhvh",
        "yojanrudfuxjdxkxwqnq",
        "xncmwpbddhtudwejwoeftfnzfctgbrdv",
        "ieyulkygejqwrcjddumljlprsohseiaraxmehpvw",
        "SRDOIDZBJATVACNDZBGHZSNFDOFVHFXDNMZRJRIW",
    ] {
        let redactor = knowing(&[key]);
        let letters = key.replace(' ', "");
        for length in [8, 10, 12, 14] {
            for start in 0..=letters.len() - length {
                let piece = &letters[start..start + length];
                let clean = redactor.clean(&format!("The key is wrong, it was {piece} so try again"));
                assert!(!clean.contains(piece), "{key}: {clean}");
            }
        }
        let halves = letters.split_at(letters.len() / 2);
        let clean = redactor.clean(&format!("The key is wrong, it was {} and {}", halves.0, halves.1));
        assert!(!clean.contains(halves.0) && !clean.contains(halves.1), "{key}: {clean}");
    }
    let said = "the organization of production and billing in kubernetes has no authentication";
    for key in ["kubernetes-production-billing", "organizationproductionkey", "my authentication organization"] {
        assert_eq!(knowing(&[key]).clean(said), said);
    }
}
