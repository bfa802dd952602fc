//! What a mail is about: the service in its subject, and an amount. Hints for people, never a balance.

use std::str::FromStr;
use std::sync::LazyLock;

use regex_lite::Regex;
use rust_decimal::Decimal;

/// Longest name of a service, in characters.
const MOST_CHARS: usize = 60;
/// An amount, a sign and thousands separators allowed.
const NUMBER: &str = r"([-−]?\s*[0-9][0-9,]*(?:\.[0-9]+)?)";
/// What stands before an amount.
const BEFORE: &str = r"(hk\$|us\$|[¥￥$€]|cny|usd|hkd|eur|rmb|人民币)";
/// What stands after it.
const AFTER: &str = r"(万元|元|美元|港元|欧元|cny|usd|hkd|eur|rmb)";

/// An amount, with its currency where one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How much.
    pub value: Decimal,
    /// In what, as an ISO 4217 code.
    pub currency: Option<&'static str>,
}

/// The service that a subject names in its first brackets: 【…】, […], （…）, (…), tried in this order.
pub fn service(subject: &str) -> Option<String> {
    for (open, close) in [('【', '】'), ('[', ']'), ('（', '）'), ('(', ')')] {
        let inside = subject.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map(|(inside, _)| inside);
        if let Some(inside) = inside.filter(|inside| !inside.trim().is_empty() && !inside.contains('\n')) {
            return Some(crate::text::one_line(inside, MOST_CHARS));
        }
    }
    None
}

/// The amount that a text names first, by how it is introduced: after "余额", after "金额", before "元", after a currency.
pub fn amount(text: &str) -> Option<Amount> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            format!(r"余额\s*(?:仅剩|剩余|不足)?\s*[:为]?\s*{BEFORE}?\s*{NUMBER}\s*{AFTER}?"),
            format!(r"金额\s*[:为]?\s*{BEFORE}?\s*{NUMBER}\s*{AFTER}?"),
            format!(r"()?{NUMBER}\s*{AFTER}"),
            format!(r"{BEFORE}\s*{NUMBER}()?"),
        ]
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
    });
    let text = super::keywords::fold(text);
    PATTERNS.iter().find_map(|pattern| pattern.captures_iter(&text).find_map(|found| read(&found)))
}

fn read(found: &regex_lite::Captures) -> Option<Amount> {
    let part = |index| found.get(index).map(|part| part.as_str()).filter(|part| !part.is_empty());
    let (before, number, after) = (part(1), part(2)?, part(3));
    // A digit before it would make it a part of another number.
    let plain: String = number.replace('−', "-").chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    let mut value = Decimal::from_str(&plain).ok()?;
    if after == Some("万元") {
        value = value.checked_mul(Decimal::from(10_000))?;
    }
    Some(Amount { value: value.normalize(), currency: before.or(after).and_then(currency) })
}

fn currency(word: &str) -> Option<&'static str> {
    Some(match word {
        "¥" | "￥" | "cny" | "rmb" | "人民币" | "元" | "万元" => "CNY",
        "$" | "us$" | "usd" | "美元" => "USD",
        "hk$" | "hkd" | "港元" => "HKD",
        "€" | "eur" | "欧元" => "EUR",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_in_the_first_brackets() {
        for (subject, want) in [
            ("【阿里云】余额不足提醒", Some("阿里云")),
            ("【阿里云】【余额】告警", Some("阿里云")),
            ("[OpenAI] Payment failed", Some("OpenAI")),
            ("余额告警（腾讯云）", Some("腾讯云")),
            ("Low balance (Novita)", Some("Novita")),
            ("(a)【b】", Some("b")),
            ("【阿里云\n】余额告警", None),
            ("【】余额", None),
            ("no brackets", None),
            ("【 never closed", None),
        ] {
            assert_eq!(service(subject).as_deref(), want, "{subject}");
        }
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, want, currency) in [
            ("余额：100.50 元", Some("100.5"), Some("CNY")),
            ("当前金额: 200.00", Some("200"), None),
            ("当前余额 CNY 1000.00", Some("1000"), Some("CNY")),
            ("余额：1,234.56 元", Some("1234.56"), Some("CNY")),
            ("余额：　 66.60 元", Some("66.6"), Some("CNY")),
            ("余额：１２．５０元", Some("12.5"), Some("CNY")),
            ("余额为 -12.00 元", Some("-12"), Some("CNY")),
            ("余额仅剩 3 万元", Some("30000"), Some("CNY")),
            ("余额：,,, 元", None, None),
            ("请及时充值", None, None),
            ("您的可用额度为1.43元，已不足您设置的预警值5.00元", Some("1.43"), Some("CNY")),
            ("Your balance is $4.20", Some("4.2"), Some("USD")),
            ("Amount due: US$ 1,000", Some("1000"), Some("USD")),
            ("HK$20 left", Some("20"), Some("HKD")),
            ("12.50 EUR", Some("12.5"), Some("EUR")),
            ("余额：￥88.88", Some("88.88"), Some("CNY")),
            ("余额：99999999999999999999999999999999999 元", None, None),
            ("call 400-123-456", None, None),
        ] {
            let got = amount(text);
            assert_eq!(got.as_ref().map(|amount| amount.value.to_string()).as_deref(), want, "{text}");
            assert_eq!(got.and_then(|amount| amount.currency), currency, "{text}");
        }
    }
}
