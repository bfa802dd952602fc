//! XML bodies as JSON, so that expressions read both alike: an element is an object, or a text if it has neither attributes nor
//! other elements in it; `@name` is an attribute, `#text` the text beside others; what stands there several times is a list,
//! also pieces of text with elements between them.
//!
//! Prefixes of namespaces are left out. A document type is refused, so there are no entities but those of XML itself.

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

use crate::model::amount::{self, Word};

/// Deepest nesting of elements.
const DEEPEST: usize = 64;

/// An element that is not closed yet.
struct Open {
    name: String,
    fields: Map<String, Value>,
    /// The pieces of its text, of which each ends where an element begins.
    texts: Vec<String>,
    /// Whether an element was closed since the last piece of text.
    is_parted: bool,
}

impl Open {
    fn new(name: String, fields: Map<String, Value>) -> Open {
        Open { name, fields, texts: vec![String::new()], is_parted: false }
    }
}

/// The JSON text of an XML document.
///
/// # Errors
/// What is wrong, without quoting the body.
pub(crate) fn to_json(text: &str) -> Result<String, String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Map<String, Value>> = None;
    loop {
        let event = reader.read_event().map_err(|_| format!("byte offset {}: no XML", reader.error_position()))?;
        match event {
            Event::Eof => break,
            Event::DocType(_) => return Err("it declares a document type".to_owned()),
            Event::Start(tag) => open.push(opened(&tag, open.len(), root.is_some())?),
            Event::Empty(tag) => close(opened(&tag, open.len(), root.is_some())?, &mut open, &mut root),
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(part) => add_text(&mut open, &part)?,
            Event::CData(part) => add_text(&mut open, &part)?,
            Event::GeneralRef(reference) => add_text(&mut open, &resolved(&reference)?)?,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(Value::Object(root).to_string()),
        Some(_) | None if !open.is_empty() => Err("it ends within an element".to_owned()),
        _ => Err("it has no element".to_owned()),
    }
}

fn opened(tag: &BytesStart, depth: usize, has_root: bool) -> Result<Open, String> {
    if depth >= DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    if depth == 0 && has_root {
        return Err("it has two outermost elements".to_owned());
    }
    let mut fields = Map::new();
    let mut declared = Map::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| "it has an attribute that is none".to_owned())?;
        let value = unescape(&attribute.value).map_err(|_| "it has an entity that is not known".to_owned())?;
        let name = format!("@{}", attribute.key.local_name().as_ref());
        let value = Value::String(value.into_owned());
        // The declaration of a namespace is no data, so it stands for no attribute of that name.
        if attribute.key.as_namespace_binding().is_some() {
            declared.insert(name, value);
        } else if fields.insert(name, value).is_some() {
            return Err("an element has two attributes that differ only in their prefix".to_owned());
        }
    }
    for (name, value) in declared {
        fields.entry(name).or_insert(value);
    }
    Ok(Open::new(tag.local_name().as_ref().to_owned(), fields))
}

fn add_text(open: &mut [Open], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) if element.is_parted => {
            element.texts.push(text.to_owned());
            element.is_parted = false;
        }
        Some(element) => {
            if let Some(piece) = element.texts.last_mut() {
                piece.push_str(text);
            }
        }
        None if text.trim().is_empty() => {}
        None => return Err("it has text outside of its element".to_owned()),
    }
    Ok(())
}

/// The text of `&amp;`, `&#65;` and the like.
fn resolved(reference: &BytesRef) -> Result<String, String> {
    let unknown = || "it has an entity that is not known".to_owned();
    if let Some(c) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(c.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned).ok_or_else(unknown)
}

fn is_number(text: &Value) -> bool {
    text.as_str().is_some_and(|text| amount::read(text).is_ok())
}

/// Whether an element within another one makes another number of the text beside it: `<neg/>`, `<u>k</u>`.
fn changes((name, value): (&String, &Value)) -> bool {
    let is_sign = ["debit", "minus", "neg", "negative"].contains(&name.to_lowercase().as_str());
    let words = value.as_str().and_then(amount::words).unwrap_or_default();
    !name.starts_with('@') && (is_sign || words.iter().any(|word| !matches!(word, Word::Currency(_))))
}

/// Puts an element that is closed into the one around it.
fn close(element: Open, open: &mut [Open], root: &mut Option<Map<String, Value>>) {
    let Open { name, mut fields, mut texts, .. } = element;
    // What says of itself that it is nothing holds no number.
    if fields.get("@nil").and_then(Value::as_str).is_some_and(|nil| matches!(nil.trim(), "true" | "1")) {
        texts.clear();
    }
    let mut texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(Value::from);
    let value = if fields.is_empty() {
        texts.next().unwrap_or_else(|| Value::from(""))
    } else {
        let texts: Vec<Value> = texts.collect();
        // Two numbers around an element are not one number.
        match texts.as_slice() {
            [] => {}
            // A sign or a unit beside a number belongs to it, so that it is only a piece.
            [text] if is_number(text) && fields.iter().any(changes) => {
                drop(fields.insert("#text".to_owned(), texts.into()))
            }
            [text] => drop(fields.insert("#text".to_owned(), text.clone())),
            _ => drop(fields.insert("#text".to_owned(), Value::Array(texts))),
        }
        Value::Object(fields)
    };
    let outer = match open.last_mut() {
        Some(outer) => {
            outer.is_parted = true;
            &mut outer.fields
        }
        None => root.insert(Map::new()),
    };
    match outer.get_mut(&name) {
        None => drop(outer.insert(name, value)),
        Some(Value::Array(items)) => items.push(value),
        Some(first) => {
            let first_value = first.take();
            *first = Value::Array(vec![first_value, value]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_texts_become_json() {
        for (xml, want) in [
            ("<a/>", r#"{"a":""}"#),
            ("<?xml version=\"1.0\"?>\n<a> 12.50 </a>\n", r#"{"a":"12.50"}"#),
            ("<a b='1' c=\"x&amp;y\"/>", r#"{"a":{"@b":"1","@c":"x&y"}}"#),
            ("<a b='1'>5</a>", r##"{"a":{"#text":"5","@b":"1"}}"##),
            ("<n:a xmlns:n='u'><n:b>1</n:b></n:a>", r#"{"a":{"@n":"u","b":"1"}}"#),
            ("<a><b>1</b><b>2</b><b>3</b><c/></a>", r#"{"a":{"b":["1","2","3"],"c":""}}"#),
            ("<a><![CDATA[1 < 2]]>&lt;&#65;</a>", r#"{"a":"1 < 2<A"}"#),
            ("<a><!-- 7 -->5</a>", r#"{"a":"5"}"#),
            ("<a>5<b>25</b></a>", r##"{"a":{"#text":"5","b":"25"}}"##),
            ("<a> <b>25</b>5&amp;<![CDATA[0]]> <c/> </a>", r##"{"a":{"#text":"5&0","b":"25","c":""}}"##),
            ("<a>5<b>25</b>0</a>", r##"{"a":{"#text":["5","0"],"b":"25"}}"##),
            ("<a xmlns:x='u' x:nil='true'>0</a>", r#"{"a":{"@x":"u","@nil":"true"}}"#),
            ("<a nil='false'>0</a>", r##"{"a":{"#text":"0","@nil":"false"}}"##),
            ("<a xmlns:b='u' b='1'/>", r#"{"a":{"@b":"1"}}"#),
            ("<a b='1' xmlns:b='u'/>", r#"{"a":{"@b":"1"}}"#),
        ] {
            let got: Value = serde_json::from_str(&to_json(xml).unwrap()).unwrap();
            assert_eq!(got, serde_json::from_str::<Value>(want).unwrap(), "{xml}");
        }
    }

    #[test]
    fn what_is_no_xml_or_asks_for_more_is_refused() {
        for xml in [
            "",
            " ",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "{}",
            "<a b=1/>",
            "<a xmlns:n='u' b='50' n:b='1'/>",
            "<a xmlns:n='u' n:b='1' b='50'>x</a>",
            "<a>&other;</a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>\u{0}",
        ] {
            assert!(to_json(xml).is_err(), "{xml}");
        }
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(to_json(&nested(DEEPEST)).is_ok());
        assert!(to_json(&nested(DEEPEST + 1)).is_err());
        assert!(to_json(&"<a>".repeat(300_000)).is_err());
    }
}
