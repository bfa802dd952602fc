use std::collections::BTreeMap;

use super::*;

/// What an expression gives for an answer of these bytes.
fn taken(form: Form, kind: &str, body: &[u8], code: &str) -> Result<Option<Shape>, String> {
    let headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
    let body = parsed(form, &Answer { status: 200, headers: &headers, body })?;
    Expression::compile(code).unwrap().run(&body, &Variables::default()).map_err(|trouble| trouble.message)
}

#[test]
fn a_number_is_read_in_the_charset_of_the_answer_and_never_cut_at_what_cannot_be_read() {
    let pattern = "capture(\"(?<v>[0-9.]+)\").v";
    for (kind, body) in [
        ("text/plain; charset=iso-8859-1", &b"Balance: 1\xa0234.50 USD"[..]),
        ("text/plain; charset=windows-1252", b"Balance: \x96234.50 USD"),
        ("text/plain; charset=gbk", b"\xd3\xe0\xb6\xee: 1\xa3\xac234.50 USD"),
        ("text/plain; charset=cp932", b"\x8ec\x8d\x82: \x81|234.50 USD"),
        ("text/plain", b"Balance: 1\xa0234.50 USD"),
        ("text/plain", b"Balance: \x96234.50 USD"),
        ("text/plain", b"Balance: \x96USD 234.50"),
    ] {
        for code in ["capture(\"(?<v>[0-9.]+) USD\").v", pattern] {
            let got = taken(Form::Text, kind, body, code);
            assert!(!matches!(got, Ok(Some(Shape::Text(_) | Shape::Number(_)))), "{kind} {body:?}: {got:?}");
        }
    }
    for (kind, body) in [
        ("text/plain; charset=iso-8859-1", &b"\xa3234.50"[..]),
        ("text/plain; charset=windows-1252", b"234.50 \x80"),
        ("text/plain; charset=gbk", b"\xd3\xe0\xb6\xee\xa3\xba234.50\xd4\xaa"),
        ("text/plain", "余额：234.50元".as_bytes()),
    ] {
        let got = taken(Form::Text, kind, body, pattern);
        assert!(matches!(&got, Ok(Some(Shape::Text(text))) if text == "234.50"), "{kind} {body:?}: {got:?}");
    }
    let json = b"{\"m\": \"\xd3\xe0\xb6\xee 5\"}";
    let got = taken(Form::Json, "application/json; charset=GB2312", json, ".m");
    assert!(matches!(&got, Ok(Some(Shape::Text(text))) if text == "余额 5"), "{got:?}");
}

#[test]
fn xml_is_read_in_the_encoding_that_it_declares() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r><n>\xe9t\xe9</n></r>";
    let cyrillic = b"<?xml version='1.0' encoding='windows-1251'?><r><n>\xe1\xe0\xeb\xe0\xed\xf1</n></r>";
    for (kind, body, want) in [("text/xml", &latin[..], "été"), ("", &cyrillic[..], "баланс")] {
        let got = taken(Form::Xml, kind, body, ".r.n");
        assert!(matches!(&got, Ok(Some(Shape::Text(text))) if text == want), "{got:?}");
    }
    assert!(taken(Form::Xml, "", b"<r>\xe9t\xe9</r>", ".r").is_err());
}
