//! What every part of the page is made with: the words of a language, and the one place where texts from outside become harmless.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::model::amount;
use crate::model::text;
use crate::model::words::Language;
use crate::process::redact;

/// Longest name, in characters.
pub(super) const NAME_CHARS: usize = 60;

/// Words for what the program names by a word of its own, a line each: `word=English|Chinese`.
const WORDS: &str = include_str!("words.txt");

/// A text from outside as it may stand in the page, in an element or in an attribute: without secrets, on one line of at most so many
/// characters, and with nothing in it that HTML would understand. Every such text passes here, and no other place writes an entity.
pub(super) fn harmless(said: &str, most: usize) -> String {
    // Secrets are looked for when what nobody sees is gone, and before anything is cut off, or part of one could be left.
    let line = text::one_line(&redact::shield(&text::one_line(said, usize::MAX)), most);
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// An amount as it may stand in the page.
pub(super) fn money(amount: Decimal, currency: Option<&str>) -> String {
    harmless(&amount::show(amount, currency), 60)
}

/// A time, to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A day, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The words of a language.
#[derive(Clone, Copy)]
pub(super) struct Words(pub(super) Language);

impl Words {
    /// The words in this language out of `English|Chinese`.
    pub(super) fn pick(self, both: &'static str) -> &'static str {
        let (english, chinese) = both.split_once('|').unwrap_or((both, both));
        match self.0 {
            Language::En => english,
            Language::Zh => chinese,
        }
    }

    /// The same with each `{}` replaced by a part, which is harmless already.
    pub(super) fn with(self, both: &'static str, parts: &[&str]) -> String {
        let mut pieces = self.pick(both).split("{}");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for (piece, part) in pieces.zip(parts) {
            out.push_str(part);
            out.push_str(piece);
        }
        out
    }

    /// What a word of the program means; what is not known stays as it is.
    pub(super) fn word(self, word: &str) -> String {
        let known = WORDS.lines().find_map(|line| line.split_once('=').filter(|(name, _)| *name == word));
        known.map_or_else(|| harmless(word, 40), |(_, both)| self.pick(both).to_owned())
    }

    /// A text with its `[[English|Chinese]]` in this language, and with each `{{name}}` replaced by what has that name.
    pub(super) fn fill(self, template: &'static str, parts: &[(&str, &str)]) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find(['[', '{']) {
            let (before, found) = rest.split_at(at);
            out.push_str(before);
            let both = found.strip_prefix("[[").and_then(|found| found.split_once("]]"));
            let named = found.strip_prefix("{{").and_then(|found| found.split_once("}}"));
            rest = match (both, named) {
                (Some((both, rest)), _) => {
                    out.push_str(self.pick(both));
                    rest
                }
                (_, Some((name, rest))) => {
                    out.extend(parts.iter().filter(|(known, _)| *known == name).map(|(_, part)| *part));
                    rest
                }
                _ => {
                    out.push_str(&found[..1]);
                    &found[1..]
                }
            };
        }
        out + rest
    }
}

/// A part of the page under a heading; with what it says where there is nothing in it.
pub(super) fn section(id: &str, title: &str, body: &str, nothing: &str) -> String {
    let body = if body.is_empty() { format!("<p class=\"faint\">{nothing}</p>") } else { body.to_owned() };
    format!("<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{title}</h2>{body}</section>\n")
}

/// A list that can be sorted by its headings; empty without rows. Programs that read aloud say the caption. On a phone the rows of one
/// that is `stacked` become blocks, which takes from a browser what it knows of tables, so those say what they are.
pub(super) fn list(caption: &str, heads: &[(&str, &str)], rows: &str, stacked: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = |(class, head): &(&str, &str)| {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        format!("<th scope=\"col\"{class}>{head}</th>")
    };
    let heads: String = heads.iter().map(head).collect();
    let kind = if stacked { "list stack\" role=\"table" } else { "list" };
    format!(
        "<table class=\"{kind}\"><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
}

/// A row of a list that is stacked on a phone. Of each cell it has the heading, for phones, and what stands in it; the cell `name` is
/// the heading of the row.
pub(super) fn stacked(name: usize, cells: &[(&str, String)]) -> String {
    let mut out = "<tr role=\"row\">".to_owned();
    for (number, (label, cell)) in cells.iter().enumerate() {
        let label = if label.is_empty() { String::new() } else { format!(" data-l=\"{label}\"") };
        if number == name {
            out.push_str(&format!("<th scope=\"row\" role=\"rowheader\">{cell}</th>"));
        } else {
            out.push_str(&format!("<td role=\"cell\"{label}>{cell}</td>"));
        }
    }
    out + "</tr>\n"
}

/// A state with its colour and its sign.
pub(super) fn state(tone: &str, word: &str) -> String {
    format!("<span class=\"state {tone}\">{word}</span>")
}

/// Something small below something else; nothing if it is empty.
pub(super) fn small(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!("<small>{what}</small>") }
}
