//! HTML to the words that a reader sees, in one pass. Not a browser: it keeps words whole, and apart where they are apart.

mod paint;
mod style;

use std::borrow::Cow;

use self::paint::Canvas;
use self::style::Sheet;
use super::quotes::MARK;

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
/// and a number that a tag splits holds a [`CUT`]. Lines of a quotation begin with its [`MARK`].
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

/// The text as far as it is made.
#[derive(Default)]
struct Out<'a> {
    text: String,
    /// What stands last is a digit, separators and blanks aside.
    is_behind_digit: bool,
    /// A tag stands behind that digit.
    is_cut: bool,
    /// What comes now is struck out: the next number, or all to the end of an element.
    is_next_struck: bool,
    is_struck: bool,
    /// Hidden elements are left out.
    is_shown_only: bool,
    hidden: Option<Hidden>,
    /// So many quotations are open.
    quotes: usize,
    /// Only the style sheets are looked for, and these are their texts.
    is_for_sheets: bool,
    sheets: Vec<&'a str>,
    /// What the sheets of the document hide.
    sheet: Sheet,
    /// The colours of what is open.
    canvas: Canvas,
    /// A digit was left out since text was seen.
    has_unseen_digit: bool,
    /// So many elements are open in which lines are shown as they are written.
    preformatted: usize,
}

/// A hidden element that is open.
struct Hidden {
    name: String,
    /// So many elements of its name are open, itself included.
    depth: usize,
    has_digit: bool,
}

impl Out<'_> {
    fn push(&mut self, c: char) {
        if let Some(hidden) = &mut self.hidden {
            if c.is_numeric() && !hidden.has_digit {
                hidden.has_digit = true;
                self.text.push(CUT);
            }
            return;
        }
        if self.is_shown_only && !c.is_whitespace() && self.canvas.hides() {
            if c.is_numeric() && !self.has_unseen_digit {
                self.has_unseen_digit = true;
                self.text.push(CUT);
            }
            return;
        }
        self.has_unseen_digit &= c.is_whitespace();
        if c.is_numeric() {
            if self.is_struck || self.is_next_struck || (self.is_cut && self.is_behind_digit) {
                self.text.push(CUT);
            }
            (self.is_behind_digit, self.is_cut, self.is_next_struck) = (true, false, false);
        } else if !matches!(c, ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '.' | ',' | '\'' | '’') {
            self.is_behind_digit = false;
        }
        self.text.push(c);
        if c == '\n' && self.quotes > 0 {
            self.text.extend([MARK, ' ']);
        }
    }

    /// Adds text as it stands in the source, where the ends of lines and tabs are nothing but white space.
    fn push_source(&mut self, text: &str) {
        let is_shown = self.preformatted > 0;
        let mut rest = text;
        loop {
            let letters = letters(rest);
            self.push_letters(&rest[..letters]);
            rest = &rest[letters..];
            let Some(c) = rest.chars().next() else {
                return;
            };
            self.push(if !is_shown && matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Adds letters as one: most of a text are letters, and what is beside them is nothing to them.
    fn push_letters(&mut self, letters: &str) {
        let is_left_out = self.hidden.is_some() || (self.is_shown_only && self.canvas.hides());
        if !letters.is_empty() && !is_left_out {
            self.has_unseen_digit = false;
            self.is_behind_digit = false;
            self.text.push_str(letters);
        }
    }

    /// Heeds a tag inside a hidden element, which may be the one that ends it.
    fn pass_hidden(&mut self, name: &str, is_end: bool) {
        let Some(hidden) = self.hidden.as_mut().filter(|hidden| hidden.name == name) else {
            return;
        };
        // A paragraph ends where the next one begins.
        hidden.depth = if is_end || name == "p" { hidden.depth - 1 } else { hidden.depth + 1 };
        if hidden.depth == 0 {
            self.hidden = None;
        }
    }

    fn quote(&mut self, is_end: bool) {
        self.quotes = if is_end { self.quotes.saturating_sub(1) } else { self.quotes + 1 };
        self.push('\n');
    }
}

/// How long a text goes on with letters of English and characters of Chinese, of which none is a digit.
fn letters(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            byte if byte.is_ascii_alphabetic() => 1,
            // From U+5000 to U+9FFF.
            0xe5..=0xe9 => 3,
            _ => break,
        };
    }
    at
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
    if name == "wbr" {
        // It says where a word may be broken, and parts nothing.
        return body;
    }
    if INLINE.contains(&name.as_str()) {
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
    if STRUCK.contains(&name.as_str()) {
        out.is_struck = !is_end;
    }
    out.is_next_struck |= whole.contains("line-through");
    if is_end {
        out.canvas.close(&name);
    }
    if out.is_shown_only && !is_end && !VOID.contains(&name.as_str()) {
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
    body
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

/// The attributes of a tag, as far as a browser would take them for some: names in lower case, and values without quotes.
fn attributes(tag: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = tag.trim_start_matches('/').trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || "=/>".contains(c)).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=').map(str::trim_start) else {
            if name.is_empty() {
                return found;
            }
            found.push((name, ""));
            continue;
        };
        let quoted = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (from, end) = match quoted {
            Some(quote) => (1, after[1..].find(quote).map_or(after.len(), |at| at + 1)),
            None => (0, after.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(after.len())),
        };
        found.push((name, &after[from..end]));
        rest = after[end..].strip_prefix(['"', '\'']).unwrap_or(&after[end..]);
    }
}

/// What follows the tag's `>`, quotes heeded.
fn tag_end(after: &str) -> Option<&str> {
    let mut quote = None;
    for (at, byte) in after.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(&after[at + 1..]),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed: the next `>` ends the tag after all.
    after.find('>').map(|at| &after[at + 1..])
}

/// What follows `</name ...>`; nothing if it never ends.
fn after_end_tag<'a>(body: &'a str, name: &str) -> &'a str {
    let mut rest = body;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let is_it = rest.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
        if is_it && !rest[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// Takes a character reference, or a lonely `&`. Gives what follows.
fn entity<'a>(rest: &'a str, out: &mut Out) -> &'a str {
    let name_end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '#').map_or(rest.len(), |at| at + 1);
    let name = &rest[1..name_end];
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
        None => match name {
            "nbsp" | "ensp" | "emsp" | "thinsp" => Some(' '),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "yen" => Some('¥'),
            "euro" => Some('€'),
            "pound" => Some('£'),
            "middot" => Some('·'),
            "hellip" => Some('…'),
            "mdash" => Some('—'),
            "ndash" => Some('–'),
            "shy" | "zwnj" | "zwj" => Some('\u{ad}'),
            _ => None,
        },
    };
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
mod tests {
    use super::*;
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

    #[test]
    fn the_ends_of_lines_in_the_source_are_white_space() {
        let row = "<tr>\n  <td>Balance</td>\n  <td>$3.20</td>\n</tr>";
        assert!(shown(row).contains("\tBalance\t   \t$3.20\t"), "{:?}", shown(row));
        assert_eq!(shown("<p>could not\r\ntake</p>").trim(), "could not  take");
        assert_eq!(shown("<pre>one\n\ttwo</pre>").trim(), "one\n\ttwo");
    }

    #[test]
    fn words_stay_whole_and_cells_stay_apart() {
        for (html, want) in [
            ("余额<b>不足</b>", "余额不足"),
            ("<p>余<span style='x'>额</span>不足</p>", "余额不足"),
            ("<td>100</td><td>200</td>", "100 200"),
            ("<p>a<p>b", "a b"),
            ("a<br>b<BR/>c", "a b c"),
            ("余额：<span>1,234.56</span> 元", "余额：1,234.56 元"),
            ("&#20313;&#39069;&#x4E0D;足", "余额不足"),
            ("a&nbsp;b&amp;c &lt;d&gt; &unknown; & x", "a b&c <d> &unknown; & x"),
            ("<style>.low{balance:1}</style>x<script>low balance</script>y", "xy"),
            ("<HEAD><title>expired</title></HEAD>x", "x"),
            ("<!-- expired -->x<!--[if mso]>expired<![endif]-->y", "xy"),
            ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
            ("<a title=\"a > b\">x</a>", "x"),
            ("<a title=\"never closed>x", "x"),
            ("cut <b", "cut"),
            ("<script>never ends", ""),
            ("<div style=\"display:none\">余额不足</div>您好", "余额不足 您好"),
            ("$12<sup>50</sup>", "$12\u{FFFC}50"),
            ("$1&amp;nbsp;234.50", "$1\u{FFFC}nbsp;234.50"),
            ("5<sub>0</sub>, <b>6</b>. 7", "5\u{FFFC}0, \u{FFFC}6. \u{FFFC}7"),
            ("$<b>12.50</b>. <i>Please</i> pay", "$12.50. Please pay"),
            ("<s>$5</s> $6 <span style='text-decoration: line-through'>$7</span>", "$\u{FFFC}5 $6 $\u{FFFC}7"),
            ("", ""),
        ] {
            let got = text(html).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(got, want, "{html}");
        }
    }

    #[test]
    fn what_a_style_or_a_sheet_hides_is_not_shown_and_what_is_turned_is_marked() {
        for (html, want) in [
            ("<style>.h{display:none}</style>a<p class=h>b</p>c", "a \u{1} c"),
            ("<head><style>.h{display:none}</style></head>a<p class=\"x h\">b</p>c", "a \u{1} c"),
            ("<html><head><STYLE type='text/css'>#p{display:none}</STYLE></head>a<p id=p>b</p>c", "a \u{1} c"),
            ("a<p class=h>b</p>c<style>@media screen{p.h{visibility:hidden}}</style>", "a \u{1} c"),
            ("a<p style='position:absolute;left:-9999px'>b</p>c", "a \u{1} c"),
            ("a<p style='disp&#108;ay:none'>b</p>c", "a \u{1} c"),
            ("a<p style='color:transparent'>5</p>c", "a \u{FFFC}c"),
            ("<style>.h{color:red}</style>a<p class=h>b</p>c", "a b c"),
            ("<!--[if mso]><style>.h{display:none}</style><![endif]-->a<p class=h>b</p>c", "a b c"),
            ("a <bdo dir=rtl>05.21$</bdo>", "a \u{202E}05.21$"),
            ("a <b style='unicode-bidi:bidi-override;direction:rtl'>05</b>", "a \u{202E}05"),
            ("<style>.x{unicode-bidi:bidi-override}</style>a", "\u{202E}a"),
        ] {
            let got = shown(html).split_whitespace().collect::<Vec<_>>().join(" ");
            let want = want.replace("\u{1} ", "");
            assert_eq!(got, want, "{html}");
        }
    }

    #[test]
    fn text_in_the_colour_of_its_ground_is_not_shown() {
        for (html, want) in [
            ("a <span style='color:#fff'>b</span> c", "a c"),
            ("a <span style='color: White'>b 5</span> c", "a \u{FFFC} c"),
            ("a <font color=#FEFEFE>b</font> c", "a c"),
            ("a <span style='color:rgb(255, 255, 255) !important'>b</span> c", "a c"),
            ("<body bgcolor=black style='color:#000'>a<p style='color:white'>b</p>", "b"),
            ("<td bgcolor='#336699'><span style='color:#369'>b</span></td>c", "c"),
            ("<div style='background:#eee'><i style='color:#f0f0f0'>b</i></div>c", "c"),
            ("<div style='color:#fff'>a<b style='color:#000'>b</b></div>c", "b c"),
            ("<style>.w{color:#fff}</style>a <b class=w>b</b> c", "a c"),
            ("<style>.w{color:#fff}.d{background-color:#fff}</style><p class=d>a <b class=w>b</b></p>", "a"),
            // What is seen.
            ("<td bgcolor='#336699'><span style='color:#fff'>b</span></td>c", "b c"),
            ("<td style='background:#369 url(x.png) no-repeat'><b style='color:#369'>b</b></td>", "b"),
            ("<td background=x.png><b style='color:#fff'>b</b></td>", "b"),
            ("<div style='background-color:#000'><a style='color:#fff'>b</a></div>", "b"),
            ("<div style='background-color:#000;color:#fff'>a<a>b</a></div>c", "ab c"),
            ("<style>.d{background:#000}</style><p class=d><b style='color:#fff'>b</b></p>", "b"),
            ("<style>.d p{color:#fff}</style><p>b</p>", "b"),
            ("<style>@media (max-width:600px){.w{color:#fff}}</style><p class=w>b</p>", "b"),
            ("<style>@media (prefers-color-scheme:dark){.w{color:#fff}}</style><p class=w>b</p>", "b"),
            ("<table bgcolor=#000><tr><td style='color:#fff'>a<td style='background:#fff;color:#000'>b</table>", "a b"),
            ("<p style='color:#fff'>a<p>b", "b"),
            ("<div style='color:#fff;background-image:linear-gradient(red,blue)'>b</div>", "b"),
            ("<div style='color:#ccc'>b</div>", "b"),
            ("<div style='color:var(--x)'>b</div>", "b"),
        ] {
            let got = shown(html).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(got, want, "{html}");
        }
    }

    /// The shortest processor time of a few attempts: whatever else this machine does only makes it longer.
    fn time_for(piece: &str, size: usize) -> Duration {
        let html = piece.repeat(size / piece.len());
        let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
        let attempt = || {
            let begin = now();
            text(&html);
            shown(&html);
            now() - begin
        };
        (0..3).map(|_| attempt()).min().unwrap()
    }

    #[test]
    fn anything_ends_in_linear_time() {
        for piece in [
            "<",
            "<a",
            "<a href='",
            "&",
            "&#",
            "<!--",
            "</",
            "<script>",
            "<b>",
            "<p hidden>",
            "<style>.a{display:none}</style><p class=a>",
            "<style>a{",
            "<head>",
            "<style>/*",
            "<a style='a:0;",
            "<blockquote>\n",
            "<div style='color:#fff'>5",
            "<td style=color:#fff>5",
            "余<",
            "\u{0}",
        ] {
            let (short, long) = (time_for(piece, 10_000), time_for(piece, 80_000));
            // Eight times the text: a time that grows with its square would be 64 times as long.
            let most = short.max(Duration::from_millis(5)) * 24;
            assert!(long < most, "{piece:?}: {short:?}, and for eight times as much {long:?}");
        }
    }
}
