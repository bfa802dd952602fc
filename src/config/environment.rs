//! Variables: the process environment over a `.env` file beside the config, and `${NAME}` in strings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::document::{NodePath, Step};

/// The variables of this run. The real environment wins over `.env`; an empty overlay counts as not set.
#[derive(Clone, Default)]
pub struct Environment {
    process: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
    /// The `.env` file that cannot be used, and why.
    broken_dotenv: Option<(PathBuf, String)>,
}

impl Environment {
    /// The process environment and, if it is there, `.env` in `folder`.
    pub fn read(folder: Option<&Path>) -> Environment {
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut environment = Environment { process, ..Environment::default() };
        let Some(file) = folder.map(|folder| folder.join(".env")).filter(|file| file.exists()) else {
            return environment;
        };
        match read_dotenv(&file) {
            Ok(variables) => environment.dotenv = variables,
            Err(why) => environment.broken_dotenv = Some((file, why)),
        }
        environment
    }

    /// The variable, as it stands.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.process.get(name).or_else(|| self.dotenv.get(name))?;
        Some(value)
    }

    /// The variable, if it is set to something.
    pub fn overlay(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Why `.env` was not read, if that is so.
    pub(super) fn dotenv_problem(&self) -> Option<(&Path, &str)> {
        self.broken_dotenv.as_ref().map(|(file, why)| (file.as_path(), why.as_str()))
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Environment {
        let process = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Environment { process, ..Environment::default() }
    }
}

/// Reads the file without touching this process's environment. The error never quotes a line: it may hold a secret.
fn read_dotenv(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| crate::text::io_error(&error))?;
    let mut variables = BTreeMap::new();
    for entry in dotenvy::from_read_iter(text.as_bytes()) {
        match entry {
            Ok((name, value)) => {
                variables.insert(name, value);
            }
            Err(dotenvy::Error::LineParse(line, _)) => {
                let number = text.lines().position(|l| l.contains(&line)).map_or(0, |n| n + 1);
                return Err(format!("line {number} is not `NAME=value`"));
            }
            Err(_) => return Err("it is not a list of `NAME=value`".to_owned()),
        }
    }
    Ok(variables)
}

/// What became of the variables in a tree.
#[derive(Default)]
pub(super) struct Interpolated {
    /// Strings that hold a value from outside, with that value.
    pub filled: Vec<(NodePath, String)>,
    /// Strings whose variable is not set; the tree holds null there.
    pub unset: Vec<(NodePath, String)>,
    /// Strings with a broken reference.
    pub malformed: Vec<(NodePath, String)>,
}

/// Replaces `${NAME}` and `${NAME:-default}` in every string below `node`; `$$` is a dollar sign.
pub(super) fn interpolate(node: &mut Value, environment: &Environment) -> Interpolated {
    let mut result = Interpolated::default();
    walk(node, environment, &mut Vec::new(), &mut result);
    result
}

fn walk(node: &mut Value, environment: &Environment, path: &mut NodePath, result: &mut Interpolated) {
    match node {
        Value::String(text) if text.contains('$') => match expand(text, environment) {
            Ok(Expanded { text: full, from_variable }) => {
                if from_variable {
                    result.filled.push((path.clone(), full.clone()));
                }
                *text = full;
            }
            Err(Reference::Unset(name)) => {
                result.unset.push((path.clone(), name));
                *node = Value::Null;
            }
            Err(Reference::Malformed(why)) => {
                result.malformed.push((path.clone(), why));
                *node = Value::Null;
            }
        },
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(Step::Index(index));
                walk(item, environment, path, result);
                path.pop();
            }
        }
        Value::Mapping(map) => {
            for (key, value) in map.iter_mut() {
                path.push(Step::Key(key.as_str().unwrap_or_default().to_owned()));
                walk(value, environment, path, result);
                path.pop();
            }
        }
        _ => {}
    }
}

#[derive(Debug, PartialEq)]
struct Expanded {
    text: String,
    from_variable: bool,
}

#[derive(Debug, PartialEq)]
enum Reference {
    Unset(String),
    Malformed(String),
}

fn expand(text: &str, environment: &Environment) -> Result<Expanded, Reference> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut from_variable = false;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some(end) = after.find('}') else {
                return Err(Reference::Malformed("`${` is never closed".to_owned()));
            };
            let (name, default) = match after[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&after[..end], None),
            };
            let sound = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !sound {
                return Err(Reference::Malformed(format!("`${{{name}}}` is not the name of a variable")));
            }
            let value = environment.get(name);
            // As in a shell, `:-` also replaces a variable that is set to nothing.
            match (value.filter(|v| default.is_none() || !v.is_empty()), default) {
                (Some(value), _) => {
                    from_variable = true;
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
    Ok(Expanded { text: out, from_variable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_like_in_a_shell() {
        let env = Environment::of(&[("A", "x"), ("EMPTY", ""), ("B_2", "y")]);
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
            ("${A", Err(Reference::Malformed("`${` is never closed".into()))),
            ("${}", Err(Reference::Malformed("`${}` is not the name of a variable".into()))),
            ("${A-B}", Err(Reference::Malformed("`${A-B}` is not the name of a variable".into()))),
        ] {
            let got = expand(text, &env).map(|e| e.text);
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn the_real_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "PATH=from-file\nONLY_IN_FILE='a b'\n# note\n").unwrap();
        let env = Environment::read(Some(folder.path()));
        assert_ne!(env.get("PATH"), Some("from-file"));
        assert_eq!(env.get("ONLY_IN_FILE"), Some("a b"));
        std::fs::write(folder.path().join(".env"), "A=1\nthis is no assignment secret\n").unwrap();
        let env = Environment::read(Some(folder.path()));
        let (_, why) = env.dotenv_problem().unwrap();
        assert_eq!(why, "line 2 is not `NAME=value`");
    }
}
