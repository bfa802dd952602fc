//! Qiniu's older signature. Source: "Access Token" of the storage's API reference in its version 6 with the example there, and the
//! official SDK for Python (July 2026).

use std::collections::BTreeMap;

use super::Unsigned;
use super::qiniu::{authorization, target};

/// `Authorization: QBox`: the headers to add.
pub(super) fn sign(request: &Unsigned) -> BTreeMap<String, String> {
    let is_form = request.header("content-type") == Some("application/x-www-form-urlencoded");
    let text = format!("{}\n{}", target(request), if is_form { request.body } else { "" });
    authorization("QBox", request, &text)
}

#[cfg(test)]
mod tests {
    use super::super::Pair;
    use super::*;

    #[test]
    fn qbox_gives_the_published_and_the_official_sdks_signatures() {
        let callback = "name=sunflower.jpg&hash=Fn6qeQi4VDLQ347NiRm-RlQx_4O2&location=Shanghai&price=1500.00&uid=123";
        let moved = "/move/bmV3ZG9jczpmaW5kX21hbi50eHQ=/bmV3ZG9jczpmaW5kLm1hbi50eHQ=";
        for (id, secret, path, kind, body, want) in [
            ("MY_ACCESS_KEY", "MY_SECRET_KEY", moved, "", "", "FXsYh0wKHYPEsIAgdPD9OfjkeEM="),
            // What is no form is not signed.
            ("MY_ACCESS_KEY", "MY_SECRET_KEY", moved, "application/json", "{}", "FXsYh0wKHYPEsIAgdPD9OfjkeEM="),
            (
                "abcdefghklmnopq",
                "1234567890",
                "/callback",
                "application/x-www-form-urlencoded",
                callback,
                "T7F-SjxX7X2zI4Fc1vANiNt1AUE=",
            ),
        ] {
            let signed = sign(&Unsigned {
                method: "POST",
                host: "rs.qiniu.com".into(),
                url: "",
                path,
                query: &[],
                body,
                headers: &BTreeMap::from([("content-type".to_owned(), kind.to_owned())]),
                options: &BTreeMap::new(),
                pair: Pair { id, secret },
                nonce: String::new(),
                now: "2026-11-30T12:00:00Z".parse().unwrap(),
            });
            assert_eq!(signed["authorization"], format!("QBox {id}:{want}"));
        }
    }
}
