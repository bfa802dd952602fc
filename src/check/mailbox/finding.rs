//! What a mail is about: the service in its subject, and an amount. Hints for people, never a balance.

use super::amounts::{self, shown};
pub use super::amounts::{Amount, Role, ShownAmount};
use super::mail::Mail;

/// Longest name of a service, in characters.
const MOST_CHARS: usize = 60;

/// The service that a subject names in its first brackets: 【…】, […], （…）, (…), tried in this order.
pub fn service(subject: &str) -> Option<String> {
    for (open, close) in [('【', '】'), ('[', ']'), ('（', '）'), ('(', ')')] {
        let inside = subject.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map(|(inside, _)| inside);
        if let Some(inside) = inside.filter(|inside| !inside.trim().is_empty() && !inside.contains('\n')) {
            return Some(crate::model::text::one_line(inside, MOST_CHARS));
        }
    }
    None
}

/// Of a mail's text so much is searched for an amount, in bytes: that search is slow, and the amount stands near the beginning.
pub(super) const MOST_FOR_AMOUNT: usize = 32 * 1024;

/// The amount that a mail is about: of its subject and the text that a reader sees.
pub fn shown_amount(subject: &str, text: &str) -> Option<ShownAmount> {
    shown(subject, crate::model::text::whole_lines(text, MOST_FOR_AMOUNT))
}

/// The amount that a mail's alert tells: the one that is shown, if it is known what it is in.
pub fn told_amount(mail: &Mail) -> Option<ShownAmount> {
    shown_amount(&mail.subject, &mail.shown()).filter(|shown| shown.is_of_known_unit)
}

/// The currency of an amount that stands in a mail and has a sign that several currencies share, such as 元 or `$`, by the mail's
/// other words; none if it has no such sign, or these words do not tell.
pub(crate) fn currency_of_sign(text: &str, amount: &str) -> Option<&'static str> {
    amounts::currency_of_sign(text, amount)
}

#[cfg(test)]
mod tests {
    use super::super::mail;
    use super::*;

    #[test]
    fn a_sign_that_several_currencies_share_is_the_one_of_the_mail() {
        for (text, amount, want) in [
            ("您的账户余额：3.20 元，请及时充值", "3.20 元", Some("CNY")),
            ("您的帳戶餘額：3 元，統一編號 12345678", "3 元", Some("TWD")),
            ("您的帳戶餘額：3 元", "3 元", None),
            ("Your balance: $5", "$5", Some("USD")),
            ("Your balance: 5 USD", "5 USD", None),
            ("Your balance: 5", "5", None),
        ] {
            assert_eq!(currency_of_sign(text, amount), want, "{text}");
        }
    }

    #[test]
    fn an_alert_tells_an_amount_only_with_what_it_is_in() {
        for (body, is_told) in [
            ("您的账户余额：3 元", true),
            ("您的帳戶餘額：3 元", false),
            ("您的帳戶餘額：$3", false),
            ("Your balance: 5.00", false),
            ("Your balance: $5.00", true),
            ("SMS credits remaining: 12", true),
            ("Points balance: 500", true),
        ] {
            let mail = mail::read(format!("Subject: x\r\n\r\n{body}\r\n").as_bytes());
            assert!(shown_amount(&mail.subject, &mail.shown()).is_some(), "{body}");
            assert_eq!(told_amount(&mail).is_some(), is_told, "{body}");
        }
    }

    #[test]
    fn a_number_that_the_bound_cuts_is_not_told() {
        for offset in 0..24 {
            let text = format!(
                "{}Your balance is $12345.50 now.",
                "lorem ipsum\n".repeat(MOST_FOR_AMOUNT / 12 - 3) + &"x\n".repeat(offset)
            );
            let told = shown_amount("", &text).map(|shown| shown.amount.value.to_string());
            assert!(told.is_none() || told.as_deref() == Some("12345.5"), "{offset}: {told:?}");
        }
        let line = "word ".repeat(MOST_FOR_AMOUNT);
        assert_eq!(shown_amount("", &format!("{line} balance: $5")), None);
    }

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
}
