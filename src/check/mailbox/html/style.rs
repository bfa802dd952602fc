//! Which elements of a mail its styles hide. Not a browser: what may be hidden is taken for hidden, as an amount that a reader
//! does not see must not be told.

use std::collections::HashSet;

use super::paint::Painted;

/// Declarations that hide an element, without blanks and in lower case.
const HIDING: [&str; 15] = [
    "display:none",
    "visibility:hidden",
    "visibility:collapse",
    "content-visibility:hidden",
    "mso-hide:all",
    "color:transparent",
    "-webkit-text-fill-color:transparent",
    "transform:none",
    "rotate:none",
    "scale:none",
    "scale:1",
    "clip:auto",
    "clip-path:none",
    "mask:none",
    "filter:none",
];
/// So many of them hide; the others are harmless values of the properties in [`MOVING`].
const FIRST: usize = 7;
/// Properties that move, turn, cut or blur an element in ways that are not followed here.
const MOVING: [&str; 8] =
    ["transform:", "-webkit-transform:", "rotate:", "scale:", "clip:", "clip-path:", "mask:", "filter:"];
/// Properties that hide an element where their number is as small as this.
const SMALL: [(&str, f64); 7] = [
    ("font-size:", 1.0),
    ("font:", 1.0),
    ("zoom:", 0.1),
    ("opacity:", 0.1),
    ("max-height:", 0.0),
    ("max-width:", 0.0),
    ("height:", 0.0),
];
/// Properties that take an element off the screen where their number is far below zero.
const PLACING: [&str; 10] = [
    "left:",
    "right:",
    "top:",
    "bottom:",
    "inset:",
    "text-indent:",
    "margin:",
    "margin-left:",
    "margin-top:",
    "translate:",
];
/// How far that is, whatever the unit.
const FAR: f64 = -90.0;
/// What a style cannot be read without: a value that is said elsewhere.
const UNKNOWN: [&str; 3] = ["display:var(", "visibility:var(", "opacity:var("];

/// Whether declarations hide an element.
pub(super) fn hides(style: &str) -> bool {
    let style = bare(style);
    style.split(';').any(|rule| {
        let rule = rule.trim_end_matches("!important");
        let value = |names: &[&str]| names.iter().find_map(|name| rule.strip_prefix(name)).map(str::to_owned);
        let number = |value: &str| {
            let end = value.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(value.len());
            value[..end].parse::<f64>().ok()
        };
        HIDING[..FIRST].contains(&rule)
            || UNKNOWN.iter().any(|unknown| rule.starts_with(unknown))
            || (value(&MOVING).is_some() && !HIDING[FIRST..].contains(&rule.trim_start_matches("-webkit-")))
            || value(&PLACING).and_then(|value| number(&value)).is_some_and(|number| number < FAR)
            || SMALL.iter().any(|(name, most)| {
                let number = rule.strip_prefix(name).and_then(number);
                number.is_some_and(|number| number <= *most && !is_relative(rule, number))
            })
            || is_clear_colour(rule)
    })
}

/// Whether declarations turn the order in which characters are shown.
pub(super) fn turns(style: &str) -> bool {
    ["bidi-override", "isolate-override"].iter().any(|turned| bare(style).contains(turned))
}

/// Whether a size is one of the text around it: `1em` is as large as that.
fn is_relative(rule: &str, number: f64) -> bool {
    number > 0.0 && ["em", "rem", "ex", "vw", "vh", "%"].iter().any(|unit| rule.ends_with(unit)) && number >= 0.1
}

/// Whether a rule gives text a colour that is not seen on any ground: `rgba(0,0,0,0)`, `#ffffff00`.
fn is_clear_colour(rule: &str) -> bool {
    let Some(colour) = rule.strip_prefix("color:") else { return false };
    let last = colour.trim_end_matches(')').rsplit([',', '/']).next().unwrap_or_default();
    let is_of_four = ["rgba(", "hsla("].iter().any(|name| colour.starts_with(name)) || colour.contains('/');
    let alpha: Option<f64> = last.trim_end_matches('%').parse().ok();
    let digits = colour.strip_prefix('#').unwrap_or_default();
    (is_of_four && alpha.is_some_and(|alpha| alpha <= 0.1))
        || (digits.len() == 4 && digits.ends_with('0'))
        || (digits.len() == 8 && digits.ends_with("00"))
}

/// Declarations without comments and blanks, in lower case.
fn bare(style: &str) -> String {
    without_comments(style).chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find("/*") {
        out.push_str(&rest[..at]);
        rest = rest[at + 2..].find("*/").map_or("", |end| &rest[at + 2 + end + 2..]);
    }
    out.push_str(rest);
    out
}

/// What the style sheets of a mail hide.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Classes and ids, with their `.` and `#`.
    names: HashSet<String>,
    tags: HashSet<String>,
    attributes: HashSet<String>,
    /// Whether it turns the order of characters, or is written in a way that is not read here.
    pub(super) is_unclear: bool,
}

impl Sheet {
    /// Takes in the text of a `style` element. Rules inside of `@media` and the like count as if they stood outside, except those
    /// for printing.
    pub(super) fn add(&mut self, css: &str, painted: &mut Painted) {
        let css = without_comments(css);
        let mut prints: Option<usize> = None;
        // Where colours are those of a dark screen.
        let mut is_dark: Option<usize> = None;
        let mut depth = 0_usize;
        let mut from = 0;
        // What stands before the last opening brace, as long as no brace has closed behind it.
        let mut selector = "";
        for (at, byte) in css.bytes().enumerate() {
            match byte {
                b'{' => {
                    selector = css[from..at].trim().rsplit(';').next().unwrap_or_default().trim();
                    if prints.is_none() && selector.starts_with("@media") && selector.contains("print") {
                        prints = Some(depth);
                    }
                    if is_dark.is_none() && selector.contains("prefers-color-scheme") && selector.contains("dark") {
                        is_dark = Some(depth);
                    }
                    depth += 1;
                    from = at + 1;
                }
                b'}' => {
                    if prints.is_none() {
                        self.rule(selector, &css[from..at]);
                        if is_dark.is_none() && !selector.starts_with('@') {
                            painted.add(selector, &css[from..at], depth <= 1);
                        }
                    }
                    depth = depth.saturating_sub(1);
                    prints = prints.filter(|outside| *outside < depth);
                    is_dark = is_dark.filter(|outside| *outside < depth);
                    selector = "";
                    from = at + 1;
                }
                _ => {}
            }
        }
    }

    fn rule(&mut self, selector: &str, declarations: &str) {
        self.is_unclear |= turns(declarations) || declarations.contains('\\');
        if selector.is_empty() || selector.starts_with('@') || !hides(declarations) {
            return;
        }
        self.is_unclear |= selector.contains('\\');
        selector.split(',').for_each(|selector| self.hide(&selector.to_ascii_lowercase()));
    }

    /// Takes in what one selector names. An element that stands only inside of a named one is hidden with that.
    fn hide(&mut self, selector: &str) {
        const BESIDE_TEXT: [&str; 6] = [":before", ":after", ":hover", ":focus", ":active", ":visited"];
        if BESIDE_TEXT.iter().any(|pseudo| selector.contains(pseudo)) {
            return;
        }
        let compounds =
            selector.split(|c: char| c.is_whitespace() || ">+~".contains(c)).filter(|part| !part.is_empty());
        let compounds: Vec<&str> = compounds.map(|part| part.split(':').next().unwrap_or_default()).collect();
        for compound in compounds.iter().rev() {
            if let Some(start) = compound.rfind(['.', '#']).filter(|_| !compound.contains('[')) {
                self.names.insert(compound[start..].to_owned());
                return;
            }
            if let Some((_, attribute)) = compound.split_once('[') {
                let (name, value) = attribute.trim_end_matches(']').split_once('=').unwrap_or((attribute, ""));
                let name = name.trim_end_matches(['~', '|', '^', '$', '*', ']']);
                let value = value.trim_matches(['"', '\'']);
                match name {
                    "class" if !value.is_empty() => self.names.insert(format!(".{value}")),
                    "id" if !value.is_empty() => self.names.insert(format!("#{value}")),
                    name => self.attributes.insert(name.to_owned()),
                };
                return;
            }
        }
        if let Some(tag) = compounds.last().filter(|tag| **tag != "*" && !tag.is_empty()) {
            self.tags.insert((*tag).to_owned());
        }
    }

    /// Whether it hides an element of this name with these attributes.
    pub(super) fn hides<'a>(&self, tag: &str, attributes: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
        if self.names.is_empty() && self.tags.is_empty() && self.attributes.is_empty() {
            return false;
        }
        let has = |mark: char, name: &str| self.names.contains(&format!("{mark}{}", name.to_ascii_lowercase()));
        let mut attributes = attributes;
        self.tags.contains(tag)
            || attributes.any(|(name, value)| {
                self.attributes.contains(name)
                    || (name == "class" && value.split_ascii_whitespace().any(|class| has('.', class)))
                    || (name == "id" && has('#', value.trim()))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_that_hide_are_known_and_others_are_not() {
        for style in [
            "display:none",
            "DISPLAY : None !important",
            "color:red;display:/**/none",
            "position:absolute;left:-9999px",
            "text-indent:-999em",
            "margin-left:-5000px",
            "transform:scale(0)",
            "-webkit-transform:rotateY(90deg)",
            "color:transparent",
            "color:rgba(0,0,0,0)",
            "color:#ffffff00",
            "color:rgb(0 0 0 / 0%)",
            "clip-path:inset(100%)",
            "clip:rect(0,0,0,0)",
            "content-visibility:hidden",
            "opacity:0",
            "opacity:.01",
            "font-size:0",
            "font-size:1px",
            "font:0/0 a",
            "max-height:0px",
            "visibility:hidden",
            "display:var(--x)",
            "translate:-9999px",
        ] {
            assert!(hides(style), "{style}");
        }
        for style in [
            "display:block",
            "color:#fff",
            "color:rgba(0,0,0,0.9)",
            "color:rgb(0,0,0)",
            "background-color:transparent",
            "left:-5px",
            "margin:0",
            "margin:0 auto",
            "font-size:14px",
            "font-size:1em",
            "font-size:0.9em",
            "font-size:100%",
            "font:14px/1.5 Arial",
            "opacity:1",
            "opacity:0.9",
            "height:100%",
            "max-width:600px",
            "line-height:0",
            "transform:none",
            "mso-line-height-rule:exactly",
            "text-align:left",
            "",
        ] {
            assert!(!hides(style), "{style}");
        }
    }

    #[test]
    fn rules_of_a_sheet_hide_what_they_name() {
        let hidden = |css: &str, tag: &str, attributes: &[(&str, &str)]| {
            let mut sheet = Sheet::default();
            sheet.add(css, &mut Painted::default());
            sheet.hides(tag, attributes.iter().copied())
        };
        for (css, tag, attributes, want) in [
            (".h{display:none}", "p", vec![("class", "a h b")], true),
            (".H{display:none}", "p", vec![("class", "h")], true),
            (".h{display:none}", "p", vec![("class", "hh")], false),
            ("#p{display:none}", "p", vec![("id", "p")], true),
            ("p.x{visibility:hidden}", "p", vec![("class", "x")], true),
            ("p{display:none}", "p", vec![], true),
            ("p{display:none}", "td", vec![], false),
            ("a{color:red}.y,.h{display:none}", "p", vec![("class", "h")], true),
            ("a{color:red}.y,.h{display:none}", "p", vec![("class", "y")], true),
            ("@media screen{.h{display:none}}", "p", vec![("class", "h")], true),
            ("@media print{.h{display:none}}", "p", vec![("class", "h")], false),
            ("@media print{.h{display:none}}.h{display:none}", "p", vec![("class", "h")], true),
            ("@media print{p{color:red}}\n.h{left:-999px}", "p", vec![("class", "h")], true),
            ("@import url(x);.h{display:none}", "p", vec![("class", "h")], true),
            ("/* .h{} */ .h /**/ {display:none}", "p", vec![("class", "h")], true),
            (".wrap p{display:none}", "p", vec![], false),
            (".wrap p{display:none}", "div", vec![("class", "wrap")], true),
            (".wrap > *{display:none}", "div", vec![("class", "wrap")], true),
            ("[class=h]{display:none}", "p", vec![("class", "h")], true),
            ("p[title]{display:none}", "p", vec![("title", "x")], true),
            ("p[title]{display:none}", "p", vec![], false),
            (".h:hover{display:none}", "p", vec![("class", "h")], false),
            (".h::before{display:none}", "p", vec![("class", "h")], false),
            (".h{color:red}", "p", vec![("class", "h")], false),
            ("*{display:none}", "p", vec![], false),
        ] {
            assert_eq!(hidden(css, tag, &attributes), want, "{css} {tag} {attributes:?}");
        }
        for css in [".x{unicode-bidi:bidi-override;direction:rtl}", r".\68{display:none}", r".h{dis\70lay:none}"] {
            let mut sheet = Sheet::default();
            sheet.add(css, &mut Painted::default());
            assert!(sheet.is_unclear, "{css}");
        }
    }
}
