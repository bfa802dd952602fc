//! Variables: the process environment over a `.env` file beside the config.
//!
//! This is the only file that names the process environment: whatever else needs a variable, a library included, is handed
//! its value, so that `.env` is heard of everywhere. A test holds it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use super::background;
use super::dotenv::{self, BrokenLine};
use crate::model::text;
use crate::process::file;
use crate::process::network_settings::Surroundings;

/// The variables of this run. The real environment wins over `.env`; a variable that is set to nothing counts as not set,
/// and in the real environment it hides the one of `.env`.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    process: BTreeMap<String, String>,
    /// Variables of the process that are no UTF-8; only paths may be that.
    strange: BTreeMap<String, OsString>,
    dotenv: BTreeMap<String, String>,
    /// Whether the last line of `.env` has no end.
    is_dotenv_open: bool,
    dotenv_faults: Option<DotenvFaults>,
    /// The variables of which no library hears.
    hidden: Vec<String>,
    /// Whether nobody is to know what variables and files of secrets hold.
    is_withheld: bool,
}

/// What is wrong with a `.env` file.
#[derive(Clone, Debug)]
pub(crate) struct DotenvFaults {
    pub file: PathBuf,
    pub what: DotenvFault,
}

/// How much of a `.env` file cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum DotenvFault {
    /// All of it, and why.
    Whole(String),
    /// These lines.
    Lines(Vec<BrokenLine>),
}

/// The variables that name what OpenSSL reads on its own, as long as it takes.
const READ_BY_OPENSSL: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"];

/// What stands for no file at all.
const NOTHING: &str = "/dev/null";

/// A disk that has not answered by then hangs.
const PROBE: Duration = Duration::from_secs(1);

/// What stands before the name of a variable of which no library is to hear.
const HIDDEN: &str = "BALANCE_ALERT_HIDDEN_";

impl Environment {
    /// The process environment alone.
    pub(crate) fn of_process() -> Environment {
        let mut environment = Environment::default();
        for (name, value) in given() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            let name = match name.strip_prefix(HIDDEN) {
                Some(name) if READ_BY_OPENSSL.contains(&name) => {
                    environment.hidden.push(name.to_owned());
                    name.to_owned()
                }
                _ => name,
            };
            match value.into_string() {
                Ok(value) => environment.process.insert(name, value).map(OsString::from),
                Err(value) => environment.strange.insert(name, value),
            };
        }
        environment
    }

    /// One without any variable, for those who look at the structure of a config alone: there, what is missing is no mistake.
    pub(crate) fn withheld() -> Environment {
        Environment { is_withheld: true, ..Environment::default() }
    }

    /// Whether nobody is to know what variables and files of secrets hold.
    pub(crate) fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// The same with the lines of a `.env` that is not written yet.
    #[must_use]
    pub(crate) fn with_lines(mut self, text: &str) -> Environment {
        self.dotenv.extend(dotenv::parse(text).variables);
        self
    }

    /// Whether `.env` sets a variable.
    pub(crate) fn stands_in_file(&self, name: &str) -> bool {
        self.dotenv.contains_key(name)
    }

    /// Whether what is added to `.env` would go on its last line.
    pub(crate) fn is_dotenv_open(&self) -> bool {
        self.is_dotenv_open
    }

    /// The same with the `.env` in a folder, if there is one.
    #[must_use]
    pub(crate) fn with_dotenv(mut self, folder: &Path) -> Environment {
        let file = if folder == Path::new(".") { PathBuf::from(".env") } else { folder.join(".env") };
        let text = match file::read(&file, file::VARIABLES) {
            Ok(bytes) => text::decode_lossy(bytes).map_err(|why| format!("it is {why}")),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return self;
            }
            Err(error) => Err(format!("it cannot be read: {}", text::io_error(&error))),
        };
        let fault = match text {
            Ok(text) => {
                let parsed = dotenv::parse(&text);
                self.is_dotenv_open = !text.is_empty() && !text.ends_with('\n');
                self.dotenv = parsed.variables;
                (!parsed.broken.is_empty()).then_some(DotenvFault::Lines(parsed.broken))
            }
            Err(why) => Some(DotenvFault::Whole(why)),
        };
        self.dotenv_faults = fault.map(|what| DotenvFaults { file, what });
        self
    }

    /// The variable, as it stands.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        if self.strange.contains_key(name) {
            return None;
        }
        let value = self.process.get(name).or_else(|| self.dotenv.get(name))?;
        Some(value)
    }

    /// The variable, if it is set to something.
    pub(crate) fn overlay(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The path in a variable, if it is set to something.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        match self.strange.get(name) {
            Some(path) => Some(path.into()),
            None => self.get(name).filter(|path| !path.is_empty()).map(PathBuf::from),
        }
    }

    /// What the libraries below would read from the process environment on their own.
    pub(crate) fn surroundings(&self) -> Surroundings {
        // A web server hands the header `Proxy` of whoever asks to a CGI program as `HTTP_PROXY` (httpoxy).
        let is_cgi = self.process.contains_key("REQUEST_METHOD");
        let first = |names: &[&str]| {
            let of = |variables: &BTreeMap<String, String>| {
                let counts = |name: &&&str| !(is_cgi && **name == "HTTP_PROXY");
                let values: Vec<_> = names.iter().filter(counts).filter_map(|name| variables.get(*name)).collect();
                let is_there = !values.is_empty();
                let value = values.into_iter().map(|value| value.trim()).find(|value| !value.is_empty());
                is_there.then(|| value.map(str::to_owned))
            };
            // The process wins as a whole: its `https_proxy` counts before the `HTTPS_PROXY` of `.env`.
            of(&self.process).or_else(|| of(&self.dotenv)).flatten()
        };
        let in_dotenv = |name: &&str| !self.process.contains_key(*name) && !self.strange.contains_key(*name);
        let more = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter(|name| in_dotenv(name));
        Surroundings {
            https_proxy: first(&["HTTPS_PROXY", "https_proxy"]),
            http_proxy: first(&["HTTP_PROXY", "http_proxy"]),
            all_proxy: first(&["ALL_PROXY", "all_proxy"]),
            no_proxy: first(&["NO_PROXY", "no_proxy"]),
            ssl_cert_file: self.path("SSL_CERT_FILE"),
            ssl_cert_dir: self.path("SSL_CERT_DIR"),
            more_authorities: more.filter_map(|name| self.path(name)).collect(),
            openssl_conf: self.path("OPENSSL_CONF").filter(|_| self.hidden.iter().any(|name| name == "OPENSSL_CONF")),
        }
    }

    /// What is wrong with `.env`.
    pub(crate) fn dotenv_faults(&self) -> Option<&DotenvFaults> {
        self.dotenv_faults.as_ref()
    }

    /// Why a variable is not set, if it is because of a fault in `.env`.
    pub(crate) fn why_unset(&self, name: &str) -> Option<String> {
        match &self.dotenv_faults.as_ref()?.what {
            DotenvFault::Whole(why) => Some(format!("`.env` is not used, as {why}")),
            DotenvFault::Lines(lines) => {
                let line = lines.iter().rev().find(|line| line.name.as_deref() == Some(name))?;
                Some(format!("line {} of `.env` cannot be read: {}", line.number, line.why))
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Environment {
        let process = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Environment { process, ..Environment::default() }
    }
}

/// A variable of the process, for the places where a test makes something go wrong. They know no config and no `.env`.
#[cfg(debug_assertions)]
#[allow(clippy::disallowed_methods, reason = "no `.env` has been read where this is asked")]
pub(crate) fn of_this_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The variables of the process that a command of the user's own gets, as far as they are set.
#[allow(clippy::disallowed_methods, reason = "a command gets what this process was given, whatever `.env` says")]
pub(super) fn passed_on(names: &[&'static str]) -> Vec<(&'static str, OsString)> {
    given().filter_map(|(name, value)| Some((*names.iter().find(|known| name == **known)?, value))).collect()
}

/// The arguments of the process, as text.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// The variable that this program has set for libraries, and what it was before.
static TOLD_TO_LIBRARIES: OnceLock<(&str, Option<OsString>)> = OnceLock::new();

/// The variables as this process was given them.
fn given() -> impl Iterator<Item = (OsString, OsString)> {
    let told = TOLD_TO_LIBRARIES.get();
    let before = told.and_then(|(name, before)| Some((OsString::from(name), before.clone()?)));
    std::env::vars_os().filter(move |(name, _)| told.is_none_or(|(told, _)| name != told)).chain(before)
}

/// Sets a variable for libraries that take such a setting from nowhere else. `is_better` says whether that is as good as what they would
/// read with the value that it has. Neither this program nor its commands hear of it. While there is another thread, nothing is set.
#[allow(unsafe_code, reason = "a second start of the program would cost more than what this saves")]
pub(super) fn tell_libraries(name: &'static str, value: &str, is_better: impl FnOnce(Option<&OsStr>) -> bool) {
    let is_alone = || std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    let before = std::env::var_os(name);
    // Whoever names other places to the libraries may name one that never ends; then all stays as it was given.
    let is_set = |other: &str| std::env::var_os(other).is_some();
    let is_own =
        || READ_BY_OPENSSL.iter().any(|other| (*other != name && is_set(other)) || is_set(&format!("{HIDDEN}{other}")));
    if !is_own() && is_alone() && is_better(before.as_deref()) && TOLD_TO_LIBRARIES.set((name, before)).is_ok() {
        // SAFETY: another thread could read the variables meanwhile, and there is none.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Begins this program anew within this process, with one variable more, if that is needed and not set already. It comes back
/// only if nothing has begun. Whoever has begun anew does not ask again whether it is needed.
pub(super) fn begin_again_with(name: &str, value: &str, is_needed: impl FnOnce() -> bool) {
    if std::env::var_os(name).is_none() && is_needed() {
        begin_again(|program| {
            program.env(name, value);
        });
    }
}

/// A look at what OpenSSL would read on its own, while other things are done. Commands that may speak TLS begin with it; others need
/// no answer, and wait for none.
pub(crate) struct Probe {
    until: Instant,
    /// Those that are looked at, as long as it is not known that they end.
    named: Vec<(&'static str, OsString)>,
    /// The numbers of those that end.
    ends: mpsc::Receiver<usize>,
}

impl Probe {
    pub(crate) fn begin() -> Probe {
        let (sender, ends) = mpsc::channel();
        let named = READ_BY_OPENSSL.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let named: Vec<_> = named.filter(|(_, path)| path != NOTHING).collect();
        for (number, (_, path)) in named.iter().enumerate() {
            let (sender, path) = (sender.clone(), PathBuf::from(path));
            let look = move || {
                if !never_ends(&path) {
                    // Nobody listens any more after the time.
                    let _ = sender.send(number);
                }
            };
            if let Err(look) = background::start("probe", look) {
                look();
            }
        }
        Probe { until: Instant::now() + PROBE, named, ends }
    }

    /// Begins this program anew within this process, if OpenSSL would read something that never ends, or lies on a disk that hangs. Of
    /// the variable that names it only this program hears then. It comes back if nothing has begun.
    pub(crate) fn hide_what_never_ends(self) {
        let mut is_hidden = vec![true; self.named.len()];
        while is_hidden.contains(&true) {
            // What never ends says nothing, and then nobody is left to say something, or the time is over.
            match self.ends.recv_timeout(self.until.saturating_duration_since(Instant::now())) {
                Ok(number) => is_hidden[number] = false,
                Err(_) => break,
            }
        }
        let hidden: Vec<_> = self.named.into_iter().zip(is_hidden).filter(|(_, is_hidden)| *is_hidden).collect();
        if !hidden.is_empty() {
            begin_again(|program| {
                for ((name, path), _) in hidden {
                    program.env_remove(name).env(format!("{HIDDEN}{name}"), path);
                }
            });
        }
    }
}

/// Whether a path names something else than a file or a folder, as a named pipe, of which an end may never come.
fn never_ends(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn begin_again(change: impl FnOnce(&mut std::process::Command)) {
    let mut arguments = std::env::args_os();
    let (Ok(program), Some(first)) = (std::env::current_exe(), arguments.next()) else { return };
    let mut program = std::process::Command::new(program);
    program.arg0(first).args(arguments);
    if let Some((name, before)) = TOLD_TO_LIBRARIES.get() {
        match before {
            Some(before) => program.env(name, before),
            None => program.env_remove(name),
        };
    }
    change(&mut program);
    // What cannot begin anew goes on as it is.
    let _ = program.exec();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks the process itself does not hear of `.env`. Tests may ask it. Where the program lies and its
    /// arguments are no variables.
    #[test]
    fn no_other_file_names_the_environment_of_the_process() {
        fn visit(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, found);
                    continue;
                }
                if path.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let name =
                    path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap().display().to_string();
                let is_exempt = name.ends_with("tests.rs")
                    || name.contains("/tests/")
                    || ["process/environment.rs", "config/schema.rs", "config/reference.rs"].contains(&&*name);
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                let code = code.replace("std::env::current_exe", "").replace("std::env::args_os", "");
                if !is_exempt && (code.contains("std::env") || code.contains("env::var")) {
                    found.push(name);
                }
            }
        }
        let mut found = Vec::new();
        visit(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
        assert_eq!(found, [] as [String; 0]);
    }

    #[test]
    fn the_real_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &[u8]| {
            std::fs::write(folder.path().join(".env"), text).unwrap();
            Environment::of(&[("BOTH", "process"), ("HIDDEN", ""), ("https_proxy", "p")]).with_dotenv(folder.path())
        };
        let env = read(
            b"\xEF\xBB\xBFBOTH=file\nHIDDEN=file\nONLY_IN_FILE='a b'\nHTTPS_PROXY=f\nNO_PROXY=n\nBAD='x\nALSO=\xFF\n# note\n",
        );
        assert_eq!(env.get("BOTH"), Some("process"));
        assert_eq!((env.get("HIDDEN"), env.overlay("HIDDEN")), (Some(""), None));
        assert_eq!(env.get("ONLY_IN_FILE"), Some("a b"));
        let around = env.surroundings();
        assert_eq!((around.https_proxy.as_deref(), around.no_proxy.as_deref()), (Some("p"), Some("n")));
        assert_eq!(env.why_unset("BAD").unwrap(), "line 6 of `.env` cannot be read: its quote is never closed");
        assert_eq!(env.why_unset("ALSO").unwrap(), "line 7 of `.env` cannot be read: it is not UTF-8 text");
        assert_eq!(env.why_unset("OTHER"), None);
        let env = read(b"\xFF\xFEA\0=\x001\0");
        assert_eq!(env.why_unset("A").unwrap(), "`.env` is not used, as it is UTF-16 text and not UTF-8");
    }
}
