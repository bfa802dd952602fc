//! HTML to the words that a reader sees, in one pass. Not a browser: it keeps words whole, and apart where they are apart.

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

/// The text of an HTML document. Words that formatting splits stay whole, cells and blocks are apart, and a number that a tag
/// splits holds a [`CUT`].
pub(crate) fn text(html: &str) -> String {
    let mut out = Out { text: String::with_capacity(html.len() / 2), ..Out::default() };
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, &mut out) } else { tag(rest, &mut out) };
    }
    out.push_str(rest);
    out.text
}

/// The text as far as it is made.
#[derive(Default)]
struct Out {
    text: String,
    /// What stands last is a digit, separators and blanks aside.
    is_behind_digit: bool,
    /// A tag stands behind that digit.
    is_cut: bool,
    /// What comes now is struck out: the next number, or all to the end of an element.
    is_next_struck: bool,
    is_struck: bool,
}

impl Out {
    fn push(&mut self, c: char) {
        if c.is_numeric() {
            if self.is_struck || self.is_next_struck || (self.is_cut && self.is_behind_digit) {
                self.text.push(CUT);
            }
            (self.is_behind_digit, self.is_cut, self.is_next_struck) = (true, false, false);
        } else if !" \u{A0}\u{2009}\u{202F}.,'’".contains(c) {
            self.is_behind_digit = false;
        }
        self.text.push(c);
    }

    fn push_str(&mut self, text: &str) {
        text.chars().for_each(|c| self.push(c));
    }
}

/// Takes a tag, a comment or a lonely `<`. Gives what follows.
fn tag<'a>(rest: &'a str, out: &mut Out) -> &'a str {
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
    if !is_end && HIDDEN.contains(&name.as_str()) && !after[..after.len() - body.len()].ends_with("/>") {
        return after_end_tag(body, &name);
    }
    if name == "wbr" {
        // It says where a word may be broken, and parts nothing.
        return body;
    }
    if INLINE.contains(&name.as_str()) {
        out.is_cut = true;
    } else {
        // A cell ends with a tab: a blank could part thousands.
        out.push(if name == "td" || name == "th" { '\t' } else { '\n' });
    }
    if STRUCK.contains(&name.as_str()) {
        out.is_struck = !is_end;
    }
    out.is_next_struck |= after[..after.len() - body.len()].contains("line-through");
    body
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
            out.push(character);
            rest[name_end..].strip_prefix(';').unwrap_or(&rest[name_end..])
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
    use std::time::{Duration, Instant};

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
            ("5<sub>0</sub>, <b>6</b>. 7", "5\u{FFFC}0, \u{FFFC}6. \u{FFFC}7"),
            ("$<b>12.50</b>. <i>Please</i> pay", "$12.50. Please pay"),
            ("<s>$5</s> $6 <span style='text-decoration: line-through'>$7</span>", "$\u{FFFC}5 $6 $\u{FFFC}7"),
            ("", ""),
        ] {
            let got = text(html).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(got, want, "{html}");
        }
    }

    /// The shortest time of a few attempts: whatever else this machine does only makes it longer.
    fn time_for(piece: &str, size: usize) -> Duration {
        let html = piece.repeat(size / piece.len());
        let attempt = || {
            let begin = Instant::now();
            text(&html);
            begin.elapsed()
        };
        (0..3).map(|_| attempt()).min().unwrap()
    }

    #[test]
    fn anything_ends_in_linear_time() {
        for piece in ["<", "<a", "<a href='", "&", "&#", "<!--", "</", "<script>", "<b>", "余<", "\u{0}"] {
            let (short, long) = (time_for(piece, 10_000), time_for(piece, 80_000));
            // Eight times the text: a time that grows with its square would be 64 times as long.
            let most = short.max(Duration::from_millis(5)) * 24;
            assert!(long < most, "{piece:?}: {short:?}, and for eight times as much {long:?}");
        }
    }
}
