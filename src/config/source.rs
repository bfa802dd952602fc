//! Where a config comes from: a named file, standard input, or the usual places.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::text;
use crate::process::environment::Environment;
use crate::process::file::{self, Bounds};
use crate::process::quote_input;
use crate::yaml::problem::{Problem, Reach};

/// The variable that names the config, as `--config` does.
const VARIABLE: &str = "CONFIG_PATH";

/// A config is text of a few kilobytes; more than this is the wrong file. It may come out of a pipe whose other end fetches it.
const BOUNDS: Bounds = Bounds { most: 16 * 1024 * 1024, patience: Duration::from_secs(30) };

/// The place a config is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Standard input (`-`).
    Stdin,
    /// A file, and the variable that chose it if one did.
    File {
        /// The path as given.
        path: PathBuf,
        /// The variable that named it, for the error message.
        variable: Option<&'static str>,
    },
}

impl Source {
    /// The source that the flag or the variable names, else the first of the usual places that holds a file. Of the
    /// environment only the process's own part is known yet: `.env` stands beside the config.
    ///
    /// # Errors
    /// A problem that lists the places if there is none.
    pub(crate) fn find(flag: Option<&Path>, environment: &Environment) -> Result<Source, Box<Problem>> {
        let (named, variable) = match flag {
            Some(flag) => (Some(flag.to_owned()), None),
            None => (environment.path(VARIABLE), Some(VARIABLE)),
        };
        if let Some(path) = named {
            return Ok(if path == Path::new("-") { Source::Stdin } else { Source::File { path, variable } });
        }
        let places = usual_places(environment);
        places
            .iter()
            .find(|path| path.is_file())
            .map(|path| Source::File { path: path.clone(), variable: None })
            .ok_or_else(|| {
                Box::new(Problem {
                    file: "config".to_owned(),
                    position: None,
                    place: None,
                    message: format!(
                        "none given, and none at {}",
                        places.iter().map(|p| format!("`{}`", p.display())).collect::<Vec<_>>().join(" or ")
                    ),
                    hint: Some(match here() {
                        Some(name) => format!("`{name}` in this folder is read with `--config {name}`"),
                        None => format!("name one with `--config FILE` or {VARIABLE}"),
                    }),
                    reach: Reach::Whole,
                })
            })
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::Stdin => "stdin".to_owned(),
            Source::File { path, .. } => quote_input::file(path),
        }
    }

    /// What tells it from the other configs of a machine, in few words: the name of the file and of its folder. The whole path is
    /// nobody's business who reads a message.
    pub(crate) fn short_name(&self) -> String {
        match self {
            Source::Stdin => "stdin".to_owned(),
            Source::File { path, .. } if quote_input::is_key_for_path(&path.to_string_lossy()) => "config".to_owned(),
            Source::File { path, .. } => {
                // As it is written, without symbolic links: those of a ConfigMap change with each of its versions.
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let names: Vec<_> =
                    whole.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
                names.into_iter().rev().filter(|name| name != "/").collect::<Vec<_>>().join("/")
            }
        }
    }

    /// The folder that relative paths in the config start from: the file's own, or the working one for stdin and what comes out
    /// of another program (`<(...)` is a path below `/dev/fd`).
    pub(crate) fn folder(&self) -> PathBuf {
        let is_stream = |path: &Path| ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
        match self {
            Source::Stdin => PathBuf::from("."),
            Source::File { path, .. } if is_stream(path) => PathBuf::from("."),
            Source::File { path, .. } => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// A problem that says why it cannot be read.
    pub(crate) fn read(&self) -> Result<String, Box<Problem>> {
        let problem = |message: String, hint: Option<String>| {
            Box::new(Problem { file: self.name(), position: None, place: None, message, hint, reach: Reach::Whole })
        };
        let bytes = match self {
            Source::Stdin => file::read_stdin(BOUNDS),
            Source::File { path, .. } => file::read_alone(path, BOUNDS),
        };
        let bytes = bytes.map_err(|error| {
            let hint = match self {
                Source::File { path, .. } if quote_input::is_key_for_path(&path.to_string_lossy()) => {
                    Some("this looks like a key and not like a path; if it is one, it belongs in `api_key`".to_owned())
                }
                Source::File { variable: Some(name), .. } => Some(format!("the path comes from the variable {name}")),
                Source::File { path, .. } if error.kind() == io::ErrorKind::NotFound => similar_file(path),
                _ => None,
            };
            problem(format!("cannot be read: {}", text::io_error(&error)), hint)
        })?;
        text::decode(bytes).map_err(|why| problem(format!("is {why}"), Some("save it as UTF-8".to_owned())))
    }
}

/// The places searched when no config is named, in order (XDG base directories, then `/etc`).
fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    let absolute = |name: &str| environment.path(name).filter(|path| path.is_absolute());
    let user = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    user.into_iter().chain([PathBuf::from("/etc")]).map(|base| base.join("balance-alert/config.yaml")).collect()
}

/// The file of the working directory that may be meant. It is not read without being named: what a folder holds that somebody
/// happens to be in must not decide what a run does.
fn here() -> Option<&'static str> {
    let names = ["config.yaml", "config.yml", "balance-alert.yaml", "balance-alert.yml", "config.json"];
    names.into_iter().find(|name| Path::new(name).is_file())
}

/// A file beside the missing one with nearly the same name.
fn similar_file(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = text::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{}`?", path.with_file_name(near).display()))
}
