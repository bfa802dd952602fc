//! The words that may stand beside a number without making another one of it. Of a word that is not among them nobody knows: it
//! may be a scale, a part of a currency or a debt in some language, so the page's author has to write it.

use crate::page::names;

/// Words, beside those that names of fields are made of.
const WORDS: &str = "
    acct actual actuel aktuell aktuelle aktueller as at attuale bakiye bakiyeniz be been beträgt but call calls can conta could cuenta de
    della di dostupné dostępne egyenleg es disponibile disponível disponible disponibles dispo effective el en est exactly ends expire
    compte conto der des die du el ihr il in ist konta konto mein mi mon na notre o seu số dư stan stato su sua suo the tu un una
    valor votre vostro wynosi zůstatek υπόλοιπο баланс ваш на остаток составляет счета счёт счете доступно доступный текущий
    had have i insufficient its kontostand la le only or our please prepaid restant restante restantes
    requests run saldo guthaben sind solde so stand still thank thanks that their there these those verbleibend
    verfügbar we were you your yours";

/// Names of fields that say that it is a debt, a part or another number.
const TELLING: &str = "
    after cent cents code codes date day days due err error errors fail failed failure fault hour hours http id invalid
    minute minutes month months port retry second seconds status time timeout week weeks year years down exceed exceeded gb lack least less loss mb minor missing more no none normal not null num number out over
    per percent percentage ratio times to top under unsettled until up used version";

/// Words that say that it is a debt, in small letters.
const DEBTS: &str = "
    arrear arrears arrearage debit debits debt debts deficit minus negative overdraft overdraw overdrawn overdue owe owed owes owing
    unpaid neg adeudado adósság betalen borcunuz datorie debe dług dluh dû débit fällig fällige fälliger gjeld gæld hutang impayé impayée impayés
    offen offene offener openstaand openstaande pagar pagare payer pendiente pendientes rückstand tartozás tunggakan utang velka verschuldigd
    zapłaty úhradě борг заборгованість оплате חוב مستحق बकाया ค้างชำระ deuda deudor débiteur débitrice debitore sollsaldo dívida zadłużenie borç skuld nợ задолженность dette débito debito liabilities liability outstanding payable долг долги soll schuld schulden 欠 欠费 欠款 透支 负 负债";

/// The same within words of scripts without blanks.
const DEBT_RUNS: [&str; 17] = [
    "欠",
    "负",
    "負",
    "透支",
    "借方",
    "应缴",
    "应付",
    "待缴",
    "待付",
    "逾期",
    "未払",
    "未支払",
    "未付",
    "延滞",
    "借入",
    "미납",
    "연체",
];

/// Words that end what is said of the number behind them.
const ENDS_BEFORE: &str = "are had has have is of was were";

/// Words that end what is said of the number before them.
const ENDS_BEHIND: &str = "are as but by for from had has have is of since was were will";

/// The same in scripts without blanks between words.
const RUNS: &str = "
    余额 餘額 剩余 剩餘 可用 账户 帐户 賬戶 当前 目前 总额 總額 总计 总共 合计 共计 额度 額度 还有 还剩 仅剩 余下 共 为 是 有 的 您 你 次 条 条短信 個 个 点
    잔액 잔고 ご利用 の 您的 金额 現在 现 积分 张 份 位 整 约合 余 残高 利用可能 可用余额 短信 人民币余额";

/// What a word beside a number means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// Nothing.
    Nothing,
    /// Nothing, and what stands behind it neither.
    End,
}

fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

/// What a word means, if it is known to mean nothing for a number behind or before it.
pub(super) fn word(word: &str, is_before: bool) -> Option<Plain> {
    let low = word.to_lowercase();
    if is_in(if is_before { ENDS_BEFORE } else { ENDS_BEHIND }, &low) {
        return Some(Plain::End);
    }
    let is_known = || low.chars().count() > 1 && names::is_word(&low);
    let is_plain = !is_in(TELLING, &low) && !is_debt(&low) && (is_in(WORDS, &low) || is_known());
    is_plain.then_some(Plain::Nothing)
}

/// Whether a label says of the number behind it that it is one of a failure, or owed.
pub(super) fn is_failure(low: &str) -> bool {
    is_in(
        "due e err errcode errno erreur erro error errore errors exceeded fail failed failure fehler fehlercode fejl fel fout hata http \
         chyba błąd codice código kod lỗi retcode retry status код ошибка ошибки помилка エラー 오류 返回码 状态码 错误 错误代码 错误码",
        low,
    )
}

/// Whether a word in small letters says that it is a debt.
pub(super) fn is_debt(low: &str) -> bool {
    is_in(DEBTS, low) || DEBT_RUNS.iter().any(|run| low.contains(run))
}

/// Whether a word behind a number in small letters is what is counted, and no money.
pub(super) fn is_counted(low: &str) -> bool {
    is_in(
        "accounts alerts calls days devices emails files invoices items keys licenses mails members messages orders \
         products projects records requests seats services sms subscriptions tasks teams tickets transactions units users",
        low,
    )
}

/// The length of the known word that a run of letters begins or ends with, in characters.
pub(super) fn of_run(run: &str, at_end: bool) -> Option<usize> {
    let fits = |known: &&str| if at_end { run.ends_with(*known) } else { run.starts_with(*known) };
    RUNS.split_whitespace().filter(fits).map(|known| known.chars().count()).max()
}
