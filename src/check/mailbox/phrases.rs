//! What the words around an amount in a mail say of it.
//!
//! An amount is told only where these words are known on both sides: a label such as "balance" with nothing but words like "is"
//! between it and the amount, and behind the amount the end of a clause or one of a few phrases. A scale, a sign, a country or a
//! comparison that this list does not know then costs an alert its amount, and never makes it a wrong one.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::model::amount::{self, Word};

/// Most of a text before an amount that is looked at, in bytes.
const MOST_CONTEXT: usize = 160;
/// Most of a text behind an amount that is looked at, in bytes.
const MOST_BEHIND: usize = 120;

/// What an amount is; the most telling last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// What is owed.
    Due,
    /// What is left.
    Balance,
}

/// Nouns for what is left. A mail that holds one of them speaks of a balance.
const BALANCE_NOUNS: [&str; 17] = [
    "余额",
    "餘額",
    "残高",
    "结余",
    "結餘",
    "balance",
    "credit left",
    "guthaben",
    "kontostand",
    "saldo",
    "solde",
    "баланс",
    "bakiye",
    "bakiyeniz",
    "остаток",
    "잔액",
    "saldosu",
];
/// Other words before what is left.
const BALANCE_WORDS: [&str; 13] = [
    "剩余",
    "剩餘",
    "还剩",
    "還剩",
    "仅剩",
    "僅剩",
    "available",
    "remaining",
    "available credit",
    "可用额度",
    "可用額度",
    "剩余额度",
    "剩餘額度",
];
/// Words that say without doubt what is owed.
const DUE: [&str; 30] = [
    "欠费",
    "欠費",
    "欠费金额",
    "欠費金額",
    "应付金额",
    "應付金額",
    "应缴金额",
    "應繳金額",
    "应还金额",
    "應還金額",
    "待支付",
    "待缴",
    "待繳",
    "账单金额",
    "帳單金額",
    "請求額",
    "請求金額",
    "amount due",
    "balance due",
    "total due",
    "payment due",
    "amount owed",
    "you owe",
    "invoice total",
    "amount outstanding",
    "total outstanding",
    "outstanding",
    "offener betrag",
    "montant dû",
    "сумма долга",
];
/// Words that may say what is owed. In a mail about a balance they may as well speak of an alert or of a payment that is proposed.
const PERHAPS_DUE: [&str; 25] = [
    "金额",
    "金額",
    "应付",
    "應付",
    "应缴",
    "應繳",
    "账单",
    "帳單",
    "amount",
    "total",
    "due",
    "owe",
    "owed",
    "owing",
    "invoice",
    "charge",
    "charged",
    "payment",
    "payment of",
    "betrag",
    "montant",
    "importe",
    "сумма",
    "tutar",
    "bill",
];
/// What may stand between a label and its amount.
const LINKS: [&str; 41] = [
    "is",
    "of",
    "now",
    "currently",
    "only",
    "just",
    "still",
    "is at",
    "is now at",
    "stands at",
    "beträgt",
    "derzeit",
    "aktuell",
    "nur",
    "noch",
    "lautet",
    "ist",
    "est",
    "est de",
    "actuellement",
    "es",
    "es de",
    "è di",
    "é de",
    "составляет",
    "为",
    "為",
    "是",
    "は",
    "が",
    "仅",
    "僅",
    "共",
    "仅有",
    "僅有",
    "只有",
    "还有",
    "還有",
    "目前",
    "现在",
    "現在",
];
/// Words in the words of a label, each the beginning of one, that make it another amount than what is left or owed: a threshold,
/// a comparison, a movement, an offer, another time, or no money at all.
const NOT_IT: [&str; 349] = [
    // Comparisons.
    "不足",
    "低于",
    "低於",
    "少于",
    "少於",
    "小于",
    "小於",
    "不到",
    "未达",
    "未達",
    "超过",
    "超過",
    "高于",
    "高於",
    "大于",
    "大於",
    "跌破",
    "以上",
    "以下",
    "未満",
    "下回",
    "最低",
    "最少",
    "至少",
    "最高",
    "below",
    "under",
    "less ",
    "lower",
    "fewer",
    "smaller",
    "beneath",
    "above",
    "more ",
    "over ",
    "exceed",
    "reach",
    "at least",
    "at most",
    "up to",
    "out of",
    "unter",
    "weniger",
    "mindest",
    "höchst",
    "inférieur",
    "moins",
    "minim",
    "mínim",
    "maxim",
    "máxim",
    "inferior",
    "menos",
    "meno ",
    "ниже",
    "менее",
    "меньше",
    "миним",
    "asgari",
    // Thresholds and alerts.
    "阈值",
    "閾值",
    "閥值",
    "门槛",
    "預警",
    "预警",
    "警戒",
    "警告",
    "告警",
    "提醒",
    "通知",
    "下限",
    "上限",
    "限额",
    "限額",
    "设置",
    "設定",
    "设定",
    "安全",
    "目标",
    "目標",
    "保底",
    "threshold",
    "limit",
    "trigger",
    "alert",
    "warning",
    "notif",
    "low ",
    "insufficient",
    "floor",
    "target",
    "required",
    "require",
    "need",
    "must",
    "should",
    "maintain",
    "keep",
    "schwelle",
    "grenze",
    "seuil",
    "umbral",
    "limite",
    "soglia",
    "порог",
    "лимит",
    "eşik",
    // Payments, offers and movements.
    "充值",
    "儲值",
    "储值",
    "满",
    "滿",
    "送",
    "赠",
    "贈",
    "优惠",
    "優惠",
    "已用",
    "已使用",
    "消费",
    "消耗",
    "变动",
    "top up",
    "top-up",
    "topup",
    "recharge",
    "auto-",
    "reload",
    "save",
    "get ",
    "add ",
    "used",
    "spent",
    "from",
    "promo",
    "bonus",
    "gift",
    "refund",
    "transfer",
    "change",
    // Another time.
    "上次",
    "上月",
    "上期",
    "期初",
    "原",
    "昨",
    "此前",
    "之前",
    "前回",
    "前月",
    "冻结",
    "凍結",
    "last ",
    "previous",
    "prior",
    "opening",
    "starting",
    "initial",
    "former",
    "old ",
    "average",
    "pending",
    "frozen",
    "projected",
    "expected",
    "estimated",
    "forecast",
    // Not money, or not owned.
    "积分",
    "積分",
    "点数",
    "點數",
    "point",
    "max ",
    "min ",
    "max.",
    "min.",
    "short",
    "missing",
    "yesterday",
    "需",
    "须",
    "須",
    "应有",
    "應有",
    "必要",
    "基準",
    "基准",
    "规定",
    "初期",
    "旧",
    "舊",
    "变更前",
    "変更前",
    "扣款前",
    "充值前",
    "消费前",
    "alter",
    "bisherig",
    "vorherig",
    "früher",
    "ancien",
    "précédent",
    "anterior",
    "precedente",
    "предыдущ",
    "прошл",
    "poprzedni",
    "önceki",
    "欠款",
    "贷款",
    "貸款",
    "负债",
    "負債",
    "借",
    "loan",
    "debt",
    "代金券",
    "优惠券",
    "红包",
    "voucher",
    "coupon",
    // Other times, conditions and examples, and what cannot be used.
    "历史",
    "歷史",
    "前次",
    "以前",
    "扣费前",
    "扣費前",
    "先月",
    "前日",
    "期首",
    "繰越",
    "チャージ前",
    "beginning balance",
    "past balance",
    "altes",
    "letztes",
    "letzter",
    "ehemalig",
    "dernier",
    "report de",
    "预计",
    "預計",
    "预估",
    "估计",
    "予想",
    "見込",
    "推定",
    "voraussichtlich",
    "geschätzt",
    "held",
    "reserved",
    "unavailable",
    "expired",
    "lost",
    "锁定",
    "鎖定",
    "不可用",
    "过期",
    "過期",
    "失效",
    "保留",
    "失効",
    "gesperrt",
    "reserviert",
    "verfallen",
    "平均",
    "as soon as",
    "assuming",
    "suppose",
    "e.g.",
    "sample",
    "假设",
    "假設",
    "直到",
    "例",
    "仮に",
    "angenommen",
    "vorausgesetzt",
    "beispiel",
    "exemple",
    "supposant",
    "au cas où",
    // About how much, and what will be.
    "approx",
    "about ",
    "roughly",
    "rough ",
    "circa",
    "ca.",
    "ungefähr",
    "etwa ",
    "environ",
    "aproximad",
    "approssimativ",
    "примерн",
    "около",
    "yaklaşık",
    "大约",
    "大約",
    "大概",
    "约",
    "約",
    "概算",
    "およそ",
    "next ",
    "future",
    "upcoming",
    "predicted",
    "tomorrow",
    "nächst",
    "prochain",
    "próxim",
    "下月",
    "下期",
    "明日",
    "来月",
    "未来",
    "预测",
    "預測",
    "予測",
    // What has been paid in, given or taken off, and what may be spent.
    "applied",
    "added",
    "credited",
    "deposited",
    "received",
    "earned",
    "reward",
    "cashback",
    "reimburse",
    "退款",
    "退还",
    "退還",
    "返现",
    "返金",
    "返還",
    "抵扣",
    "入账",
    "到账",
    "gutschrift",
    "rembours",
    "reembols",
    "erstatt",
    "rimbors",
    "возврат",
    "budget",
    "allowance",
    "quota",
    "预算",
    "預算",
    "予算",
];
/// Words for a threshold, which are looked for in the whole clause, before a colon as well.
const THRESHOLD: [&str; 14] = [
    "threshold",
    "limit",
    "minimum",
    "trigger",
    "阈值",
    "閾值",
    "閾値",
    "预警值",
    "schwelle",
    "seuil",
    "umbral",
    "soglia",
    "порог",
    "eşik",
];
/// Others of these words, which are looked for in the whole sentence: what it says is so only in some case.
const CONDITIONS: [&str; 63] = [
    "if",
    "when",
    "whenever",
    "once",
    "unless",
    "until",
    "after",
    "before",
    "should",
    "example",
    "e.g",
    "wenn",
    "falls",
    "sobald",
    "nach",
    "si",
    "lorsque",
    "quand",
    "dès",
    "cuando",
    "se",
    "quando",
    "если",
    "когда",
    "после",
    "如果",
    "若",
    "如您",
    "如餘",
    "如余",
    "一旦",
    "倘",
    "例如",
    "示例",
    "比如",
    "当您",
    "当余",
    "当账",
    "當您",
    "當餘",
    "當帳",
    "每当",
    "低于时",
    "达到",
    "達到",
    "もし",
    "場合",
    "たら",
    "すると",
    "されると",
    "estimate",
    "expect",
    "assume",
    "predict",
    "think",
    "guess",
    "forecast",
    "schätzen",
    "estimons",
    "estimamos",
    "估计",
    "預計",
    "预计",
];
/// What follows an amount that something else is compared with.
const COMPARED: [&str; 20] = [
    "を下回",
    "を切",
    "未満",
    "以下",
    "以上",
    "以内",
    "以內",
    "より",
    "的预警",
    "的預警",
    "or less",
    "or lower",
    "or below",
    "threshold",
    "limit",
    "minimum",
    "required",
    "needed",
    "budget",
    "quota",
];
/// What may follow an amount in its clause.
const BEHIND: [&str; 36] = [
    "remaining",
    "left",
    "available",
    "restant",
    "restants",
    "now",
    "only",
    "is below",
    "is under",
    "is now",
    "is currently",
    "is low",
    "is lower",
    "is less",
    "is running",
    "has fallen",
    "has dropped",
    "has gone",
    "as of",
    "as at",
    "on account",
    "on your account",
    "in your account",
    "in account",
    "for account",
    "for your account",
    "failed",
    "could not",
    "was declined",
    "です",
    "でございます",
    "となっております",
    "整",
    "请",
    "請",
    "。",
];
/// The same, of words that make the amount one that is owed.
const DUE_BEHIND: [&str; 15] = [
    "is due",
    "is overdue",
    "is past due",
    "is outstanding",
    "is unpaid",
    "due",
    "overdue",
    "past due",
    "outstanding",
    "unpaid",
    "har förfallit",
    "impayé",
    "impayée",
    "ist überfällig",
    "ist fällig",
];
/// Words behind what is left.
const LEFT: [&str; 5] = ["remaining", "left", "available", "restant", "restants"];
/// What may follow these.
const BEHIND_LEFT: [&str; 8] =
    ["out of", "of", "in your account", "in your", "in account", "on account", "as of", "now"];
/// What may stand before an amount with such a word behind it.
const BEFORE_LEFT: [&str; 14] = [
    "have",
    "has",
    "only",
    "just",
    "still",
    "with",
    "is",
    "are",
    "now",
    "you have",
    "currently",
    "il reste",
    "reste",
    "noch",
];
/// What may stand before an amount of which another word of the clause says that it is owed.
const OF_A_BILL: [&str; 6] = ["for", "by", "of", "de", "på", "über"];
/// These other words, each the beginning of one.
const BILLS: [&str; 12] = [
    "charge", "overdue", "past due", "invoice", "payment", "bill", "fee", "faktura", "facture", "factura", "rechnung",
    "fattura",
];
/// How what stands in parentheses behind an amount may begin.
const IN_PARENTHESES: [&str; 8] =
    ["minimum", "threshold", "limit", "incl", "including", "as of", "updated", "échéance"];
/// Words that change the amount before them, or say that it is something else: it is not told if one of them follows in its clause,
/// or begins the next one.
const CHANGING: [&str; 75] = [
    "debit",
    "dr",
    "dr.",
    "negative",
    "minus",
    "overdrawn",
    "overdraft",
    "debt",
    "arrears",
    "red",
    "short",
    "required",
    "needed",
    "necessary",
    "must",
    "pay",
    "until",
    "before",
    "if",
    "when",
    "billion",
    "million",
    "trillion",
    "thousand",
    "hundred",
    "lakh",
    "crore",
    "bn",
    "mn",
    "grand",
    "reached",
    "required.",
    "trigger",
    "负",
    "負",
    "透支",
    "欠",
    "赤字",
    "マイナス",
    "时",
    "時",
    "下回",
    "未満",
    "以下",
    "変",
    "到",
    "至",
    "owed",
    "owing",
    "approximately",
    "approx",
    "approx.",
    "about",
    "roughly",
    "or so",
    "circa",
    "ca",
    "estimated",
    "左右",
    "上下",
    "ほど",
    "程度",
    "くらい",
    "ぐらい",
    "前後",
    "吗",
    "嗎",
    "ですか",
    "でしょうか",
    "约",
    "約",
    "give or take",
    "more or less",
    "plus or minus",
    "thereabouts",
];
/// Words that say of the whole account that its balance is a debt, whatever sign it is written with.
const OVERDRAWN: [&str; 22] = [
    "overdrawn",
    "overdraft",
    "negative balance",
    "balance is negative",
    "in the red",
    "in arrears",
    "minus balance",
    "debit balance",
    "in debit",
    "透支",
    "余额为负",
    "餘額為負",
    "负余额",
    "已欠费",
    "赤字",
    "マイナス",
    "überzogen",
    "im minus",
    "découvert",
    "descubierto",
    "scoperto",
    "овердрафт",
];
/// Words of languages in which a comma is the decimal sign.
const DECIMAL_COMMA: [&str; 21] = [
    "guthaben",
    "kontostand",
    "betrag",
    "rechnung",
    "saldo",
    "solde",
    "montant",
    "facture",
    "importe",
    "factura",
    "fattura",
    "faktura",
    "баланс",
    "остаток",
    "сумма",
    "bakiye",
    "tutar",
    "konto",
    "compte",
    "cuenta",
    "conta",
];
/// Words by which a mail says that all of its amounts are in another unit than is written beside them.
const SCALES: [&str; 27] = [
    "in thousands",
    "in millions",
    "in billions",
    "in cents",
    "in pence",
    "in hundreds",
    "usd '000",
    "$'000",
    "'000s",
    "单位:",
    "单位：",
    "單位:",
    "單位：",
    "単位:",
    "単位：",
    "in tsd",
    "in tausend",
    "in mio",
    "in millionen",
    "in cent.",
    "en milliers",
    "en millions",
    "en centimes",
    "en miles",
    "en millones",
    "em milhares",
    "in migliaia",
];
/// Words by which a mail says that all of its amounts are only about right.
const ESTIMATES: [&str; 14] = [
    "amounts are approximate",
    "amounts are estimate",
    "figures are approximate",
    "figures are estimate",
    "balances are approximate",
    "balance is approximate",
    "balance is an estimate",
    "is an approximation",
    "仅供参考",
    "僅供參考",
    "金额为估算",
    "金額は概算",
    "概算です",
    "ungefähre angaben",
];
/// How a sentence begins that asks something.
const QUESTIONS: [&str; 16] = [
    "is your",
    "is the",
    "is my",
    "was your",
    "was the",
    "are you",
    "do you",
    "did you",
    "does your",
    "have you",
    "has your",
    "what if",
    "ist ihr",
    "haben sie",
    "est-ce",
    "¿",
];
/// Words for one of several places where an account keeps money.
const WALLETS: [&str; 12] = [
    "wallet",
    "钱包",
    "錢包",
    "ウォレット",
    "billetera",
    "portefeuille",
    "geldbörse",
    "кошел",
    "sub-account",
    "subaccount",
    "子账户",
    "子帳戶",
];
/// Words for money of another kind, which is kept apart from what was paid in.
const OTHER_MONEY: [&str; 18] = [
    "bonus",
    "promo",
    "gift",
    "voucher",
    "coupon",
    "free ",
    "trial",
    "grant",
    "赠",
    "贈",
    "代金券",
    "优惠券",
    "优惠",
    "红包",
    "送",
    "体验",
    "ボーナス",
    "クーポン",
];
/// Words between two amounts of one kind.
const AND: [&str; 12] = ["和", "与", "與", "及", "以及", "或", "、", "and", "or", "&", "+", "~"];
/// What parts words in one line.
pub(super) const BLANKS: [char; 3] = [' ', '\u{A0}', '\t'];

/// What a mail as a whole says of its amounts.
pub(super) struct Manner {
    /// It speaks of a balance: other amounts need a label that leaves no doubt.
    has_balance: bool,
    /// It says that the account is overdrawn, so that a positive balance may be a negative one.
    pub(super) is_overdrawn: bool,
    /// It is in a language in which a comma is the decimal sign.
    pub(super) has_decimal_comma: bool,
    /// It says somewhere that its amounts are in thousands, in cents or the like, or only about right.
    pub(super) has_scale: bool,
}

impl Manner {
    pub(super) fn of(text: &str) -> Manner {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        Manner {
            has_balance: has(&BALANCE_NOUNS) || has(&["credits", "funds"]),
            is_overdrawn: has(&OVERDRAWN),
            has_decimal_comma: has(&DECIMAL_COMMA),
            has_scale: has(&SCALES) || has(&ESTIMATES),
        }
    }
}

/// The words around an amount.
pub(super) struct Words<'a> {
    /// All that stands before it, with the end of the number before it.
    before: &'a str,
    /// What of it belongs to no other number, in its clause.
    context: String,
    /// What stands behind it.
    behind: &'a str,
    /// All that parts it from the number before it.
    between: &'a str,
}

/// What a label says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    pub(super) role: Role,
    /// It would be one without a currency, too: it has a colon, or is Chinese or Japanese.
    pub(super) is_strict: bool,
    /// Nothing but links parts it from the amount before which it stands.
    pub(super) is_before: bool,
    /// The amount stands in another line than the label.
    is_in_next_line: bool,
}

impl<'a> Words<'a> {
    /// What stands before `taken` belongs to another number.
    pub(super) fn new(text: &'a str, taken: usize, start: usize, end: usize) -> Words<'a> {
        let context = clause(&text[taken..start], true).to_lowercase();
        Words { before: &text[..start], context, behind: &text[end..], between: &text[taken..start] }
    }

    /// Whether only a word like "and" parts it from the amount before it, or nothing at all.
    pub(super) fn is_listed(&self, has_currency: bool) -> bool {
        let between = self.between.trim();
        AND.contains(&self.context.trim())
            || [",", "/", ";", "|"].contains(&between)
            || (has_currency && between.is_empty() && !self.before.is_empty() && !self.between.is_empty())
    }

    /// Whether it is what is left in one of several wallets, or money of another kind. What is left in all of them is not said
    /// then by any other amount.
    pub(super) fn is_of_another_wallet(&self) -> bool {
        let (bare, links) = without_links(&self.context);
        let is_balance = BALANCE_NOUNS.iter().any(|noun| bare.ends_with(noun));
        let run = bare.rfind(['\n', ':', ';', '(', '|', '\t']).map_or(bare, |at| &bare[at..]);
        let has = |words: &[&str]| words.iter().any(|word| run.contains(word));
        let is_other_money = has(&OTHER_MONEY) || (!is_balance && bare.ends_with("credits"));
        let is_label = is_balance || links.has_colon;
        (is_label && is_other_money) || (links.has_colon && !is_balance && has(&WALLETS)) || bare.ends_with("also have")
    }

    /// What it is; none if nothing says so, or if it is something else.
    pub(super) fn label(&self, manner: &Manner) -> Option<Label> {
        let label = self.label_before(manner).or_else(|| self.label_behind(manner))?;
        let is_compared = begins_with(self.behind, &COMPARED).is_some();
        let sentence = clause(self.before, false).to_lowercase();
        let is_supposed = CONDITIONS_FINDER.is_in(&sentence);
        let is_asked = begins_with(sentence.trim_start(), &QUESTIONS).is_some() || self.ends_as_a_question();
        (!is_compared && !is_supposed && !is_asked).then_some(label)
    }

    fn label_before(&self, manner: &Manner) -> Option<Label> {
        let (bare, links) = without_links(&self.context);
        let ends = |words: &[&'static str]| {
            let fitting = words
                .iter()
                .filter(|word| bare.ends_with(**word) && is_word(bare, bare.len() - word.len(), bare.len()));
            fitting.max_by_key(|word| word.len()).copied()
        };
        let balance = ends(&BALANCE_NOUNS).or_else(|| ends(&BALANCE_WORDS));
        let perhaps = || if manner.has_balance { None } else { ends(&PERHAPS_DUE) };
        let (word, role) = match (ends(&DUE).or_else(perhaps), balance) {
            (Some(due), balance) if balance.is_none_or(|balance| balance.len() < due.len()) => (due, Role::Due),
            (_, balance) => (balance?, Role::Balance),
        };
        let head = &bare[..bare.len() - word.len()];
        let parts = |c: char| ":;()[]【】–—\t".contains(c) || (has_cjk(word) && c.is_whitespace());
        let run = head.rfind(parts).map_or(bare, |at| &bare[at..]);
        let has_noun = |run: &str| BALANCE_NOUNS.iter().any(|noun| run.contains(noun));
        let is_other = NOT_IT_FINDER.is_in(run) || THRESHOLD_FINDER.is_in(&self.context);
        // "Maintain a balance of $5" says what it has to be.
        let is_anybodys =
            links.has_of && role == Role::Balance && !["your", "current"].iter().any(|own| run.contains(own));
        (!is_other && !is_anybodys).then_some(Label {
            role,
            is_before: true,
            // "Days remaining: 5" says nothing of money.
            is_strict: has_cjk(word) || (links.has_colon && (role == Role::Due || has_noun(run))),
            is_in_next_line: links.has_line,
        })
    }

    fn label_behind(&self, manner: &Manner) -> Option<Label> {
        let label = |role| Label { role, is_before: false, is_strict: false, is_in_next_line: false };
        let context = self.context.trim_matches([' ', '\u{A0}', '\n', '\t']);
        let ends = |words: &[&str]| {
            words
                .iter()
                .any(|word| context.ends_with(word) && is_word(context, context.len() - word.len(), context.len()))
        };
        if begins_with(self.behind, &LEFT).is_some() {
            let is_other = NOT_IT_FINDER.is_in(context);
            return (!is_other && (context.is_empty() || context.ends_with(':') || ends(&BEFORE_LEFT)))
                .then(|| label(Role::Balance));
        }
        if manner.has_balance {
            return None;
        }
        let clause = clause(self.before, true).to_lowercase();
        let is_whole = self.before.trim().is_empty() && self.behind.trim().is_empty();
        let is_billed = ends(&OF_A_BILL) && BILLS_FINDER.is_in(&clause);
        let is_due = context.is_empty() && begins_with(self.behind, &DUE_BEHIND).is_some();
        let is_other = || NOT_IT_FINDER.is_in(&clause);
        (is_whole || ((is_billed || is_due) && !is_other())).then(|| label(Role::Due))
    }

    /// Whether the sentence behind it ends with a question mark.
    fn ends_as_a_question(&self) -> bool {
        let behind = &self.behind[..self.behind.floor_char_boundary(MOST_BEHIND)];
        let mut chars = behind.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '?' => return true,
                '!' | '。' | '|' | '…' | '\n' | '\t' | ';' => return false,
                '.' if chars.peek().is_none_or(|next| next.is_whitespace()) => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether what stands behind the amount leaves it what it is.
    pub(super) fn is_clear_behind(&self, label: Label) -> bool {
        let behind = &self.behind[..self.behind.floor_char_boundary(MOST_BEHIND)];
        if label.is_in_next_line && begins_with_amount(behind.trim_start()) {
            return false;
        }
        let rest = &behind[..clause_length(behind)];
        is_end(behind) && !CHANGING_FINDER.is_in(&rest.to_lowercase())
    }

    /// How much of the words behind it belongs to it and to no later number: `$5 left, ...`, and of a percentage what it is a
    /// share of.
    pub(super) fn taken_behind(&self) -> usize {
        begins_with(self.behind, &LEFT).or_else(|| begins_with(self.behind, &["%"])).unwrap_or_default()
    }
}

/// Whether a clause ends here, or goes on with words that are known.
fn is_end(behind: &str) -> bool {
    let mut rest = behind.chars();
    let first = rest.next();
    let rest = rest.as_str();
    match first {
        None => true,
        Some('\n') => is_new_line(rest),
        Some('\t') => !begins_with_amount(rest.trim_start_matches(BLANKS)),
        Some(c) if ".,;!?|。、…\"”»】」".contains(c) => {
            let next = rest.trim_start_matches([' ', '\u{A0}', '.', ',', '(']);
            !rest.starts_with(|c: char| c.is_numeric() || "-–—<>=".contains(c))
                && begins_with(next, &CHANGING).is_none()
        }
        Some(')') => is_end(rest),
        Some('(') => begins_with(rest, &IN_PARENTHESES).is_some(),
        Some(' ' | '\u{A0}') => {
            let next = behind.trim_start_matches(BLANKS);
            let is_dash = next.starts_with(['-', '–', '—']);
            let after = next.trim_start_matches(['-', '–', '—']);
            match next.chars().next() {
                None | Some('\n') => is_end(next),
                Some('(' | ')' | '|' | '。') => is_end(next),
                _ if is_dash => {
                    let word = after.trim_start_matches(BLANKS);
                    after.starts_with(BLANKS)
                        && word.starts_with(char::is_alphabetic)
                        && !begins_with_amount(word)
                        && begins_with(word, &CHANGING).is_none()
                }
                _ => goes_on(next),
            }
        }
        Some(_) => goes_on(behind),
    }
}

/// Whether a line begins something new: a clause that was broken at the end of a line goes on with a small letter or a unit.
fn is_new_line(line: &str) -> bool {
    let is_unit = |(word, _): (Word, usize)| matches!(word, Word::Times(_) | Word::Part(..) | Word::Side { .. });
    let goes_on_small = line.starts_with(char::is_lowercase) && !begins_with_known(line);
    let is_sign = ["-", "\u{2212}", "+", "%"].contains(&line.split('\n').next().unwrap_or_default().trim());
    !goes_on_small && !is_sign && begins_with(line, &CHANGING).is_none() && !amount::word(line).is_some_and(is_unit)
}

/// Whether a known phrase follows; behind "left" another one, or the end.
fn goes_on(behind: &str) -> bool {
    match begins_with(behind, &LEFT) {
        Some(length) => {
            let rest = &behind[length..];
            let is_known = begins_with(rest, &BEHIND_LEFT).is_some();
            is_known
                || (rest.is_empty() || !rest.starts_with(BLANKS) || rest.trim_start_matches(BLANKS).starts_with('\n'))
                    && is_end(rest)
        }
        None => begins_with_known(behind),
    }
}

/// Whether a text begins with a number, signs and a few letters before it or not.
fn begins_with_amount(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    word.chars().take(5).any(|c| c.is_ascii_digit())
}

/// What links a label and its amount.
#[derive(Default)]
struct Linked {
    has_colon: bool,
    has_of: bool,
    has_line: bool,
}

/// A text in lower case without the links at its end.
fn without_links(context: &str) -> (&str, Linked) {
    let mut linked = Linked::default();
    let mut bare = context;
    let mut has_parenthesis = false;
    loop {
        let trimmed = bare.trim_end_matches([' ', '\u{A0}', '\n', '\t']);
        linked.has_line |= bare[trimmed.len()..].contains('\n');
        bare = trimmed;
        if let Some(rest) = bare.strip_suffix([':', '=']) {
            linked.has_colon = true;
            bare = rest;
            continue;
        }
        if let Some(rest) = bare.strip_suffix('(').filter(|_| !has_parenthesis) {
            has_parenthesis = true;
            bare = rest;
            continue;
        }
        let fits = |word: &&&str| bare.ends_with(**word) && is_word(bare, bare.len() - word.len(), bare.len());
        let Some(word) = LINKS.iter().filter(fits).max_by_key(|word| word.len()) else {
            return (bare, linked);
        };
        linked.has_of |= *word == "of";
        bare = &bare[..bare.len() - word.len()];
    }
}

/// What stands at the end of a text in its clause, or else in its sentence, which commas do not end.
fn clause(before: &str, has_commas: bool) -> &str {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(MOST_CONTEXT))..];
    let mut next: Option<char> = None;
    for (at, c) in before.char_indices().rev() {
        let is_end = match c {
            ';' => has_commas,
            '。' | '!' | '?' | '|' | '…' => true,
            '\n' => !before[..at].trim_end().ends_with([':', '=']),
            '.' => next.is_none_or(char::is_whitespace),
            ',' => has_commas && !next.is_some_and(|c| c.is_ascii_digit()),
            _ => false,
        };
        if is_end {
            return &before[at + c.len_utf8()..];
        }
        next = Some(c);
    }
    before
}

/// Where the clause ends that a text begins with.
fn clause_length(behind: &str) -> usize {
    let mut chars = behind.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let is_end = match c {
            ';' | '。' | '!' | '?' | '|' | '…' | '\n' | '\t' | '、' | '(' => true,
            '.' | ',' => next.is_none_or(|c| !c.is_ascii_digit()),
            _ => false,
        };
        if is_end {
            return at;
        }
    }
    behind.len()
}

/// Whether a text begins with words that may stand behind an amount.
fn begins_with_known(text: &str) -> bool {
    begins_with(text, &BEHIND).is_some() || begins_with(text, &DUE_BEHIND).is_some()
}

/// The length of what a text begins with, if it is one of some words.
fn begins_with(text: &str, words: &[&str]) -> Option<usize> {
    let bare = text.trim_start_matches(BLANKS);
    let blanks = text.len() - bare.len();
    let start = bare[..bare.floor_char_boundary(32)].to_lowercase();
    let word = words.iter().find(|word| start.starts_with(**word) && is_word(&start, 0, word.len()))?;
    Some(blanks + word.len())
}

/// Words that are looked for anywhere in a text, by one automaton that is made for the first mail.
struct Finder {
    words: &'static [&'static str],
    /// Latin words are found only as a whole, not as the beginning of another one.
    is_whole: bool,
    automaton: OnceLock<Option<AhoCorasick>>,
}

static NOT_IT_FINDER: Finder = Finder::beginnings(&NOT_IT);
static THRESHOLD_FINDER: Finder = Finder::beginnings(&THRESHOLD);
static BILLS_FINDER: Finder = Finder::beginnings(&BILLS);
static CONDITIONS_FINDER: Finder = Finder::whole(&CONDITIONS);
static CHANGING_FINDER: Finder = Finder::whole(&CHANGING);

impl Finder {
    const fn beginnings(words: &'static [&'static str]) -> Finder {
        Finder { words, is_whole: false, automaton: OnceLock::new() }
    }

    const fn whole(words: &'static [&'static str]) -> Finder {
        Finder { words, is_whole: true, automaton: OnceLock::new() }
    }

    /// Whether a text in lower case holds one of the words.
    fn is_in(&self, text: &str) -> bool {
        let Some(automaton) = self.automaton.get_or_init(|| AhoCorasick::new(self.words).ok()) else {
            // Only a list that is too large for memory fails, and these are short. Nothing is told then.
            return true;
        };
        automaton
            .find_overlapping_iter(text)
            .any(|found| is_word(text, found.start(), if self.is_whole { found.end() } else { text.len() }))
    }
}

/// Whether a match does not begin or end inside a Latin word.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let splits = |at: usize| {
        text[..at].chars().next_back().is_some_and(is_latin) && text[at..].chars().next().is_some_and(is_latin)
    };
    !splits(start) && !splits(end)
}

fn has_cjk(word: &str) -> bool {
    word.chars().any(|c| c >= '\u{2E80}')
}

/// Whether a character is a letter or digit of a script that puts blanks between words.
pub(super) fn is_latin(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2E80}'
}
