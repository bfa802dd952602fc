//! What the words around an amount in a mail say of it.
//!
//! An amount is told only where these words are known on both sides: a label such as "balance" with nothing but words like "is"
//! between it and the amount, and behind the amount the end of a clause or one of a few phrases. A scale, a sign, a country or a
//! comparison that this list does not know then costs an alert its amount, and never makes it a wrong one.

mod clauses;
mod finder;
mod vocabulary;

use std::borrow::Cow;

use self::clauses::{clause, clause_length, is_end, without_links};
pub(super) use self::finder::{BLANKS, Finder, is_latin};
use self::finder::{
    CASES_FINDER, CHANGING_FINDER, CONDITIONS_FINDER, DENIALS_FINDER, NOT_IT_FINDER, THRESHOLD_FINDER, UNSURE_FINDER,
    begins_with, ends_with,
};
use self::vocabulary::{
    AND, BALANCE_NOUNS, CASES, CHANGING, COMPARED, ESTIMATES, LEFT, NEGATIONS, OTHER_MONEY, OVERDRAWN, PAID,
    PAID_BEHIND, QUESTIONS, SCALES, WALLETS,
};

/// Most of a text behind an amount that is looked at, in bytes.
const MOST_BEHIND: usize = 120;

/// What a mail as a whole says of its amounts.
pub(super) struct Manner {
    /// It says that the account is overdrawn, so that a positive balance may be a negative one.
    pub(super) is_overdrawn: bool,
    /// It says somewhere that its amounts are in thousands, in cents or the like, or only about right.
    pub(super) has_scale: bool,
}

impl Manner {
    /// Of a text in small letters.
    pub(super) fn of(text: &str) -> Manner {
        const IF_NEGATIVE: &str = "余额为负时";
        static OF_DEBT: Finder = Finder::anywhere(&OVERDRAWN);
        static OF_SCALE: Finder = Finder::anywhere(&SCALES);
        static OF_ESTIMATE: Finder = Finder::anywhere(&ESTIMATES);
        let text: Cow<'_, str> =
            if text.contains(IF_NEGATIVE) { text.replace(IF_NEGATIVE, "").into() } else { text.into() };
        Manner { is_overdrawn: OF_DEBT.is_in(&text), has_scale: OF_SCALE.is_in(&text) || OF_ESTIMATE.is_in(&text) }
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

/// Whether words of a label make what seems to be a balance another one.
pub(super) fn is_other(label: &str) -> bool {
    NOT_IT_FINDER.is_in(&without_compounds(label))
}

/// A text without words that hold another one by chance: 约 is "about", and 合约 a contract.
fn without_compounds(text: &str) -> Cow<'_, str> {
    const COMPOUNDS: [&str; 29] = [
        "月至",
        "日至",
        "年至",
        "月到",
        "日到",
        "至今",
        "号至",
        "期至",
        "约定",
        "約定",
        "合约",
        "合約",
        "续约",
        "續約",
        "签约",
        "簽約",
        "预约",
        "預約",
        "契约",
        "契約",
        "送信",
        "发送",
        "發送",
        "传送",
        "傳送",
        "推送",
        "pay-as-you-go",
        "pay as you go",
        "prepay",
    ];
    static FINDER: Finder = Finder::anywhere(&COMPOUNDS);
    if !FINDER.is_in(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(COMPOUNDS.iter().fold(text.to_owned(), |text, compound| text.replace(compound, "")))
}

/// Whether words between two amounts make them ends of a range, or a change: `from $50 to $5`.
pub(super) fn is_range(between: &str) -> bool {
    const TO: [&str; 20] = [
        "auf", "à", "a", "to", "bis", "→", "->", "=>", "-", "–", "~", "～", "至", "到", "降至", "变为", "から", "降到",
        "until", "hasta",
    ];
    TO.contains(&between.trim())
}

/// Whether a label is a word for a balance.
pub(super) fn has_noun(label: &str) -> bool {
    BALANCE_NOUNS.iter().chain(&["当前金额", "目前金额"]).any(|noun| label.contains(noun))
}

/// Whether a line ends, and the next one is a label with its own value, or a sentence.
fn is_another_row(behind: &str) -> bool {
    let Some(next) = behind.trim_start_matches(BLANKS).strip_prefix('\n') else {
        return false;
    };
    let line = next.trim_start().split('\n').next().unwrap_or_default();
    let words = line.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count();
    line.is_empty() || line.contains([':', '\t', '=']) || words > 1
}

/// Whether another name and its value follow, as machines write them: `balance=5 limit=10`.
fn is_another_pair(behind: &str) -> bool {
    let next = behind.strip_prefix(' ').unwrap_or_default();
    let name = next.find(|c: char| !(is_latin(c) || c == '_')).unwrap_or(next.len());
    name > 0 && next[name..].starts_with('=')
}

/// Whether words before an amount say that it is a threshold.
pub(super) fn is_threshold(clause: &str) -> bool {
    THRESHOLD_FINDER.is_in(clause)
}

impl<'a> Words<'a> {
    /// What stands before `taken` belongs to another number.
    pub(super) fn new(text: &'a str, taken: usize, start: usize, end: usize) -> Words<'a> {
        let context = clause(&text[taken..start], true).to_lowercase();
        Words { before: &text[..start], context, behind: &text[end..], between: &text[taken..start] }
    }

    /// Whether only a word like "and" parts it from the amount before it, or nothing at all.
    pub(super) fn is_listed(&self, has_currency: bool, is_after_amount: bool) -> bool {
        let between = self.between.trim();
        AND.contains(&self.context.trim())
            || (is_after_amount && [",", "/", ";", "|"].contains(&between))
            || (has_currency && between.is_empty() && !self.before.is_empty() && !self.between.is_empty())
    }

    /// Whether it is what is left in one of several wallets, or money of another kind, and the second whether it is the latter.
    /// What is left in all of them is not said then by any other amount.
    pub(super) fn is_of_another_wallet(&self) -> (bool, bool) {
        let (bare, links) = without_links(&self.context);
        let is_balance = BALANCE_NOUNS.iter().any(|noun| bare.ends_with(noun));
        let run = bare.rfind(['\n', ':', ';', '(', '|', '\t']).map_or(bare, |at| &bare[at..]);
        let has = |words: &[&str]| words.iter().any(|word| run.contains(word));
        let is_other_money = has(&OTHER_MONEY) || (!is_balance && bare.ends_with("credits"));
        let is_label = is_balance || links.has_colon;
        let is_other_money = (is_label && is_other_money) || bare.ends_with("also have");
        (is_other_money || (links.has_colon && !is_balance && has(&WALLETS)), is_other_money)
    }

    /// Whether it is a part of a bill that is paid, so that another part may be owed.
    pub(super) fn is_paid(&self) -> bool {
        let (bare, _) = without_links(&self.context);
        ends_with(bare, &PAID).is_some() || begins_with(self.behind, &PAID_BEHIND).is_some()
    }

    /// Whether it stands alone in parentheses, as accountants write what is owed: `Balance: ($12.50)`. What goes on behind them
    /// makes it a remark: `Your balance ($5) is low`.
    pub(super) fn is_alone_in_parentheses(&self) -> bool {
        let Some(before) = self.before.trim_end().strip_suffix('(') else {
            return false;
        };
        // Letters say the same again in figures.
        if before.trim_end().ends_with(['整', '元', '圆', '圓']) {
            return false;
        }
        let Some(behind) = self.behind.trim_start().strip_prefix(')') else {
            return false;
        };
        let context = before.to_lowercase();
        let (bare, _) = without_links(&context);
        let is_linked = bare.len() < context.trim_end().len();
        let goes_on = behind.trim_start_matches(BLANKS).starts_with(char::is_alphabetic);
        is_linked || !goes_on
    }

    /// Whether the words right before it say that it is not it: `is not $5`.
    fn is_denied(&self) -> bool {
        let (bare, _) = without_links(&self.context);
        bare.ends_with("n't") || ends_with(bare, &NEGATIONS).is_some()
    }

    /// What stands behind it in its sentence, with the sign that ends that; a semicolon may be one, and may be a comma of Chinese.
    fn rest_of_sentence(&self, has_semicolons: bool) -> &'a str {
        let behind = &self.behind[..self.behind.floor_char_boundary(MOST_BEHIND)];
        let mut chars = behind.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let is_end = match c {
                '?' | '!' | '。' | '|' | '…' | '\n' | '\t' => true,
                ';' => has_semicolons,
                '.' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()),
                _ => false,
            };
            if is_end {
                return &behind[..at + c.len_utf8()];
            }
        }
        behind
    }

    /// Whether the words around it leave in doubt that it is what it seems to be. Behind a label only the end of a clause or a
    /// few phrases may stand; in a sentence, all but words that change what it is.
    pub(super) fn is_doubtful(&self, is_left: bool, is_labelled: bool) -> bool {
        if begins_with(self.behind, &COMPARED).is_some() || self.is_denied() {
            return true;
        }
        let sentence = clause(self.before, false).to_lowercase();
        if UNSURE_FINDER.is_in(&sentence) || UNSURE_FINDER.is_in(&self.rest_of_sentence(false).to_lowercase()) {
            return true;
        }
        if is_left {
            let is_supposed = CONDITIONS_FINDER.is_in(&sentence) || DENIALS_FINDER.is_in(&sentence);
            let is_asked =
                begins_with(sentence.trim_start(), &QUESTIONS).is_some() || self.rest_of_sentence(true).ends_with('?');
            if is_supposed || is_asked {
                return true;
            }
        }
        if ["不足以", "insufficient to", "not enough to"].iter().any(|words| self.context.contains(words)) {
            return true;
        }
        let behind = self.behind[..self.behind.floor_char_boundary(MOST_BEHIND)].replace("\n\n", "\n");
        let behind = behind.as_str();
        let (rest, after) = behind.split_at(clause_length(behind));
        let remark = after.strip_prefix('(').and_then(|after| after.split(')').next()).unwrap_or_default();
        let changes = |words: &str| {
            let words = words.to_lowercase();
            let words = without_compounds(&words);
            CHANGING_FINDER.is_in(&words) || CASES_FINDER.is_in(&words)
        };
        let is_remark = behind.trim_start_matches(BLANKS).starts_with('(');
        if changes(remark) && is_remark {
            return true;
        }
        let ends = is_end(behind) || is_another_row(behind) || is_another_pair(behind);
        if (is_labelled && is_left && !is_remark) || behind.starts_with('\n') {
            return !ends || changes(rest);
        }
        let next = without_compounds(behind.trim_start_matches([' ', '\u{A0}', '.', ',', '(']));
        let next = &*next;
        let is_same_sentence = !behind.trim_start_matches(BLANKS).starts_with('.');
        // In Chinese a condition stands before what depends on it.
        let is_case = is_same_sentence && next.starts_with(is_latin) && begins_with(next, &CASES).is_some();
        begins_with(next, &CHANGING).is_some() || (is_left && (changes(rest) || is_case))
    }

    /// How much of the words behind it belongs to it and to no later number: `$5 left, ...`, and of a percentage what it is a
    /// share of.
    pub(super) fn taken_behind(&self) -> usize {
        begins_with(self.behind, &LEFT).or_else(|| begins_with(self.behind, &["%"])).unwrap_or_default()
    }
}
