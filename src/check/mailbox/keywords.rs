//! The words that make a mail an alert: one automaton over its text. Chinese words match anywhere, Latin ones as words only.

use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// Phrases that vendors use when an account runs dry. They decide alone in a mail of a few words (`engine::short`).
pub const DEFAULT: [&str; 77] = [
    "欠费",
    "余额不足",
    "余额预警",
    "余额告警",
    "即将到期",
    "已到期",
    "续费提醒",
    "续费通知",
    "账单逾期",
    "缴费通知",
    "请及时续费",
    "停机",
    "暂停服务",
    "服务即将暂停",
    "充值提醒",
    "overdue",
    "past due",
    "payment due",
    "payment overdue",
    "low balance",
    "insufficient balance",
    "balance alert",
    "expiring soon",
    "expired",
    "expiration notice",
    "renewal reminder",
    "renewal notice",
    "renew now",
    "payment reminder",
    "payment required",
    "bill overdue",
    "service suspension",
    "service suspended",
    "suspended",
    "recharge reminder",
    "top up",
    "account suspended",
    "unpaid invoice",
    "outstanding balance",
    "payment failed",
    "已不足您设置的预警值",
    "低于预警",
    "低于您设置的",
    "余额提醒",
    "余额较低",
    "请及时充值",
    "停服通知",
    "资源释放",
    "释放通知",
    "欠费隔离",
    "催缴",
    "自动续费失败",
    "扣款失败",
    "扣费失败",
    "付款失败",
    "账户冻结",
    "流量包即将用尽",
    "资源包即将用尽",
    "到期提醒",
    "到期通知",
    "域名到期",
    "餘額不足",
    "残高不足",
    "credit balance is too low",
    "auto-recharge failed",
    "auto top-up failed",
    "payment was declined",
    "payment method declined",
    "running low",
    "usage limit reached",
    "quota exceeded",
    "update your payment",
    "final notice",
    "will be suspended",
    "past-due",
    "trial ends",
    "card expiring",
];

/// Words to look for.
pub struct Keywords {
    words: Vec<String>,
    /// Made for the first text: most runs read no mail.
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Keywords {
    /// These words; empty ones are left out. Without any, nothing matches.
    pub fn new(words: impl IntoIterator<Item = String>) -> Keywords {
        let mut seen: HashSet<String> = HashSet::new();
        let words = words.into_iter().map(|word| word.trim().to_owned());
        let words = words.filter(|word| !word.is_empty() && seen.insert(word.clone())).collect();
        Keywords { words, automaton: OnceLock::new() }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words in a text, as they are spelt in the list and in its order, each once. Where words overlap, the one that
    /// begins first counts, of two that begin together the one that stands first in the list.
    pub fn find(&self, text: &str) -> Vec<String> {
        let automaton = self.automaton.get_or_init(|| {
            let folded: Vec<String> = self.words.iter().map(|word| fold(word)).collect();
            // Only a list that is too large for memory fails, and then nothing matches.
            if folded.is_empty() { None } else { AhoCorasick::new(&folded).ok() }
        });
        let Some(automaton) = automaton else {
            return Vec::new();
        };
        let text = fold(text);
        let mut matches: Vec<(usize, usize, usize)> = automaton
            .find_overlapping_iter(&text)
            .filter(|found| is_word(&text, found.start(), found.end()))
            .map(|found| (found.start(), found.pattern().as_usize(), found.end()))
            .collect();
        matches.sort_unstable();
        let mut end = 0;
        let mut found: Vec<usize> = Vec::new();
        for (start, word, until) in matches {
            if start >= end {
                end = until;
                found.push(word);
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|word| self.words[word].clone()).collect()
    }
}

/// Brings different ways to write the same together: case, full-width forms, invisible characters, runs of white space.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_space = false;
    for c in text.chars() {
        let c = match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                continue;
            }
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            c if c.is_whitespace() || c.is_control() => ' ',
            c => c,
        };
        if c == ' ' {
            is_space = true;
            continue;
        }
        if std::mem::take(&mut is_space) {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Whether a match does not begin or end inside a Latin word: "expired" is not in "unexpired".
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let is_latin = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let splits = |at: usize| at > 0 && is_latin(at - 1) && is_latin(at);
    !splits(start) && !splits(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn default() -> Keywords {
        Keywords::new(DEFAULT.map(str::to_owned))
    }

    #[test]
    fn words_are_found_where_they_are_words() {
        let keywords = default();
        for (text, want) in [
            ("Payment Overdue Notice", &["payment overdue"][..]),
            ("Your account suspended yesterday", &["account suspended"]),
            ("余额不足告警\n您的账户已欠费，请及时续费", &["欠费", "余额不足", "请及时续费"]),
            ("laptop upgrade", &[]),
            ("top up now", &["top up"]),
            ("TOP\n  UP", &["top up"]),
            ("this is unexpired", &[]),
            ("it has expired.", &["expired"]),
            ("expired2", &[]),
            ("已expired了", &["expired"]),
            ("余额 不足", &[]),
            ("余\u{200b}额不\u{feff}足", &["余额不足"]),
            ("ｏｖｅｒｄｕｅ", &["overdue"]),
            ("OVERDUE", &["overdue"]),
            ("餘額不足提醒", &["餘額不足"]),
            ("残高不足のお知らせ", &["残高不足"]),
            ("【阿里云】尊敬的用户：您的可用额度为1.43元，已不足您设置的预警值5.00元", &["已不足您设置的预警值"]),
            ("Your credit balance is too low to access the API", &["credit balance is too low"]),
            ("", &[]),
        ] {
            assert_eq!(keywords.find(text), want, "{text}");
        }
    }

    #[test]
    fn own_words_keep_their_spelling_and_empty_lists_match_nothing() {
        let own = Keywords::new(["Renew", "配额不足", " ", "Renew"].map(str::to_owned));
        assert_eq!(own.find("请尽快 renew"), ["Renew"]);
        assert_eq!(own.find("配额不足"), ["配额不足"]);
        assert!(own.find("renewal").is_empty());
        assert!(Keywords::new(["", " "].map(str::to_owned)).find("anything").is_empty());
        assert!(Keywords::new([]).find("").is_empty());
    }

    #[test]
    fn a_bomb_of_words_is_read_once() {
        let found = default().find(&"余额不".repeat(100_000));
        assert!(found.is_empty());
        assert_eq!(default().find(&"余额不足".repeat(100_000)), ["余额不足"]);
        let nested = Keywords::new((1..60).map(|n| "a".repeat(n)));
        assert!(nested.find(&"a".repeat(2000)).is_empty());
    }

    #[test]
    fn the_defaults_are_distinct() {
        let mut words = DEFAULT.to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), DEFAULT.len());
    }
}
