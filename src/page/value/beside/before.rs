//! What stands before a number.

use super::{Side, Step, Why, is_thousand, is_unread};
use crate::model::amount::{self, Word};
use crate::page::value::digits::{is_one_number, run_before};
use crate::page::value::surroundings::{
    currency_at_end, is_blank, is_glue, is_line_end, is_minus, is_of_run, is_of_word, is_parting, is_wrapping, string,
    tag,
};

impl Side<'_> {
    /// Looks at what stands before the number, away from it.
    pub(super) fn walk_back(&mut self) -> Result<(), Why> {
        let mut at = self.characters.len();
        let (mut is_apart, mut depth) = (false, 0);
        if self.number.starts_with('.') && self.seen_before(at, true).is_some_and(char::is_numeric) {
            return Err(Why::Cut);
        }
        while at > 0 {
            let c = self.characters[at - 1].c;
            let is_run_over = self.is_run_over(at - 1..at) || (self.is_matched(at - 1) && !self.is_written(at - 1));
            if is_line_end(c) && self.hangs_on_minus(at) {
                return Err(Why::Changed);
            }
            if is_line_end(c) && !is_run_over {
                return self.begins_at(at);
            }
            if c.is_whitespace() {
                self.has_crossed |= is_line_end(c);
                is_apart = true;
                at -= 1;
                continue;
            }
            let is_word = is_of_word(c) || is_of_run(c);
            match self.step_back(c, at, is_apart, &mut depth)? {
                Step::End if is_word || self.is_written(at - 1) => return self.without_debt(at),
                Step::End if !is_run_over => return self.begins_at(at),
                Step::End => {
                    self.has_crossed = true;
                    at -= 1;
                }
                Step::Over(count) => at -= count,
            }
            is_apart |= is_of_word(c) || is_of_run(c);
        }
        Ok(())
    }

    fn step_back(&mut self, c: char, at: usize, is_apart: bool, depth: &mut usize) -> Result<Step, Why> {
        let before = &self.characters[..at - 1];
        let last = before.iter().rev().find(|character| !is_blank(character.c)).map(|character| character.c);
        let is_next = at == self.characters.len();
        let seen = self.seen_before(at - 1, false);
        let touches_digit = seen.is_some_and(char::is_numeric);
        if before.last().is_some_and(|character| is_unread(character.c)) {
            return Err(Why::Cut);
        }
        if c.is_numeric() {
            let gap = self.characters[at..].iter().find(|character| is_blank(character.c));
            let may_end = gap.is_some_and(|gap| self.named(std::slice::from_ref(gap)).is_some());
            let text = string(&self.characters[..at]);
            return if may_end && !self.goes_on(at, " ") && !is_thousand(run_before(&text)) {
                Ok(Step::End)
            } else {
                Err(Why::Cut)
            };
        }
        if is_glue(c) && (touches_digit || c == ',' && last.is_some_and(char::is_numeric)) {
            let may_end = self.is_named(at - 1) || (c == ',' && !touches_digit) || (c == ',' && is_apart);
            return if may_end && !self.goes_on(at - 1, &c.to_string()) { Ok(Step::End) } else { Err(Why::Cut) };
        }
        if let Some((currency, length)) = currency_at_end(&self.characters[..at]) {
            self.without_letters(currency, at - length..at)?;
            // `Available credit 5.00 USD`: before its number it is a word, and behind it the unit.
            if currency.label() != "credits" {
                self.take(Word::Currency(currency), at - length..at);
            }
            return Ok(Step::Over(length));
        }
        if is_minus(c) {
            let has_blank = self.characters.get(at).is_some_and(|character| is_blank(character.c));
            let hangs = before.last().is_some_and(|character| is_of_word(character.c))
                && currency_at_end(before).is_none()
                && self.named(&self.characters[at - 2..at]).is_some();
            if (has_blank || hangs) && self.names_dash(at - 1) {
                return Ok(Step::End);
            }
            self.has_dash |= has_blank;
            return self.sign(c).map_err(|why| if has_blank { Why::Dash } else { why });
        }
        match c {
            '+' => self.sign(c),
            // Digits that are masked.
            '•' if !is_apart => Err(Why::Cut),
            '*' if self.characters[..at].iter().rev().take_while(|character| character.c == '*').count() > 2 => {
                Err(Why::Cut)
            }
            '.' if !is_apart || seen.is_none_or(char::is_whitespace) => Err(Why::Cut),
            // A decimal comma without a zero before it.
            ',' if is_next && seen.is_none_or(|c| !c.is_alphanumeric() && !is_wrapping(c) && c != ',') => Err(Why::Cut),
            ':' | '=' => self.label(at, is_next && touches_digit),
            '>' => self.tag_back(at),
            '}' if let Some(start) = self.label_set(at) => Ok(Step::Over(at - start)),
            '(' if *depth > 0 => {
                *depth -= 1;
                Ok(Step::Over(1))
            }
            '(' if self.is_left_out(at - 1) => Err(Why::Changed),
            _ if !is_of_word(c) && !is_of_run(c) && !is_wrapping(c) && self.is_written(at - 1) => Ok(Step::End),
            '(' => {
                self.is_in_parentheses = true;
                Ok(Step::End)
            }
            ')' => {
                *depth += 1;
                Ok(Step::Over(1))
            }
            ',' | '.' => Ok(Step::End),
            c if is_parting(c) && self.hangs_on_minus(at - 1) => Err(Why::Changed),
            c if is_parting(c) => Ok(Step::End),
            c if is_wrapping(c) => Ok(Step::Over(1)),
            c if is_of_run(c) => {
                let start = before.iter().rposition(|other| !is_of_run(other.c)).map_or(0, |found| found + 1);
                self.run(start..at, true)
            }
            c if is_of_word(c) => {
                let start = before.iter().rposition(|other| !is_of_word(other.c)).map_or(0, |found| found + 1);
                self.word(start..at, is_next, true)
            }
            _ => Err(Why::Unknown),
        }
    }

    /// A sign that the reader knows.
    fn sign(&mut self, c: char) -> Result<Step, Why> {
        match amount::word(c.encode_utf8(&mut [0; 4])) {
            Some((word @ Word::Sign { .. }, _)) => {
                self.words.push(word);
                Ok(Step::Over(1))
            }
            _ => Err(Why::Changed),
        }
    }

    /// The tag that ends before a place.
    fn tag_back(&self, at: usize) -> Result<Step, Why> {
        let start = self.characters[..at].iter().rposition(|character| character.c == '<').ok_or(Why::Unknown)?;
        match tag(&self.characters[start..at]) {
            Some((_, true)) if self.hangs_on_minus(start) => Err(Why::Changed),
            Some((length, true))
                if length == at - start
                    && (self.is_run_over(at - 1..at) || (self.is_matched(at - 1) && !self.is_written(at - 1))) =>
            {
                Ok(Step::Over(length))
            }
            Some((_, true)) => Ok(Step::End),
            Some((length, false)) if length == at - start => Ok(Step::Over(length)),
            _ if self.is_named(at - 1) => Ok(Step::End),
            _ => Err(Why::Unknown),
        }
    }

    /// Whether the number and the one before a place, with this between them, are one number.
    fn goes_on(&self, at: usize, between: &str) -> bool {
        let text = string(&self.characters[..at]);
        let run = run_before(&text);
        let groups = run.char_indices().filter(|(_, c)| is_glue(*c)).map(|(at, c)| at + c.len_utf8()).chain([0]);
        groups.into_iter().any(|start| is_one_number(&format!("{}{between}{}", &run[start..], self.number)))
    }
}
