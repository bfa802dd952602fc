//! The words that may stand beside a number without making another one of it. Of a word that is not among them nobody knows: it
//! may be a scale, a part of a currency or a debt in some language, so the page's author has to write it.

use crate::page::names;

/// Words, beside those that names of fields are made of.
const WORDS: &str = "
    are as at be been bal but by call calls can could disponible disponibles dispo due effective el en est exactly ends expire
    for had have i is its kontostand la le más only or our please prepaid restant restante restantes requests
    run saldo guthaben sind solde so stand still than thank thanks that their there these those top verbleibend verfügbar
    was we were will you your yours";

/// Names of fields that say that it is a debt, a part or another number.
const TELLING: &str = "
    arrear arrears arrearage cent cents debit debits debt debts deficit down exceed exceeded gb lack loss mb minor minus missing negative
    no none normal not null num number out over overage overdraft overdue owed owing per percent percentage ratio times unpaid
    unsettled used version";

/// Words behind which a number's own words have come to their end, on either side.
const ENDS: &str = "are as but by for from has have had is of since than until was were will";

/// The same in scripts without blanks between words.
const RUNS: &str = "
    余额 餘額 剩余 剩餘 可用 账户 帐户 賬戶 当前 目前 总额 總額 总计 总共 合计 共计 额度 額度 还有 还剩 仅剩 余下 共 为 是 有 的 您 你 次 条 条短信 個 个 点
    积分 张 份 位 整 约合 余 残高 利用可能 可用余额 短信 人民币余额";

/// What a word beside a number means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// Nothing.
    Nothing,
    /// Nothing, and what stands behind it neither.
    End,
}

/// What a word means, if it is known to mean nothing for a number beside it.
pub(super) fn word(word: &str) -> Option<Plain> {
    let low = word.to_lowercase();
    let is_in = |words: &str| words.split_ascii_whitespace().any(|known| known == low);
    if is_in(ENDS) {
        return Some(Plain::End);
    }
    let is_known = || low.chars().count() > 1 && names::is_word(&low);
    (is_in(WORDS) || (!is_in(TELLING) && is_known())).then_some(Plain::Nothing)
}

/// The length of the known word that a run of letters begins or ends with, in characters.
pub(super) fn of_run(run: &str, at_end: bool) -> Option<usize> {
    let fits = |known: &&str| if at_end { run.ends_with(*known) } else { run.starts_with(*known) };
    RUNS.split_whitespace().filter(fits).map(|known| known.chars().count()).max()
}
