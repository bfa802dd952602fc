//! Failures as they may leave this program.

use std::collections::HashMap;

use super::Redactor;
use crate::model::failure::{ANOTHER_HOST, Failure, Peer};
use crate::model::text;

impl Failure {
    /// The same failure without what one request proved itself with: a token or a signature that was made for it, so that
    /// nobody else knows it.
    pub fn hiding<'a>(self, proofs: impl IntoIterator<Item = &'a str>) -> Self {
        let (said, advice) = (self.said().unwrap_or_default(), self.advice().unwrap_or_default());
        if !said.is_empty() || !advice.is_empty() {
            let made = Redactor::default();
            for proof in proofs {
                made.learn(proof);
                // Without the scheme, and the signature alone: `Basic ...`, `..., Signature=...`, `sha256=...`.
                let parts = [proof.split_once(' ').map(|(_, rest)| rest), proof.rsplit_once('=').map(|(_, rest)| rest)];
                parts.into_iter().flatten().filter(|part| part.len() >= 16).for_each(|part| made.learn(part));
            }
            let [said, advice] = made.mask_all([said, advice]);
            return self.saying(said).advising(advice);
        }
        self
    }

    /// The failure as it may leave this program: the message names the host and ends with the peer's words, and nothing in
    /// it is a secret. What the peer advises becomes the hint, through the same gate as its words. To settle a failure twice
    /// changes nothing.
    pub fn settle(self, redactor: &Redactor) -> Self {
        Settler::new(redactor).settle(self)
    }
}

/// Most different texts whose clean form is kept.
const MOST_KEPT: usize = 1000;

/// Settles many failures. Each text is read once, as that takes long and thousands of checks may fail for one reason.
pub(crate) struct Settler<'r> {
    redactor: &'r Redactor,
    polished: HashMap<String, String>,
}

impl<'r> Settler<'r> {
    /// With these secrets, which must be all there are.
    pub(crate) fn new(redactor: &'r Redactor) -> Settler<'r> {
        Settler { redactor, polished: HashMap::new() }
    }

    /// The failure as it may leave this program, as [`Failure::settle`] says.
    pub(crate) fn settle(&mut self, mut failure: Failure) -> Failure {
        let Peer { host, said, advice, leads_to } = failure.take_peer();
        let leads_to = Some(leads_to).filter(|host| !host.is_empty() && !self.redactor.is_telling_host(host));
        let leads_to = leads_to.unwrap_or_default();
        let (said, advice, may_be_named) = self.redactor.clean_failure(&said, &advice, &leads_to);
        if !leads_to.is_empty() && may_be_named {
            failure.message = failure.message.replacen(ANOTHER_HOST, &format!("`{leads_to}`"), 1);
        }
        if !host.is_empty() && !text::names(&failure.message, &host) {
            failure.message = format!("{}: {}", host, failure.message);
        }
        failure.message = self.polish(failure.message);
        if !said.is_empty() {
            failure.message = format!("{}: {said}", failure.message);
        }
        let advice = Some(advice).filter(|advice| !advice.is_empty());
        failure.hint = failure.hint.map(|hint| self.polish(hint)).or(advice);
        failure
    }

    fn polish(&mut self, message: String) -> String {
        if let Some(known) = self.polished.get(&message) {
            return known.clone();
        }
        let polished = self.redactor.polish(&message);
        if self.polished.len() < MOST_KEPT {
            self.polished.insert(message, polished.clone());
        }
        polished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Reason;

    #[test]
    fn a_failure_is_settled_once_names_its_host_once_and_keeps_its_own_words() {
        let redactor = Redactor::default();
        ["sk-12345678", "refused", "abc"].iter().for_each(|secret| redactor.learn(secret));
        for (message, host, said, want) in [
            ("the key was refused", "h:8080", "", "h:8080: the key was refused"),
            ("the key was refused", "h:8080", "abc refused", "h:8080: the key was refused: *** ***"),
            ("the key was refused", "", "bad\nkey", "the key was refused: bad key"),
            ("the Pushgateway at h:8080: no", "h:8080", "", "the Pushgateway at h:8080: no"),
            ("not asked: `h:8080` failed", "h:8080", "", "not asked: `h:8080` failed"),
            ("at h:80801", "h:8080", "", "h:8080: at h:80801"),
            ("ah:8080", "h:8080", "", "h:8080: ah:8080"),
            ("sk-12345678 in it", "h", "", "h: *** in it"),
        ] {
            let failure = Failure::new(Reason::Auth, message).at(host).saying(said).settle(&redactor);
            assert_eq!(failure.message, want);
            assert_eq!(failure.clone().at(host).settle(&redactor), failure, "twice is once");
            assert_eq!(Failure::without_host(&failure.message, host), want.trim_start_matches(&format!("{host}: ")));
        }
        let failure = Failure::new(Reason::Auth, "x").at("first").at("second").settle(&redactor);
        assert_eq!(failure.message, "first: x", "who is nearer to the fault knows better");
    }

    #[test]
    fn what_a_peer_advises_passes_the_same_gate_as_its_words() {
        let redactor = Redactor::default();
        redactor.learn("swordfish-9aX3dE5");
        let said = "key c3dvcmRmaXNoLTlhWDNkRTU=, 5Ed3Xa9-hsifdrows, jane@corp.example\n\u{1b}[2J";
        let settled = Failure::new(Reason::Api, "x").saying(said).advising(said).settle(&redactor);
        let (hint, words) = (settled.hint.unwrap(), redactor.clean(said));
        assert_eq!((settled.message, hint.as_str()), (format!("x: {words}"), words.as_str()));
        assert!(words.starts_with("key ***, ***, ..."), "{words}");
        let settled = Failure::new(Reason::Api, "x").advising("no ".repeat(1000)).settle(&redactor);
        assert!(settled.hint.unwrap().chars().count() <= 300);
        let settled = Failure::new(Reason::Api, "x").with_hint("own").advising("theirs").settle(&redactor);
        assert_eq!(settled.hint.as_deref(), Some("own"));
        let failure = Failure::new(Reason::Api, "x").advising("Bearer abcdef").hiding(["Bearer abcdef"]);
        assert!(!failure.describe().contains("abcdef"), "{}", failure.describe());
    }

    #[test]
    fn what_was_made_for_one_request_is_hidden() {
        let signature = "0f".repeat(32);
        for proof in [
            format!("Bearer {signature}"),
            format!("sha256={signature}"),
            format!("HMAC-SHA256 Credential=AK/x, SignedHeaders=host, Signature={signature}"),
        ] {
            let said = format!("bad {signature}, {proof}");
            let failure = Failure::new(Reason::Auth, "x").saying(said).hiding([proof.as_str()]);
            assert!(!failure.describe().contains("0f0f"), "{}", failure.describe());
        }
    }
}
