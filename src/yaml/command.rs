//! Commands of a config: a program and its arguments, which no shell reads. And those of them that tell a secret: `api_key_command`
//! beside `api_key` and `api_key_file`, for every secret of a config.
//!
//! A config with such commands is read twice: first to learn which of them are needed, and with their answers once it is known
//! that nothing else ends the run. What they are asked with, and what is taken of their output, is in `config/commands.rs`.

use std::sync::Arc;

use secrecy::SecretString;
use serde_yaml::Value;

use super::path::{NodePath, Part, Step, last_key, under};
use super::problem::Reach;
use super::reader::ConfigReader;
use super::scalar::{Lenient, Text};
use super::secret_commands::{Answers, Words};
use crate::process::command::Program;
use crate::process::quote_input;

/// What the name of a field ends with that tells a secret by a command.
const SUFFIX: &str = "_command";
/// Keys below which the names are the user's own.
const OF_OTHERS: [&str; 6] = ["providers", "channels", "options", "labels", "headers", "match"];

impl ConfigReader<'_> {
    /// The words of a command as it is written at a node; a problem says what no system could start.
    pub(crate) fn command_words(&mut self, at: &[Step], field: &str, written: Vec<Lenient<Text>>) -> Words {
        let words: Words = written.into_iter().map(|word| word.0.0).collect();
        if words.first().is_none_or(String::is_empty) {
            self.problem(at, Part::Value, format!("`{field}` names no program"), None);
        } else if words.iter().any(|word| word.contains('\0')) {
            self.problem(at, Part::Value, format!("`{field}` holds a NUL character"), None);
        }
        words
    }

    /// The program that is written at a node, with the variables that commands may see.
    pub(crate) fn program(&mut self, at: &[Step], field: &str, written: Vec<Lenient<Text>>) -> Program {
        Program { words: self.command_words(at, field, written), variables: Arc::clone(&self.commands.variables) }
    }

    /// Takes the commands that tell secrets out of the tree, with what was answered when they were asked before.
    pub(crate) fn take_commands(&mut self, tree: &mut Value, answers: Answers) {
        self.commands.answers = answers;
        self.take_commands_below(tree, &mut Vec::new());
    }

    fn take_commands_below(&mut self, node: &mut Value, path: &mut NodePath) {
        match node {
            Value::Mapping(entries) => {
                let names = entries.keys().filter_map(Value::as_str).map(str::to_owned);
                for name in names.collect::<Vec<_>>() {
                    if let Some(field) = name.strip_suffix(SUFFIX).filter(|field| !field.is_empty()) {
                        let Some(mut value) = entries.remove(name.as_str()) else { continue };
                        match self.fit(&mut value, &under(path, &name)) {
                            Some(words) => drop(self.commands.written.insert(under(path, field), words)),
                            // That the secret is missing as well is no second mistake.
                            None => {
                                self.flagged.insert(under(path, field));
                            }
                        }
                    } else if let Some(below) = entries.get_mut(name.as_str()).filter(|_| !OF_OTHERS.contains(&&*name))
                    {
                        path.push(Step::Key(name));
                        self.take_commands_below(below, path);
                        path.pop();
                    }
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(Step::Index(index));
                    self.take_commands_below(item, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Whether a command tells the value of a field.
    pub(crate) fn has_command(&self, path: &[Step], field: &str) -> bool {
        self.commands.written.contains_key(&under(path, field))
    }

    /// Forgets the command that tells the value of a field, because something else does.
    pub(crate) fn drop_command(&mut self, path: &[Step], field: &str) {
        self.commands.written.remove(&under(path, field));
    }

    /// The command that tells the value of a field.
    pub(super) fn command_for(&mut self, path: &[Step], field: &str) -> Option<Vec<Lenient<Text>>> {
        self.commands.written.remove(&under(path, field))
    }

    /// What a command has told. One that failed is the entry's fault, like a file that cannot be read; one that nobody has asked
    /// yet is needed.
    pub(super) fn told(&mut self, path: &[Step], field: &str, written: Vec<Lenient<Text>>) -> Option<SecretString> {
        let name = format!("{field}{SUFFIX}");
        let at = under(path, &name);
        self.suspect_filled(&at);
        let problems = self.problems.len();
        let words = self.command_words(&at, &name, written);
        if self.problems.len() > problems {
            self.flagged.insert(under(path, field));
            return None;
        }
        match self.commands.answers.get(&words).cloned() {
            Some(Ok(secret)) => return Some(secret),
            Some(Err(why)) => {
                let message = format!("`{name}`: {why}");
                self.push(&at, Part::Value, message.clone(), None, Reach::Entry);
                self.break_entry(path, message);
            }
            None => {
                self.commands.needed.insert((under(path, field), words));
                self.break_entry(path, format!("`{name}` has not been asked: a run does that"));
            }
        }
        None
    }

    /// Reports commands that tell the value of no field.
    pub(crate) fn report_unknown_commands(&mut self) {
        for path in std::mem::take(&mut self.commands.written).into_keys() {
            let Some((_, parent)) = path.split_last() else { continue };
            let entry = self.entry_of(parent).unwrap_or(parent).to_vec();
            // Of an entry that is not looked at to its end, no more is known.
            if self.is_disabled(&entry) || self.fault(&entry).is_some() {
                continue;
            }
            let name = format!("{}{SUFFIX}", last_key(&path));
            let message = match quote_input::word(&name) {
                Some(name) => format!("unknown field `{name}`"),
                None => "unknown field".to_owned(),
            };
            let hint = "a command can tell the value of a secret, as `api_key_command`".to_owned();
            self.problem(&under(parent, &name), Part::Key(0), message, Some(hint));
        }
    }
}
