//! Sentences that say that a request was refused or has failed. One that only says that there is nothing left is none of them:
//! `Insufficient balance` beside a zero is right.

use super::plain;
use crate::page::Value;

/// Characters of a sentence that are looked at.
const LONGEST: usize = 400;
/// Entries of a list that are looked at.
const MOST_ENTRIES: usize = 20;

/// Fields that hold a sentence, beside those whose names end so as `message` does.
const NAMES: [&str; 20] = [
    "#text",
    "alerts",
    "comment",
    "desc",
    "description",
    "detail",
    "details",
    "hint",
    "info",
    "messages",
    "note",
    "notice",
    "notices",
    "notifications",
    "reason",
    "remark",
    "text",
    "title",
    "warning",
    "warnings",
];

/// Words between blanks that say so whatever stands beside them.
const PHRASES: [&str; 44] = [
    " access denied ",
    " an error occurred ",
    " auth failed ",
    " authentication required ",
    " bad request ",
    " error occurred ",
    " forbidden ",
    " gateway timeout ",
    " internal error ",
    " internal server error ",
    " invalid request ",
    " login required ",
    " must log in ",
    " no auth ",
    " no permission ",
    " no such user ",
    " not authenticated ",
    " not authorised ",
    " not authorized ",
    " not implemented ",
    " not logged in ",
    " permission denied ",
    " please log in ",
    " please login ",
    " please sign in ",
    " rate limit exceeded ",
    " rate limit reached ",
    " rate limited ",
    " request timeout ",
    " server busy ",
    " server error ",
    " service unavailable ",
    " something went wrong ",
    " system busy ",
    " system error ",
    " temporarily unavailable ",
    " timed out ",
    " too many requests ",
    " unauthenticated ",
    " unauthorised ",
    " unauthorized ",
    " under maintenance ",
    " unexpected error ",
    " unknown error ",
];
/// The same, unless the text speaks of money: `top up and try again`.
const WEAK: [&str; 6] =
    [" no access ", " not allowed ", " not permitted ", " retry after ", " retry in ", " try again "];
/// What comes before what could not be done.
const FAILED_TO: [&str; 6] = ["failed to", "unable to", "could not", "couldn t", "cannot", "can not"];
/// What could not be done.
const VERBS: &str =
    "access auth authenticate check connect fetch find get load obtain parse query read retrieve validate verify";
/// What is refused.
const KEYS: &str = "apikey appkey auth authentication authorization credential credentials key keys license login passwd password \
                    permission secret session sign signature token";
/// What may be wrong, or not be there.
const OTHERS: &str =
    "account appid client customer endpoint ip method param parameter parameters params request user username";
/// What is wrong with it.
const WRONG: &str = "bad denied error fail failed failure illegal incorrect invalid malformed mismatch missing rejected required \
                     unknown unrecognized wrong";
/// What may be wrong with a key only: an account that has expired may have a balance of zero.
const WRONG_KEY: &str = "expired revoked";
/// The same in several words.
const WRONG_PHRASES: [&str; 7] =
    [" not found ", " not exist ", " not valid ", " no such ", " not recognized ", " not match ", " no valid "];
/// Words of sentences that speak of money, and not of the request.
const MONEY: &str =
    "balance balances credit credits fund funds package payment plan quota recharge subscription top topup trial";
/// What says that there is no error.
const NO_ERROR: [&str; 6] =
    [" no error ", " no errors ", " without error ", " without errors ", " 0 errors ", " error free "];
/// The same as phrases, where no blanks stand between words, and the beginnings of words of other languages.
const OTHER_SCRIPTS: [&str; 27] = [
    "不存在",
    "失败",
    "失敗",
    "已失效",
    "异常",
    "错误",
    "錯誤",
    "非法",
    "无效",
    "無效",
    "无权",
    "未授权",
    "未登录",
    "未认证",
    "没有权限",
    "权限不足",
    "频繁",
    "系统繁忙",
    "服务不可用",
    "超时",
    "密钥过期",
    "令牌过期",
    "登录过期",
    "ungültig",
    "inválid",
    "неверн",
    "недейств",
];
/// What holds one of them without meaning it.
const OTHER_MEANINGS: [&str; 10] = [
    "充值失败",
    "支付失败",
    "扣费失败",
    "无错误",
    "没有错误",
    "无异常",
    "没有异常",
    "未发现异常",
    "未超时",
    "没有超时",
];

/// Whether a field of this name holds a sentence.
pub(super) fn is_name(name: &str) -> bool {
    name.ends_with("msg") || name.ends_with("message") || NAMES.contains(&name)
}

/// Whether a text, or one in a list, is such a sentence.
pub(super) fn is_against_in(value: &Value) -> bool {
    let items = value.items().unwrap_or(std::slice::from_ref(value));
    items.iter().take(MOST_ENTRIES).filter_map(Value::as_text).any(is_against)
}

/// Whether a sentence says that something was refused or has failed.
pub(super) fn is_against(text: &str) -> bool {
    let text: String = text.chars().take(LONGEST).collect();
    let low = text.to_lowercase();
    let without = |text: &str, words: &[&str]| words.iter().fold(text.to_owned(), |text, word| text.replace(word, " "));
    let other = without(&low, &OTHER_MEANINGS);
    if OTHER_SCRIPTS.iter().any(|word| other.contains(word)) {
        return true;
    }
    let names_error =
        |start: &str| low.trim_start().strip_prefix(start).is_some_and(|rest| rest.starts_with([':', '：']));
    let other_than_none =
        !NO_ERROR.iter().any(|no| spaced(&text).contains(no)) && !is_nothing(low.rsplit(':').next().unwrap_or(""));
    if other_than_none && ["error", "err", "fehler", "erreur", "erro", "ошибка"].into_iter().any(names_error) {
        return true;
    }
    let clauses = text.split(['.', ';', ',', '!', '?', '|', '&', '\n', '\r', '\t', '。', '，', '；', '！']);
    let clauses: Vec<String> = clauses.map(|clause| without(&spaced(clause), &NO_ERROR)).collect();
    let is_of_money = |clause: &String| has_word(clause, MONEY);
    let may_be_weak = !clauses.iter().any(is_of_money);
    clauses.iter().any(|clause| {
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| clause.contains(phrase));
        let is_wrong = || has(&WRONG_PHRASES) || has_word(clause, WRONG);
        has(&PHRASES)
            || could_not(clause)
            || may_be_weak && has(&WEAK)
            || !is_of_money(clause)
                && (has_word(clause, KEYS) && (is_wrong() || has_word(clause, WRONG_KEY))
                    || has_word(clause, OTHERS) && is_wrong())
    })
}

/// Whether a sentence says that there is nothing left, so that a zero beside it is right.
pub(in crate::page) fn is_of_nothing_left(text: &str) -> bool {
    const NOTHING: [&str; 6] = [" insufficient ", " not enough ", " no more ", " out of ", " ran out ", " exhausted "];
    let text: String = text.chars().take(LONGEST).collect();
    let clause = spaced(&text);
    let is_nothing = NOTHING.iter().any(|phrase| clause.contains(phrase)) && has_word(&clause, MONEY);
    let is_other = ["余额不足", "餘額不足", "额度不足", "已欠费"].iter().any(|word| text.contains(word));
    (is_nothing || is_other) && !has_word(&clause, KEYS) && !is_against(&text)
}

/// `failed to get the balance`.
fn could_not(clause: &str) -> bool {
    FAILED_TO.iter().filter_map(|start| clause.split_once(&format!(" {start} "))).any(|(_, rest)| {
        let next = rest.split(' ').next().unwrap_or_default();
        VERBS.split_ascii_whitespace().any(|verb| verb == next)
    })
}

fn has_word(clause: &str, words: &str) -> bool {
    clause.split(' ').any(|word| !word.is_empty() && words.split_ascii_whitespace().any(|known| known == word))
}

/// The words of a clause in small letters, with one blank before and behind each; `InvalidApiKey` are three.
fn spaced(clause: &str) -> String {
    let mut out = String::from(" ");
    let mut was_small = false;
    for c in clause.chars() {
        if !c.is_alphanumeric() {
            was_small = false;
            if !out.ends_with(' ') {
                out.push(' ');
            }
            continue;
        }
        if c.is_uppercase() && was_small {
            out.push(' ');
        }
        was_small = c.is_lowercase();
        out.extend(c.to_lowercase());
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Whether a word that stands alone names what a balance is called.
pub(super) fn names_balance(text: &str) -> bool {
    const WORDS: &str = "amount available avail bal balance balances credit credits fund funds guthaben left remain remaining saldo \
                         solde wallet";
    let has_run =
        || ["余额", "餘額", "剩余", "剩餘", "残高", "额度", "可用", "积分"].iter().any(|word| text.contains(word));
    has_word(&spaced(text), WORDS) || has_run()
}

/// Whether a value of a field says that nothing is wrong.
pub(super) fn is_nothing(text: &str) -> bool {
    super::is_fine(text) || plain(text) == "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_nothing_is_left_is_no_refusal() {
        for (text, want) in [
            ("Insufficient balance", true),
            ("insufficient_quota", true),
            ("余额不足", true),
            ("You are out of credits, please recharge", true),
            ("Not enough funds.", true),
            ("Insufficient permissions", false),
            ("Invalid API key or insufficient balance", false),
            ("No such account", false),
            ("", false),
        ] {
            assert_eq!(is_of_nothing_left(text), want, "{text}");
        }
    }

    #[test]
    fn what_was_refused_is_told_from_what_is_not_there() {
        for text in [
            "Invalid API key",
            "InvalidApiKey",
            "INVALID_USER_KEY",
            "invalid_key",
            "Unauthorized",
            "token expired",
            "认证失败",
            "签名错误",
            "余额查询失败",
            "请求过于频繁",
            "Not authenticated",
            "account not found",
            "Account does not exist.",
            "wrong key",
            "bad key",
            "params error",
            "AccessDenied",
            "user does not exist",
            "No such user",
            "API key is missing",
            "Too many requests",
            "rate limit: retry after 30 seconds",
            "Please log in",
            "You are not allowed to see this",
            "Failed to get the balance",
            "The balance could not be read: unable to connect",
            "Service Unavailable, 5",
            "Неверный ключ",
            "Der Schlüssel ist ungültig",
        ] {
            assert!(is_against(text), "{text}");
        }
        for text in [
            "",
            "ok",
            "Your balance is low",
            "No invalid entries",
            "查询成功",
            "余额不足",
            "充值失败",
            "Insufficient balance",
            "Insufficient balance, please top up and try again",
            "You have no credits left",
            "Your account's credits have expired",
            "Account suspended",
            "Your account has expired",
            "No errors",
            "request was processed without error",
            "payment failed 3 days ago",
            "Error budget",
            "Credits for failed requests",
            "Free plan expired, please top up",
            "quota exceeded",
            "Tokens used",
            "rate limit: 60 per minute",
            "key of the team",
        ] {
            assert!(!is_against(text), "{text}");
        }
    }
}
