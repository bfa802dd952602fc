//! Secrets of a config: given directly, by a variable or in a file, and looked at before anybody is asked with them.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::credential::{self, Use, Weight};
use super::path::{Part, Step, under};
use super::problem::Reach;
use super::reader::ConfigReader;
use crate::model::text;
use crate::process::{file, quote_input};

impl ConfigReader<'_> {
    /// Looks at a credential before anybody is asked with it. What cannot be right breaks the entry, what is odd is a warning.
    pub(crate) fn vet(&mut self, path: &[Step], field: &str, secret: &str, purpose: Use) {
        let is_known = self.is_unusable(path);
        let Some(finding) = credential::inspect(secret, purpose).filter(|_| !is_known) else {
            return;
        };
        let written = self.written_as(path, field);
        let at = under(path, &written);
        let variables = self.interpolated.filled.get(&at).map(|filled| filled.variables.as_slice()).unwrap_or_default();
        let name = match variables.iter().find_map(|name| quote_input::name(name)) {
            Some(variable) => format!("`{field}`, from the variable `{variable}`,"),
            None => format!("`{written}`"),
        };
        let (message, hint) = (format!("{name} {}", finding.what), finding.hint);
        match finding.weight {
            Weight::Wrong => {
                self.break_entry(path, message.clone());
                self.push(&at, Part::Value, message, hint.map(str::to_owned), Reach::Entry);
            }
            Weight::Odd => {
                let place = self.place(path, &self.brought_into(path)).unwrap_or_default();
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                self.warnings.push(format!("{place}: {message}{hint}"));
            }
        }
    }

    /// The field with which a secret is given: its own, or the one that names its file or its command.
    pub(crate) fn written_as(&self, path: &[Step], field: &str) -> String {
        format!("{field}{}", self.told_by.get(&under(path, field)).copied().unwrap_or_default())
    }

    /// A secret given directly, as a file or by a command. What cannot be read is the entry's fault, like an unset variable.
    pub(crate) fn secret(
        &mut self,
        path: &[Step],
        field: &str,
        value: Option<String>,
        file: Option<&str>,
    ) -> Option<SecretString> {
        let file_field = format!("{field}_file");
        let command = self.command_for(path, field);
        let names = [(value.is_some(), ""), (file.is_some(), "_file"), (command.is_some(), "_command")];
        let mut written = names.iter().filter(|(is_there, _)| *is_there).map(|(_, ending)| format!("{field}{ending}"));
        if let (Some(first), Some(second)) = (written.next(), written.next()) {
            let message = format!("set only one of `{first}` and `{second}`");
            self.problem(&under(path, &second), Part::Key(0), message, None);
            self.flagged.insert(under(path, field));
            return None;
        }
        let secret = match (value, file) {
            (Some(value), _) => value.trim().to_owned(),
            (None, Some(_)) if self.environment.is_withheld() => {
                self.outside.insert(under(path, field));
                self.told_by.insert(under(path, field), "_file");
                self.break_entry(path, format!("`{file_field}` was not looked at"));
                return None;
            }
            (None, Some(file)) => {
                let full = self.folder.join(file);
                match read_secret(&full) {
                    Ok(secret) => {
                        self.outside.insert(under(path, field));
                        self.told_by.insert(under(path, field), "_file");
                        secret
                    }
                    Err(why) => {
                        let shown = quote_input::path(file, &full);
                        let message = format!("`{file_field}`: {shown} cannot be read: {why}");
                        let hint = quote_input::looks_secret(file)
                            .then(|| format!("it looks like a secret; if it is one, it belongs in `{field}`"));
                        self.push(&under(path, &file_field), Part::Value, message.clone(), hint, Reach::Entry);
                        self.break_entry(path, message);
                        return None;
                    }
                }
            }
            (None, None) => {
                let secret = self.told(path, field, command?)?;
                self.outside.insert(under(path, field));
                self.told_by.insert(under(path, field), "_command");
                secret.expose_secret().to_owned()
            }
        };
        self.redactor.learn(&secret);
        Some(secret.into())
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    let bytes = file::read(path, file::SECRET).map_err(|error| text::io_error(&error))?;
    let text = text::decode(bytes).map_err(|why| format!("it is {why}"))?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}
