//! Where a config comes from: a named file, standard input, or the usual places.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::problem::{Problem, Reach};

/// A config is text of a few kilobytes; more than this is the wrong file.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The place a config is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
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
    /// The source the user named, else the first of the usual places that holds a file.
    ///
    /// # Errors
    /// A problem that lists the places if there is none.
    pub fn find(named: Option<&Path>, variable: Option<&'static str>) -> Result<Source, Box<Problem>> {
        if let Some(path) = named {
            return Ok(if path == Path::new("-") {
                Source::Stdin
            } else {
                Source::File { path: path.to_owned(), variable }
            });
        }
        let places = usual_places();
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
                    hint: Some("name one with `--config FILE` or CONFIG_PATH".to_owned()),
                    reach: Reach::Whole,
                })
            })
    }

    /// The name for messages.
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => "stdin".to_owned(),
            Source::File { path, .. } => path.display().to_string(),
        }
    }

    /// The folder that relative paths in the config start from: the file's own, or the working one for stdin.
    pub fn folder(&self) -> PathBuf {
        match self {
            Source::Stdin => PathBuf::from("."),
            Source::File { path, .. } => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        }
    }

    /// The text.
    ///
    /// # Errors
    /// A problem that says why it cannot be read.
    pub fn read(&self) -> Result<String, Box<Problem>> {
        let problem = |message: String, hint: Option<String>| {
            Box::new(Problem { file: self.name(), position: None, place: None, message, hint, reach: Reach::Whole })
        };
        let bytes = match self {
            Source::Stdin => read_capped(io::stdin().lock()),
            Source::File { path, .. } => std::fs::File::open(path).and_then(read_capped),
        };
        let bytes = bytes.map_err(|error| {
            let hint = match self {
                Source::File { variable: Some(name), .. } => Some(format!("the path comes from the variable {name}")),
                Source::File { path, .. } if error.kind() == io::ErrorKind::NotFound => similar_file(path),
                _ => None,
            };
            problem(format!("cannot be read: {}", crate::text::io_error(&error)), hint)
        })?;
        String::from_utf8(bytes)
            .map_err(|error| problem(format!("is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()), None))
    }
}

fn read_capped(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// The places searched when no config is named, in order (XDG base directories, then `/etc`).
fn usual_places() -> Vec<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    user.into_iter().chain([PathBuf::from("/etc")]).map(|base| base.join("balance-alert/config.yaml")).collect()
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
    let near = crate::text::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{}`?", path.with_file_name(near).display()))
}
