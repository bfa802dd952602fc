//! What stands behind a number.

use super::{FAR, Side, Step, Why, is_unread};
use crate::model::amount::{self, Word};
use crate::page::value::digits::{is_one_number, run_behind};
use crate::page::value::surroundings::{
    is_blank, is_glue, is_line_end, is_minus, is_of_run, is_of_word, is_parting, is_wrapping, string, tag,
};

impl Side<'_> {
    /// Looks at what stands behind the number, away from it.
    pub(super) fn walk_on(&mut self) -> Result<(), Why> {
        let (mut at, mut is_apart, mut depth) = (0, false, 0);
        while at < self.characters.len() {
            let c = self.characters[at].c;
            if is_line_end(c) {
                return self.ends_at(at);
            }
            if is_blank(c) {
                is_apart = true;
                at += 1;
                continue;
            }
            match self.step_on(c, at, is_apart, &mut depth)? {
                Step::End => return self.ends_at(at),
                Step::Over(count) => at += count,
            }
            is_apart |= is_of_word(c) || is_of_run(c);
        }
        Ok(())
    }

    fn step_on(&mut self, c: char, at: usize, is_apart: bool, depth: &mut usize) -> Result<Step, Why> {
        let behind = &self.characters[at + 1..];
        let touches = self.seen_from(at + 1, false).0;
        let next = behind.iter().find(|character| !is_blank(character.c)).map_or(' ', |character| character.c);
        if is_unread(touches) {
            return Err(Why::Cut);
        }
        if c.is_numeric() {
            let gap = self.characters[..at].iter().rev().find(|character| is_blank(character.c));
            let is_alone = self.characters[..at].iter().all(|character| is_blank(character.c));
            let may_end = gap.is_some_and(|gap| self.named(std::slice::from_ref(gap)).is_some());
            let is_part = c > '\u{7f}' || (is_alone && self.leads_to(at, " "));
            return if may_end && !is_part { Ok(Step::End) } else { Err(Why::Cut) };
        }
        if is_glue(c) && (touches.is_numeric() || c == ',' && next.is_numeric()) {
            let may_end = self.is_named(at) || (c == ',' && !touches.is_numeric());
            return if may_end && !self.leads_to(at + 1, &c.to_string()) { Ok(Step::End) } else { Err(Why::Cut) };
        }
        if c == ',' && is_minus(touches) && !self.is_named(at) {
            return Err(Why::Cut);
        }
        let rest = string(&self.characters[at..self.characters.len().min(at + 40)]);
        if !is_of_word(c)
            && !is_of_run(c)
            && let Some((word @ (Word::Currency(_) | Word::Part(..)), length)) = amount::word(&rest)
        {
            let count = rest[..length].chars().count();
            self.take(word, at..at + count);
            return Ok(Step::Over(count));
        }
        if is_minus(c) {
            return self.dash(at, is_apart, touches, next);
        }
        match c {
            '+' => Err(Why::Changed),
            '.' if (at > 0 && is_blank(self.characters[at - 1].c)) || touches.is_alphanumeric() || touches == '.' => {
                Err(Why::Unknown)
            }
            ':' if touches.is_numeric() && !self.is_named(at) => Err(Why::Unknown),
            '<' => match tag(&self.characters[at..]) {
                Some((_, true)) => Ok(Step::End),
                Some((length, false)) => Ok(Step::Over(length)),
                None => Err(Why::Unknown),
            },
            ')' if *depth > 0 => {
                *depth -= 1;
                Ok(Step::Over(1))
            }
            // The end of `cb({"balance": 5})`.
            ')' if at > 0 && matches!(self.characters[at - 1].c, '}' | ']') => Ok(Step::End),
            ')' if self.is_left_out(at) => Err(Why::Changed),
            _ if !is_of_word(c) && !is_of_run(c) && !is_wrapping(c) && self.is_named(at) => Ok(Step::End),
            ')' => {
                self.is_in_parentheses = true;
                Ok(Step::End)
            }
            '(' => {
                *depth += 1;
                Ok(Step::Over(1))
            }
            '•' if touches.is_numeric() => Err(Why::Cut),
            ',' | '.' | ':' => Ok(Step::End),
            c if is_parting(c) => Ok(Step::End),
            c if is_wrapping(c) => Ok(Step::Over(1)),
            '&' if self.begins_parameter(at) || rest.starts_with("&lt;/") => Ok(Step::End),
            c if is_of_run(c) => {
                let length = behind.iter().position(|other| !is_of_run(other.c)).unwrap_or(behind.len());
                self.run(at..at + 1 + length, false)
            }
            c if is_of_word(c) => {
                let length = behind.iter().position(|other| !is_of_word(other.c)).unwrap_or(behind.len());
                self.whole_name(at, &rest).map_or_else(|| self.word(at..at + 1 + length, at == 0, false), Ok)
            }
            _ => Err(Why::Unknown),
        }
    }

    /// A currency of letters and signs, such as `US$`.
    fn whole_name(&mut self, at: usize, rest: &str) -> Option<Step> {
        let (word, length) = amount::word(rest).filter(|(word, _)| matches!(word, Word::Currency(_)))?;
        let count = rest[..length].chars().count();
        let follows = self.characters.get(at + count).is_some_and(|character| is_of_word(character.c));
        (!follows || !rest[..length].ends_with(is_of_word)).then(|| {
            self.take(word, at..at + count);
            Step::Over(count)
        })
    }

    /// A dash behind the number: a minus, the sign of a range, or one that parts words.
    fn dash(&mut self, at: usize, is_apart: bool, touches: char, next: char) -> Result<Step, Why> {
        let is_range = self.is_named(at) && next.is_alphanumeric();
        let rest = string(&self.characters[at + 1..self.characters.len().min(at + 40)]);
        let is_before_currency = amount::word(rest.trim_start()).is_some();
        let parts_words = is_apart && is_blank(touches) && next.is_alphabetic() && !is_before_currency;
        if is_range || parts_words {
            return Ok(Step::End);
        }
        let is_alone = at == 0 && self.characters[1..].iter().take_while(|c| !is_line_end(c.c)).all(|c| is_blank(c.c));
        if is_alone && self.words.is_empty() {
            self.has_minus_behind = true;
            return Ok(Step::End);
        }
        Err(Why::Changed)
    }

    /// Whether `&name=` begins at a place, as another parameter of an address.
    fn begins_parameter(&self, at: usize) -> bool {
        let name =
            self.characters[at + 1..].iter().take_while(|character| is_of_word(character.c) || character.c == '_');
        let length = name.count();
        length > 0 && self.characters.get(at + 1 + length).is_some_and(|character| character.c == '=')
    }

    /// Whether the number and the one at a place, with this between them, are one number, or a whole one and a fraction.
    fn leads_to(&self, at: usize, between: &str) -> bool {
        let rest = string(&self.characters[at..]);
        let rest = rest.trim_start();
        let run = run_behind(rest);
        let groups = run.char_indices().filter(|(_, c)| is_glue(*c)).map(|(at, _)| at).chain([run.len()]);
        let mut whole = groups.map(|end| format!("{}{between}{}", self.number, &run[..end]));
        whole.any(|whole| is_one_number(&whole)) || rest[run.len()..].starts_with(['/', '\u{2044}'])
    }

    /// Whether the number ends before a place: no decimals stand behind it, and no word of scale.
    fn ends_at(&self, at: usize) -> Result<(), Why> {
        let c = self.characters[at].c;
        let is_line = c == '<' || is_line_end(c);
        match self.seen_from(at, true) {
            ('.' | ',', next) if is_line && next.is_numeric() => Err(Why::Cut),
            // A minus of its own, and no dash before a word.
            (c, next) if is_line && is_minus(c) && !next.is_alphanumeric() => Err(Why::Changed),
            _ if (is_line || matches!(c, ';' | '|' | ',')) && self.is_changed_by_next_word(at) => Err(Why::Changed),
            _ => self.without_scale_behind(at),
        }
    }

    /// Whether the next word, in another cell or on another line, is one that makes another number of it.
    fn is_changed_by_next_word(&self, at: usize) -> bool {
        let mut next = at;
        while let Some(character) = self.characters.get(next).filter(|character| !character.c.is_alphanumeric()) {
            let tag = tag(&self.characters[next..]).filter(|_| character.c == '<');
            next += tag.map_or(1, |(length, _)| length);
        }
        let rest = &self.characters[next.min(self.characters.len())..];
        let length = rest.iter().position(|character| !is_of_word(character.c)).unwrap_or(rest.len());
        let words = amount::words(&string(&rest[..length])).unwrap_or_default();
        let changes = |word: &Word| matches!(word, Word::Times(_) | Word::Part(..) | Word::Side { is_debit: true });
        words.iter().any(changes) && self.named(&rest[..length]).is_none()
    }

    /// Looks for a word of scale behind where the number's own words end.
    fn without_scale_behind(&self, at: usize) -> Result<(), Why> {
        let near = &self.characters[at..self.characters.len().min(at + FAR)];
        self.without_scale(near, false).map(|_| ())
    }
}
