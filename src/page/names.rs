//! Which keys of an answer are the names of fields. Services use values as keys as well (the id of an account, the name of a
//! user, a key), and a message must not show these.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Longest name of a field, in characters.
const LONGEST: usize = 32;
/// Most digits in one.
const MOST_DIGITS: usize = 4;
/// Keys that are no longer than this are shown: nothing is given away by them.
const SHORT: usize = 2;

/// The words that names of fields are made of, in the singular.
const WORDS: &str = "
    able above access accessible account accrual accrued action active activity actual add addition additional address
    admin after agent aggregate alert alias all alloc allocated allocation allow allowance allowed amount amt and annual any
    api app application applied approved area arrear arrearage as asset at attribute auth author authorization auto avail
    available average bal balance bank base basic batch before begin beta bill billed billing block blocked body bonus
    book borrow bot bought brand bucket budget build bundle buy by cache cached call campaign can cancel cancelled cap
    capacity card cash cat category cent center change channel charge charged chat check child city class client close
    closed cloud code coin collection comment commit committed common company complete completed completion con config
    confirm consume consumed consumption contact content contract control cost count counter country coupon create
    created creation credit critical cur currency current currently custom customer cycle daily data date day days deal debit
    debt decimal deduct deducted deduction default deficit delete deleted demo denom deny deposit desc description detail
    device diff digit direct disable disabled discount display div document domain done double down due duration earn
    earned edit effective email embedding empty enable enabled end engine ent enterprise entity entry env environment epoch
    equity err error est estimate estimated event exceed exceeded exchange exclude expenditure expense expiration expire
    expired expires expiry extend external extra fail failed failure false fault feature fee field file filter final finance
    first fixed flag float flow for format free freeze frequency from frozen full fund funded funds gateway gb general get gift
    gifted given global gone goods grace grand grant granted group has hash head header help hide high history hold host
    hour hourly href http id image in include included income index indicator info information init initial inner input
    instance int interest internal interval invalid invoice is issue item job json key kind label lang language last
    latest left length level license life lifetime limit limited line link list live load loan local location lock locked
    log login long low lower main manual margin market master max maximum mb media member membership memo merchant message
    meta metadata meter method min minimum minor minute missing mode model money month monthly more msg name native negative
    net new next no node none normal not note notice notification now null num number object of off offer offset ok old on
    one online open option order org organization organisation origin original other out output over overage overdraft
    overdue override owed owner own package page paid parameter params parent part partner password path pay payable payed
    paying payment peak pending per percent percentage period permission person personal phone plan platform plus point
    policy pool position positive post postpaid prefix prepaid prepay present prev preview previous price pricing principal
    priority private pro problem product profile profit program progress project promo promotion property provider public
    purchase purchased purpose quantity query quota quote rate ratio raw reach reached read ready real realtime reason
    receipt receive received recent recharge record recur recurring ref reference refill refund region register reject
    remain remainder remaining remark remove removed renew renewal rep resp report req request required reserve reserved reset
    resource response rest result ret retry return revenue reward right role rolling root row rule run sale score
    scode second section secret security seller send sent sequence server service session set setting settle settled
    settlement severity share shared short show side sign signature signed single site size sku slug soft sort source spec
    spend spending spent stack stage standard start started stat state statement station status step stock stop storage store
    string style sub subject subscription subtotal success successful suffix sum summary support surplus suspend suspended
    sync system tag target task tax team temp temporary tenant term text this threshold throttle tier time timeout timestamp
    timezone title to today token top topup total trace track traffic trans transaction transfer trial true type unit
    unlimited unpaid unsettled until unused up update updated upgrade upper uri url usable usage use used user username usd
    utc util uuid valid validity value vat vendor verified version video view vip void volume voucher wait wallet warn warning
    was web week weekly weight will with withdraw withdrawable withdrawal word work workspace write year yearly yesterday zone
    aud btc cad chf cny eth eur gbp hkd inr jpy krw rmb rub sgd twd usdc usdt";

/// The same of other scripts, as they stand.
const SPELT: [&str; 32] = [
    "余额",
    "餘額",
    "总额",
    "總額",
    "可用",
    "可用余额",
    "账户",
    "账号",
    "帐户",
    "帳戶",
    "用户",
    "金额",
    "金額",
    "额度",
    "額度",
    "剩余",
    "剩餘",
    "已用",
    "状态",
    "狀態",
    "数据",
    "數據",
    "消息",
    "错误",
    "错误码",
    "错误信息",
    "结果",
    "结束",
    "币种",
    "残高",
    "金融",
    "代码",
];

/// Whether a key is the name of a field: made of known words, with few digits.
pub(crate) fn is_field(key: &str) -> bool {
    let length = key.chars().count();
    if SPELT.contains(&key) {
        return true;
    }
    let is_made_so = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    if !is_made_so || !(1..=LONGEST).contains(&length) || digits > MOST_DIGITS || digits == length {
        return false;
    }
    length <= SHORT || words(key).iter().all(|word| is_known(word))
}

/// The words of a name, in small letters: `totalUsage_7d` has `total`, `usage` and `d`.
pub(super) fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let bytes = key.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let is_hump = byte.is_ascii_uppercase()
            && at > 0
            && (bytes[at - 1].is_ascii_lowercase() || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if !byte.is_ascii_alphabetic() || is_hump {
            words.push(String::new());
        }
        if let (true, Some(word)) = (byte.is_ascii_alphabetic(), words.last_mut()) {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a word is known, or two known ones without anything between them, as in `userid`.
fn is_known(word: &str) -> bool {
    is_one(word) || (2..word.len().saturating_sub(1)).any(|at| is_one(&word[..at]) && is_one(&word[at..]))
}

/// Whether a word in small letters is one that names of fields are made of.
pub(super) fn is_word(word: &str) -> bool {
    is_one(word)
}

/// Whether a word is one letter or one known word, in the singular or the plural.
fn is_one(word: &str) -> bool {
    // Every key of an answer, and of a message to a channel, is looked up.
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_ascii_whitespace().collect());
    let is_with = |end: &str| word.strip_suffix(end).is_some_and(|singular| KNOWN.contains(singular));
    let is_with_y = || {
        let stem = word.strip_suffix("ies").filter(|stem| !stem.is_empty());
        stem.is_some_and(|stem| KNOWN.contains(format!("{stem}y").as_str()))
    };
    word.len() == 1 || KNOWN.contains(word) || is_with("s") || is_with("es") || is_with_y()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_are_told_from_values() {
        for key in [
            "balance",
            "totalBalance",
            "total_balance",
            "TotalBalance",
            "available-balance",
            "userid",
            "userID",
            "user_id",
            "APIKey",
            "api_key",
            "apikey",
            "balance_infos",
            "currencies",
            "is_available",
            "usage_7d",
            "last_30_days",
            "x",
            "ok",
            "errorCode",
            "ErrMsg",
            "err_msg",
            "base_resp",
            "AvailableAmount",
            "availableCashAmount",
            "USD",
            "cny",
            "余额",
            "limit_remaining",
            "total_credits",
            "scode",
            "HTTPStatus",
            "list",
            "none",
        ] {
            assert!(is_field(key), "{key}");
        }
        for key in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNNEXAMPLE",
            "org-AbCdEfGh",
            "org-acme",
            "jane_doe",
            "janeDoe",
            "jane",
            "qwertyuiopasdfghjklzxcvbnm",
            "张伟",
            "sk_live_Abc",
            "12345",
            "4915112345678",
            "jane@priv.example",
            "user_jane",
            "acme",
            "",
            "prod-gateway-hamburg",
        ] {
            assert!(!is_field(key), "{key}");
        }
    }
}
