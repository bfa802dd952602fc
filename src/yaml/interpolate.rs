//! `${NAME}` in the strings of a config.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::path::{NodePath, Step};
use crate::process::environment::Environment;

/// Most text that variables may make of a config, in bytes: one long variable can be named a million times.
const MOST_TEXT: usize = 64 * 1024 * 1024;

/// What came of the references in a config.
#[derive(Debug, Default)]
pub(crate) struct Interpolated {
    /// Strings that variables went into.
    pub filled: BTreeMap<NodePath, Filled>,
    /// Strings that name a variable that is not set, and that variable.
    pub unset: BTreeMap<NodePath, String>,
    /// Strings with a broken reference.
    pub malformed: Vec<(NodePath, &'static str)>,
    /// Bytes that were made.
    size: usize,
}

/// A string that variables went into.
#[derive(Debug)]
pub(crate) struct Filled {
    /// What it has become.
    pub text: String,
    /// The variables, in their order.
    pub variables: Vec<String>,
}

/// Replaces `${NAME}` and `${NAME:-default}` in every string below `node`; `$$` is a dollar sign.
///
/// A string that cannot be filled disappears: from a mapping with its key, in a list it becomes empty, so that the others keep
/// their index.
pub(crate) fn interpolate(node: &mut Value, environment: &Environment) -> Interpolated {
    let mut result = Interpolated::default();
    walk(node, environment, &mut Vec::new(), &mut result);
    result
}

/// Gives whether the node holds what it should.
fn walk(node: &mut Value, environment: &Environment, path: &mut NodePath, result: &mut Interpolated) -> bool {
    match node {
        Value::String(text) if text.contains('$') => match expand(text, environment, MOST_TEXT - result.size) {
            Ok(Expanded { text: full, variables }) => {
                result.size += full.len();
                if !variables.is_empty() {
                    result.filled.insert(path.clone(), Filled { text: full.clone(), variables });
                }
                *text = full;
                true
            }
            Err(Reference::Unset(name)) => {
                result.unset.insert(path.clone(), name);
                text.clear();
                false
            }
            Err(Reference::Malformed(why)) => {
                result.malformed.push((path.clone(), why));
                text.clear();
                false
            }
        },
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(Step::Index(index));
                walk(item, environment, path, result);
                path.pop();
            }
            true
        }
        Value::Mapping(map) => {
            map.retain(|key, value| {
                path.push(Step::Key(key.as_str().unwrap_or_default().to_owned()));
                let is_whole = walk(value, environment, path, result);
                path.pop();
                is_whole
            });
            true
        }
        _ => true,
    }
}

#[derive(Debug, PartialEq)]
struct Expanded {
    text: String,
    variables: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Reference {
    Unset(String),
    Malformed(&'static str),
}

/// Fills one string, which may become so many bytes long.
fn expand(text: &str, environment: &Environment, most: usize) -> Result<Expanded, Reference> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut variables = Vec::new();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some(end) = after.find('}') else {
                return Err(Reference::Malformed("`${` is never closed"));
            };
            let (name, default) = match after[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&after[..end], None),
            };
            let sound = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !sound {
                // What stands there may be a part of a password.
                return Err(Reference::Malformed("what stands in `${...}` is not the name of a variable"));
            }
            let value = environment.get(name);
            // As in a shell, `:-` also replaces a variable that is set to nothing.
            match (value.filter(|v| default.is_none() || !v.is_empty()), default) {
                (Some(value), _) => {
                    if out.len() + value.len() > most {
                        return Err(Reference::Malformed("with its variables the config would be larger than 64 MiB"));
                    }
                    variables.push(name.to_owned());
                    out.push_str(value);
                }
                (None, Some(default)) => out.push_str(default),
                (None, None) => return Err(Reference::Unset(name.to_owned())),
            }
            rest = &after[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(Expanded { text: out, variables })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_like_in_a_shell() {
        let env = Environment::of(&[("A", "x"), ("EMPTY", ""), ("B_2", "y")]);
        let no_name = "what stands in `${...}` is not the name of a variable";
        for (text, want) in [
            ("${A}", Ok("x")),
            ("pre-${A}-${B_2}-post", Ok("pre-x-y-post")),
            ("${NO:-d}", Ok("d")),
            ("${NO:-}", Ok("")),
            ("${EMPTY}", Ok("")),
            ("${EMPTY:-d}", Ok("d")),
            ("${A:-d}", Ok("x")),
            ("a$b", Ok("a$b")),
            ("$${A}", Ok("${A}")),
            ("100$", Ok("100$")),
            ("${NO}", Err(Reference::Unset("NO".into()))),
            ("${A", Err(Reference::Malformed("`${` is never closed"))),
            ("${}", Err(Reference::Malformed(no_name))),
            ("${A-B}", Err(Reference::Malformed(no_name))),
        ] {
            let got = expand(text, &env, MOST_TEXT).map(|e| e.text);
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_string_that_cannot_be_filled_disappears_and_the_others_keep_their_places() {
        let env = Environment::of(&[("A", "x")]);
        let mut tree: Value = serde_yaml::from_str("{a: '${NO}', b: ['${NO}', '${A}'], c: '${A}', d: '${'}").unwrap();
        let done = interpolate(&mut tree, &env);
        assert_eq!(tree, serde_yaml::from_str::<Value>("{b: ['', x], c: x}").unwrap());
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(done.unset.keys().cloned().collect::<Vec<_>>(), [vec![key("a")], vec![key("b"), Step::Index(0)]]);
        assert_eq!(done.filled[&vec![key("c")]].variables, ["A"]);
        assert_eq!(done.malformed.len(), 1);
    }

    #[test]
    fn variables_do_not_make_the_config_larger_than_it_may_be() {
        let long = "x".repeat(1024 * 1024);
        let env = Environment::of(&[("LONG", &long)]);
        let mut tree = Value::from(vec!["${LONG}"; 100]);
        let done = interpolate(&mut tree, &env);
        assert_eq!((done.filled.len(), done.malformed.len()), (64, 36));
    }
}
