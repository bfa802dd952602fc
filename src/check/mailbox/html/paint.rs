//! Which text of a mail has the colour of the ground that it stands on, so that no reader sees it. Not a browser: where a colour or
//! a ground is not known for sure, the text is taken for seen.

use std::collections::HashMap;

/// Elements that are open at once and are told apart; what stands deeper has the paint of the last of them.
const DEEPEST: usize = 100;
/// Two colours are one to the eye if no part of them differs by more than this.
const ALIKE: u8 = 24;
/// Elements that end where the next one of their name begins, and what they stand in.
const ROWS: [(&str, &str); 5] = [("td", "table"), ("th", "table"), ("tr", "table"), ("li", "ul"), ("p", "")];
/// The colours that mails name.
const NAMES: [(&str, Colour); 24] = [
    ("white", [255, 255, 255]),
    ("black", [0, 0, 0]),
    ("red", [255, 0, 0]),
    ("green", [0, 128, 0]),
    ("blue", [0, 0, 255]),
    ("yellow", [255, 255, 0]),
    ("orange", [255, 165, 0]),
    ("gray", [128, 128, 128]),
    ("grey", [128, 128, 128]),
    ("silver", [192, 192, 192]),
    ("navy", [0, 0, 128]),
    ("maroon", [128, 0, 0]),
    ("purple", [128, 0, 128]),
    ("teal", [0, 128, 128]),
    ("snow", [255, 250, 250]),
    ("ivory", [255, 255, 240]),
    ("ghostwhite", [248, 248, 255]),
    ("whitesmoke", [245, 245, 245]),
    ("floralwhite", [255, 250, 240]),
    ("aliceblue", [240, 248, 255]),
    ("lightgray", [211, 211, 211]),
    ("lightgrey", [211, 211, 211]),
    ("darkgray", [169, 169, 169]),
    ("gainsboro", [220, 220, 220]),
];

type Colour = [u8; 3];

/// A colour, or that there is one which is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shade {
    Known(Colour),
    Unknown,
}

/// What declarations say of the colour of text and of its ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Paint {
    text: Option<Shade>,
    ground: Option<Shade>,
}

impl Paint {
    /// What a style says.
    pub(super) fn of_style(style: &str) -> Paint {
        let mut paint = Paint::default();
        let style = style.to_ascii_lowercase();
        for (name, value) in style.split(';').filter_map(|rule| rule.split_once(':')) {
            let value = value.trim().trim_end_matches("!important").trim();
            match name.trim() {
                "color" => paint.text = shade(value).or(paint.text),
                "background-image" if value != "none" => paint.ground = Some(Shade::Unknown),
                "background" | "background-color" | "background-image" => paint.ground = ground(value).or(paint.ground),
                // It stands in front of whatever has its place, of which nothing is known here.
                "position" if value != "static" && value != "relative" => paint.ground = Some(Shade::Unknown),
                _ => {}
            }
        }
        paint
    }

    /// What the attributes of an element say, its style aside.
    fn of_attributes(attributes: &[(String, &str)]) -> Paint {
        let mut paint = Paint::default();
        for (name, value) in attributes {
            let value = value.trim().to_ascii_lowercase();
            match name.as_str() {
                "color" | "text" => paint.text = shade(&value).or(paint.text),
                "bgcolor" => paint.ground = shade(&value).or(paint.ground),
                "background" => paint.ground = Some(Shade::Unknown),
                _ => {}
            }
        }
        paint
    }

    /// This, and where it says nothing the other one.
    fn or(self, other: Paint) -> Paint {
        Paint { text: self.text.or(other.text), ground: self.ground.or(other.ground) }
    }

    /// The same, as far as it is said at all, but not known.
    pub(super) fn unknown(self) -> Paint {
        Paint { text: self.text.map(|_| Shade::Unknown), ground: self.ground.map(|_| Shade::Unknown) }
    }

    pub(super) fn is_empty(self) -> bool {
        self == Paint::default()
    }
}

/// A colour; none if the value says to take that of the element around it.
fn shade(value: &str) -> Option<Shade> {
    match value {
        "" | "inherit" | "unset" | "currentcolor" => None,
        value => Some(colour(value).map_or(Shade::Unknown, Shade::Known)),
    }
}

/// The colour of a ground; none if what is behind it is seen.
fn ground(value: &str) -> Option<Shade> {
    if ["none", "transparent", "inherit", "initial", "unset", ""].contains(&value) {
        return None;
    }
    if value.contains("url(") || value.contains("gradient") {
        return Some(Shade::Unknown);
    }
    colour(value)
        .or_else(|| value.split_ascii_whitespace().find_map(colour))
        .map_or(Some(Shade::Unknown), |found| Some(Shade::Known(found)))
}

fn colour(value: &str) -> Option<Colour> {
    if let Some(digits) = value.strip_prefix('#') {
        let digits: Vec<u8> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        return match digits[..] {
            [r, g, b] => Some([r * 17, g * 17, b * 17]),
            [r, r2, g, g2, b, b2] => Some([r * 16 + r2, g * 16 + g2, b * 16 + b2]),
            _ => None,
        };
    }
    if let Some(parts) = value.strip_prefix("rgb(").and_then(|parts| parts.strip_suffix(')')) {
        let parts: Vec<u8> = parts
            .split([',', ' '])
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        return parts.try_into().ok();
    }
    NAMES.iter().find(|(name, _)| *name == value).map(|(_, colour)| *colour)
}

/// The paints that the style sheets of a mail give.
#[derive(Debug, Default)]
pub(super) struct Painted(HashMap<String, Paint>);

impl Painted {
    /// Takes in a rule of a sheet. Of what it says for elements inside of others, or only on some screens, nothing is sure.
    pub(super) fn add(&mut self, selectors: &str, declarations: &str, is_sure: bool) {
        let paint = Paint::of_style(declarations);
        if paint.is_empty() {
            return;
        }
        for selector in selectors.split(',').map(|selector| selector.trim().to_ascii_lowercase()) {
            let last = selector.rsplit(|c: char| c.is_whitespace() || ">+~".contains(c)).next().unwrap_or_default();
            let start = last.rfind(['.', '#']).unwrap_or(0);
            let name = last[start..].split([':', '[']).next().unwrap_or_default();
            let is_plain = is_sure && name.len() == selector.len();
            let paint = if is_plain { paint } else { paint.unknown() };
            let known = self.0.entry(name.to_owned()).or_default();
            *known = paint.or(*known);
        }
    }

    fn of(&self, name: &str, attributes: &[(String, &str)]) -> Paint {
        if self.0.is_empty() {
            return Paint::default();
        }
        let value = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value);
        let get = |name: &str| self.0.get(name).copied().unwrap_or_default();
        let id = get(&format!("#{}", value("id").trim().to_ascii_lowercase()));
        let classes =
            value("class").split_ascii_whitespace().map(|class| get(&format!(".{}", class.to_ascii_lowercase())));
        let of_class = classes.fold(Paint::default(), |paint, class| class.or(paint));
        id.or(of_class).or(get(name)).or(get("*"))
    }
}

/// The elements that are open, and how text in them is painted.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    open: Vec<(String, Shade, Shade)>,
    pub(super) painted: Painted,
}

impl Canvas {
    fn last(&self) -> (Shade, Shade) {
        let paper = (Shade::Known([0, 0, 0]), Shade::Known([255, 255, 255]));
        self.open.last().map_or(paper, |(_, text, ground)| (*text, *ground))
    }

    /// Whether text that comes now has the colour of its ground.
    pub(super) fn hides(&self) -> bool {
        match self.last() {
            (Shade::Known(text), Shade::Known(ground)) => {
                text.iter().zip(ground).all(|(one, other)| one.abs_diff(other) <= ALIKE)
            }
            _ => false,
        }
    }

    /// An element begins. Its `style` comes without character references.
    pub(super) fn open(&mut self, name: &str, attributes: &[(String, &str)], style: &str) {
        if let Some((_, around)) = ROWS.iter().find(|(row, _)| *row == name) {
            let inner = self.open.iter().rev().take_while(|(open, ..)| around.is_empty() || open != around);
            if let Some(at) = inner.enumerate().find(|(_, (open, ..))| open == name).map(|(at, _)| at) {
                self.open.truncate(self.open.len() - 1 - at);
            }
        }
        if self.open.len() >= DEEPEST {
            return;
        }
        let paint = Paint::of_style(style).or(self.painted.of(name, attributes)).or(Paint::of_attributes(attributes));
        let (mut text, ground) = self.last();
        if name == "a" {
            // A link has a colour of its own.
            text = Shade::Unknown;
        }
        self.open.push((name.to_owned(), paint.text.unwrap_or(text), paint.ground.unwrap_or(ground)));
    }

    /// An element ends.
    pub(super) fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|(open, ..)| open == name) {
            self.open.truncate(at);
        }
    }
}
