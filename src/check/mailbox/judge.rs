//! Whether a mail speaks of trouble: by the program's own engine, or by the words that a config gives instead.

use super::engine::{self, Weighed};
use super::keywords::Keywords;
use super::mail::Mail;
use crate::model::strength::Strength;

/// What is said of a mail, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whether it speaks of trouble.
    pub is_trouble: bool,
    /// How strongly it does.
    pub strength: Strength,
    /// What speaks for it, the strongest first.
    pub signs_for: Vec<String>,
    /// What speaks against it, the strongest first.
    pub signs_against: Vec<String>,
    /// Only its beginning was looked at, because it has too many words.
    pub is_cut: bool,
}

/// How the mails of a mailbox are judged.
pub struct Judge {
    rule: Rule,
    enough: Strength,
}

/// What decides.
enum Rule {
    /// These words and nothing else: a mail that holds one of them speaks of trouble.
    Words(Keywords),
    /// The program's own engine, and these words as signs that leave no doubt.
    Engine(Keywords),
}

impl Default for Judge {
    /// As a mailbox without settings of its own.
    fn default() -> Judge {
        Judge::by_engine([], None)
    }
}

impl Judge {
    /// Judges by the program's own engine, with more signs that leave no doubt. `enough` replaces the strength from which on a
    /// mail speaks of trouble.
    pub fn by_engine(more: impl IntoIterator<Item = String>, enough: Option<Strength>) -> Judge {
        Judge { rule: Rule::Engine(Keywords::new(more)), enough: enough.unwrap_or(engine::ENOUGH) }
    }

    /// Judges by these words alone.
    pub fn by_words(words: impl IntoIterator<Item = String>, enough: Option<Strength>) -> Judge {
        Judge { rule: Rule::Words(Keywords::new(words)), enough: enough.unwrap_or(engine::ENOUGH) }
    }

    /// What is to be said of a mail.
    pub fn judge(&self, mail: &Mail) -> Judgement {
        let found = |words: &Keywords| match words.is_empty() {
            true => Vec::new(),
            false => words.find(&format!("{}\n{}", mail.subject, mail.text)),
        };
        let Weighed { strength, signs_for, signs_against, is_cut } = match &self.rule {
            Rule::Words(words) => of_words(found(words), Weighed::default()),
            Rule::Engine(more) => of_words(found(more), engine::weigh(mail)),
        };
        Judgement { is_trouble: strength >= self.enough, strength, signs_for, signs_against, is_cut }
    }
}

/// What was weighed, with words that leave no doubt before all other signs.
fn of_words(words: Vec<String>, mut weighed: Weighed) -> Weighed {
    if !words.is_empty() {
        weighed.strength = Strength::FULL;
        weighed.signs_for.retain(|sign| !words.contains(sign));
        weighed.signs_for.splice(..0, words);
    }
    weighed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::mailbox::mail;

    fn judged(judge: &Judge, subject: &str, body: &str) -> Judgement {
        judge.judge(&mail::read(format!("Subject: {subject}\r\n\r\n{body}\r\n").as_bytes()))
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_replace_the_engine_or_stand_beside_it() {
        let trouble = "Your account balance is too low: low balance, your services will be suspended.";
        let by_engine = judged(&Judge::default(), "Low balance", trouble);
        assert!(by_engine.is_trouble && !by_engine.signs_for.is_empty(), "{by_engine:?}");
        assert!(!judged(&Judge::default(), "Lunch", "see you at noon").is_trouble);
        // Words alone: what the engine would say does not count.
        let words = Judge::by_words(owned(&["配额不足"]), None);
        let nothing = Judgement {
            is_trouble: false,
            strength: Strength::NONE,
            signs_for: Vec::new(),
            signs_against: Vec::new(),
            is_cut: false,
        };
        assert_eq!(judged(&words, "Low balance", trouble), nothing);
        let found = judged(&words, "配额不足", "x");
        assert_eq!((found.is_trouble, found.strength, found.signs_for), (true, Strength::FULL, owned(&["配额不足"])));
        assert_eq!(judged(&Judge::by_words([], None), "Low balance", trouble), nothing);
        // More words: each is a sign that leaves no doubt, whatever the engine says of the rest.
        let more = Judge::by_engine(owned(&["noon"]), None);
        let found = judged(&more, "Lunch", "see you at noon");
        assert_eq!((found.is_trouble, found.strength), (true, Strength::FULL));
        assert_eq!(found.signs_for[0], "noon");
        assert!(judged(&more, "Low balance", trouble).is_trouble);
    }

    /// Trouble may stand behind what is looked at, and whoever reads "harmless" should know it.
    #[test]
    fn a_mail_that_is_too_long_is_said_to_be_cut() {
        for (words, is_cut) in [(10, false), (11_000, false), (13_000, true)] {
            let body = format!("{}\r\nYour payment has failed.", "word and\r\n".repeat(words / 2));
            assert_eq!(judged(&Judge::default(), "News", &body).is_cut, is_cut, "{words}");
            // Words that replace the engine are looked for in all of the text.
            assert!(!judged(&Judge::by_words(owned(&["failed"]), None), "News", &body).is_cut, "{words}");
        }
    }

    #[test]
    fn enough_is_what_the_mailbox_says() {
        let strength = judged(&Judge::default(), "Low balance", "Your balance is low.").strength;
        assert!(strength > Strength::NONE && strength < Strength::FULL, "{strength}");
        for (enough, want) in [(Strength::NONE, true), (strength, true), (Strength::FULL, false)] {
            let judge = Judge::by_engine([], Some(enough));
            assert_eq!(judged(&judge, "Low balance", "Your balance is low.").is_trouble, want, "{enough}");
        }
        let words = Judge::by_words(owned(&["overdue"]), Some(Strength::FULL));
        assert!(judged(&words, "overdue", "x").is_trouble);
    }

    /// The sentences that everybody would write first, as whole mails, with and without a subject that says nothing. Vendors whose mails
    /// are as short are few, but no reader forgives one of these.
    #[test]
    fn plain_sentences_are_judged_right() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in include_str!("../../../tests/mails/plain.tsv").lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [language, label, text] = fields[..] else { panic!("{line}") };
            let subject = if language == "en" { "Your account" } else { "通知" };
            for subject in [subject, ""] {
                let found = judged(&Judge::default(), subject, text);
                count += 1;
                if found.is_trouble != (label == "trouble") {
                    wrong.push(format!("{label} {} `{subject}` {text}", found.strength));
                }
            }
        }
        assert_eq!(count, 720);
        assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    }
}
