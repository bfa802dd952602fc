//! HTML to the words that a reader sees, in one pass. Not a browser: it keeps words whole, and apart where they are apart.

mod markup;
mod output;
mod paint;
mod style;

use std::borrow::Cow;

use self::markup::{after_end_tag, attributes, reference, tag_end};
use self::output::{Hidden, Out};

/// Elements whose content is never shown.
const HIDDEN: [&str; 5] = ["script", "style", "head", "template", "noscript"];
/// Elements that only format: words go on through them.
const INLINE: [&str; 27] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "u",
];

/// Elements whose text is struck out.
const STRUCK: [&str; 3] = ["s", "del", "strike"];
/// Stands where a tag parts two digits, and before a number that is struck out, so that nobody reads one number there:
/// `12<sup>50</sup>` is not 1250. It is the character that Unicode has for what cannot be shown as text.
pub(crate) const CUT: char = '\u{FFFC}';

/// Elements that have no content and no end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements of a form: what stands in them is for a reader to change or to choose, and nothing that the sender says.
const FORM: [&str; 3] = ["textarea", "select", "datalist"];
/// Stands where the order of characters is turned. It is the character that Unicode has for that, and where it stands no amount
/// is told.
const TURNED: char = '\u{202E}';

/// The text of an HTML document, hidden elements included. Words that formatting splits stay whole, cells and blocks are apart,
/// and a number that a tag splits holds a [`CUT`]. Lines of a quotation begin with [its mark](super::quotes::MARK).
pub(crate) fn text(html: &str) -> String {
    read(html, false)
}

/// The same without elements that are hidden by an attribute, a style or a style sheet, and without text in the colour of its
/// ground. Where one of them holds a digit, there is a [`CUT`].
pub(super) fn shown(html: &str) -> String {
    read(html, true)
}

fn read(html: &str, is_shown_only: bool) -> String {
    let mut out = Out { text: String::with_capacity(html.len() / 2), is_shown_only, ..Out::default() };
    let has_sheet = || html.as_bytes().windows(6).any(|tag| tag.eq_ignore_ascii_case(b"<style"));
    if is_shown_only && has_sheet() {
        // What a sheet hides may stand before it.
        let mut first = Out { is_for_sheets: true, ..Out::default() };
        walk(html, &mut first);
        first.sheets.iter().for_each(|css| out.sheet.add(css, &mut out.canvas.painted));
        if out.sheet.is_unclear {
            out.text.push(TURNED);
        }
    }
    walk(html, &mut out);
    out.text
}

fn walk<'a>(html: &'a str, out: &mut Out<'a>) {
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_source(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, out) } else { tag(rest, out) };
    }
    out.push_source(rest);
}

/// Takes a tag, a comment or a lonely `<`. Gives what follows.
fn tag<'a>(rest: &'a str, out: &mut Out<'a>) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.find("-->").map_or("", |end| &comment[end + 3..]);
    }
    let after = &rest[1..];
    let is_end = after.starts_with('/');
    let name: String = after
        .trim_start_matches('/')
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric())
        .take(20)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if name.is_empty() && !after.starts_with(['!', '?', '/']) {
        // `5 < 6` is text.
        out.push('<');
        return after;
    }
    let Some(body) = tag_end(after) else {
        // Cut off inside a tag: nothing after it is text.
        return "";
    };
    let whole = &after[..after.len() - body.len()];
    let is_left_out = HIDDEN.contains(&name.as_str()) && !(out.is_for_sheets && name == "head");
    if !is_end && is_left_out && !whole.ends_with("/>") {
        let rest = after_end_tag(body, &name);
        if name == "style" && out.is_for_sheets {
            out.sheets.push(&body[..body.len() - rest.len()]);
        }
        return rest;
    }
    if out.hidden.is_some() {
        out.pass_hidden(&name, is_end);
        if out.hidden.is_none() && is_end {
            out.canvas.close(&name);
        }
        if out.hidden.is_some() || is_end {
            return body;
        }
    }
    // It says where a word may be broken, and parts nothing.
    if name != "wbr" {
        part(&name, is_end, out);
        out.is_next_struck |= whole.contains("line-through");
        if is_end {
            out.canvas.close(&name);
        } else if out.is_shown_only && !VOID.contains(&name.as_str()) {
            open(name, whole, out);
        }
    }
    body
}

/// What a tag does to the text before it and behind it: it parts words, or lines, or strikes something out.
fn part(name: &str, is_end: bool, out: &mut Out) {
    if INLINE.contains(&name) {
        out.is_cut = true;
    } else if name == "blockquote" {
        out.quote(is_end);
    } else {
        // A cell ends with a tab: a blank could part thousands.
        out.push(if name == "td" || name == "th" { '\t' } else { '\n' });
    }
    if name == "pre" {
        out.preformatted = if is_end { out.preformatted.saturating_sub(1) } else { out.preformatted + 1 };
    }
    if STRUCK.contains(&name) {
        out.is_struck = !is_end;
    }
}

/// Opens an element: how it is painted, and whether it is hidden. `whole` is its tag.
fn open(name: String, whole: &str, out: &mut Out) {
    let attributes = attributes(whole);
    if name == "bdo" || attributes.iter().any(|(name, value)| name == "style" && style::turns(&plain(value))) {
        out.text.push(TURNED);
    }
    let style =
        attributes.iter().find(|(name, _)| name == "style").map_or(Cow::Borrowed(""), |(_, value)| plain(value));
    out.canvas.open(&name, &attributes, &style);
    let is_in_sheet = || out.sheet.hides(&name, attributes.iter().map(|(name, value)| (name.as_str(), *value)));
    if FORM.contains(&name.as_str()) || is_hidden(&attributes) || is_in_sheet() {
        out.hidden = Some(Hidden { name, depth: 1, has_digit: false });
    }
}

/// Whether its attributes hide an element.
fn is_hidden(attributes: &[(String, &str)]) -> bool {
    attributes.iter().any(|(name, value)| match name.as_str() {
        "hidden" => true,
        "style" => style::hides(&plain(value)),
        _ => false,
    })
}

/// The value of an attribute without character references.
fn plain(value: &str) -> Cow<'_, str> {
    if value.contains('&') { Cow::Owned(text(value)) } else { Cow::Borrowed(value) }
}

/// Takes a character reference, or a lonely `&`. Gives what follows.
fn entity<'a>(rest: &'a str, out: &mut Out) -> &'a str {
    let name_end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '#').map_or(rest.len(), |at| at + 1);
    let name = &rest[1..name_end];
    let character = reference(name);
    match character {
        Some(character) => {
            let after = rest[name_end..].strip_prefix(';').unwrap_or(&rest[name_end..]);
            // `1&amp;nbsp;234` was escaped twice: a blank that parts thousands was meant.
            let is_twice =
                character == '&' && ["nbsp;", "thinsp;", "#160;", "#xA0;"].iter().any(|blank| after.starts_with(blank));
            let is_in_number = is_twice && out.text.ends_with(char::is_numeric);
            out.push(if is_in_number { CUT } else { character });
            after
        }
        None => {
            out.push('&');
            &rest[1..]
        }
    }
}

#[cfg(test)]
mod tests;
