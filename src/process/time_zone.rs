//! Time zones by their names: their rules lie in files of the system, and most of them are built in as well.
//!
//! The library would walk through the folder of these files, open whatever stands there and read it to its end, so it is built
//! without that. Here one file is read, as each file of others is: a regular one, of a size that such rules have, and in time. What
//! cannot be read so is looked for in the next place; a run never ends for it.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::background;
use super::environment::Environment;
use super::file::{self, Bounds};
use crate::model::text;

/// The variable that names the folder of the rules.
const FOLDER: &str = "TZDIR";
/// Where systems have them.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// The rules of a zone have some four kilobytes at the most.
const RULES: Bounds = Bounds { most: 256 * 1024, patience: Duration::from_secs(1) };
/// A list of names that is longer, or comes later, is not needed: it is for slips.
const MOST_NAMES: usize = 10_000;
const LISTING: Duration = Duration::from_secs(1);
/// The names of zones have three parts at the most.
const MOST_LEVELS: usize = 4;
const LONGEST_NAME: usize = 100;

/// The time zones that there are.
pub(crate) struct TimeZones {
    folders: Vec<PathBuf>,
    names: OnceCell<Vec<String>>,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// A zone.
    Found(TimeZone),
    /// A zone whose rules cannot be read as they lie there: those to go on with, and a sentence that says why and with which.
    Instead(TimeZone, String),
    /// There is no such zone.
    Unknown,
}

/// Why a file brings no rules.
enum NoRules {
    /// There is no file of this name.
    Absent,
    /// What is there is none of a zone, about "it".
    Broken(String),
}

impl TimeZones {
    /// Those of a process with these variables.
    pub(crate) fn new(environment: &Environment) -> TimeZones {
        let folders = environment.path(FOLDER).into_iter().chain(FOLDERS.map(PathBuf::from)).collect();
        TimeZones { folders, names: OnceCell::new() }
    }

    /// The zone of this name, whatever the case of its letters.
    pub(crate) fn find(&self, name: &str) -> Lookup {
        if name.eq_ignore_ascii_case("UTC") {
            return Lookup::Found(TimeZone::UTC);
        }
        if !is_name(name) {
            return Lookup::Unknown;
        }
        match self.look(name) {
            Lookup::Unknown => match self.spelt(name) {
                Some(name) => self.look(&name),
                None => Lookup::Unknown,
            },
            found => found,
        }
    }

    /// The zone of exactly this name.
    fn look(&self, name: &str) -> Lookup {
        let mut fault = None;
        for folder in &self.folders {
            match rules(folder, name) {
                Ok(zone) => return told(zone, fault, &format!("those in `{}`", folder.display())),
                Err(NoRules::Broken(why)) => {
                    fault.get_or_insert(why);
                }
                Err(NoRules::Absent) => {}
            }
        }
        match TimeZoneDatabase::bundled().get(name) {
            Ok(zone) => told(zone, fault, "those that are built in"),
            Err(_) if fault.is_some() => told(TimeZone::UTC, fault, "UTC"),
            Err(_) => Lookup::Unknown,
        }
    }

    /// A name with its letters as they are written in the list of zones.
    fn spelt(&self, name: &str) -> Option<String> {
        self.names().iter().find(|known| known.eq_ignore_ascii_case(name)).filter(|known| *known != name).cloned()
    }

    /// The names of all zones, as far as the folders say them in time.
    pub(crate) fn names(&self) -> &[String] {
        self.names.get_or_init(|| {
            let mut names: Vec<String> =
                TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
            for folder in &self.folders {
                let folder = folder.clone();
                let listed = background::within("zones", LISTING, move || listed(&folder));
                names.extend(listed.unwrap_or_default());
            }
            names
        })
    }
}

fn told(zone: TimeZone, fault: Option<String>, instead: &str) -> Lookup {
    match fault {
        None => Lookup::Found(zone),
        Some(why) => Lookup::Instead(zone, format!("its rules cannot be read: {why}; going on with {instead}")),
    }
}

/// Whether a text can be the name of a zone: a path inside the folder of the rules.
fn is_name(name: &str) -> bool {
    let is_part = |part| matches!(part, Component::Normal(_));
    let is_text = |name: &str| name.bytes().all(|byte| byte.is_ascii_graphic());
    (1..=LONGEST_NAME).contains(&name.len())
        && is_text(name)
        && Path::new(name).components().all(is_part)
        && Path::new(name).components().count() <= MOST_LEVELS
}

/// The rules of a zone as they lie in a folder.
fn rules(folder: &Path, name: &str) -> Result<TimeZone, NoRules> {
    let bytes = file::read_regular(&folder.join(name), RULES).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => NoRules::Absent,
        _ => NoRules::Broken(text::io_error(&error)),
    })?;
    // The library says of a fault more than helps, and the file may be anything.
    TimeZone::tzif(name, &bytes).map_err(|_| NoRules::Broken("it is no file of a time zone".to_owned()))
}

/// The paths of the files below a folder. Nothing is opened.
fn listed(folder: &Path) -> Vec<String> {
    let (mut names, mut folders, mut seen) = (Vec::new(), vec![(folder.to_owned(), 1)], 0);
    while let Some((inner, level)) = folders.pop() {
        for entry in fs::read_dir(&inner).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST_NAMES {
                return names;
            }
            match entry.file_type() {
                // A link to a folder is not followed, so there is no circle.
                Ok(kind) if kind.is_dir() && level < MOST_LEVELS => folders.push((entry.path(), level + 1)),
                Ok(kind) if !kind.is_dir() => {
                    let path = entry.path();
                    let name = path.strip_prefix(folder).ok().and_then(Path::to_str).filter(|name| is_name(name));
                    names.extend(name.map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Instant;

    /// Rules that say `XXX`, eight hours ahead, and nothing else.
    fn eight_hours_ahead() -> Vec<u8> {
        let block = |times: &[u8]| {
            let mut block =
                b"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x04".to_vec();
            block.extend_from_slice(times);
            block
        };
        let kind = [&28_800_i32.to_be_bytes()[..], &[0, 0], b"XXX\0"].concat();
        [block(&kind), block(&kind), b"\nXXX-8\n".to_vec()].concat()
    }

    fn zones(folder: &Path) -> TimeZones {
        TimeZones { folders: vec![folder.to_owned()], names: OnceCell::new() }
    }

    fn offset(zone: &TimeZone) -> i32 {
        zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds()
    }

    #[test]
    fn whatever_stands_in_the_place_of_rules_a_name_is_answered_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("Asia/Deep/Deeper/Deepest")).unwrap();
        let good = eight_hours_ahead();
        for (name, content) in [
            ("Own/Zone", &good[..]),
            ("Empty", b""),
            ("Text", b"# a list"),
            ("Cut", &good[..50]),
            ("Asia/Tokyo", b"TZif"),
        ] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), content).unwrap();
        }
        fs::File::create(at("Large")).unwrap().set_len(1 << 40).unwrap();
        assert!(Command::new("mkfifo").args([at("Pipe"), at("Europe")]).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("Socket")).unwrap();
        for (from, to) in [("Zero", "/dev/zero"), ("Loop", "Loop"), ("Gone", "nowhere"), ("Tty", "/dev/tty")] {
            std::os::unix::fs::symlink(to, at(from)).unwrap();
        }
        let zones = zones(folder.path());
        let begin = Instant::now();
        for name in ["Own/Zone", "own/zone"] {
            assert!(matches!(zones.find(name), Lookup::Found(zone) if offset(&zone) == 28_800), "{name}");
        }
        for name in ["UTC", "utc", "Etc/UTC", "America/New_York"] {
            assert!(matches!(zones.find(name), Lookup::Found(_)), "{name}");
        }
        for (name, want, seconds) in [
            ("Pipe", "it is no regular file; going on with UTC", 0),
            ("Socket", "it is a socket and no file; going on with UTC", 0),
            ("Zero", "it is no regular file; going on with UTC", 0),
            ("zero", "it is no regular file; going on with UTC", 0),
            ("Large", "it is larger than 256 KiB; going on with UTC", 0),
            ("Empty", "it is no file of a time zone; going on with UTC", 0),
            ("Text", "it is no file of a time zone; going on with UTC", 0),
            ("Cut", "it is no file of a time zone; going on with UTC", 0),
            ("Asia/Tokyo", "it is no file of a time zone; going on with those that are built in", 32_400),
        ] {
            match zones.find(name) {
                Lookup::Instead(zone, why) => {
                    assert_eq!(why, format!("its rules cannot be read: {want}"), "{name}");
                    assert_eq!(offset(&zone), seconds, "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(matches!(zones.find("Loop"), Lookup::Instead(..)));
        for name in
            ["Nowhere/AtAll", "Gone", "Asia", "", "..", "/etc/passwd", "../Own/Zone", "A/../../B", "a b", "\0", "余额"]
        {
            assert!(matches!(zones.find(name), Lookup::Unknown), "{name}");
        }
        assert!(zones.names().iter().any(|name| name == "Own/Zone"), "they are listed");
        assert!(begin.elapsed() < Duration::from_secs(30), "nothing is waited for");
    }

    #[test]
    fn no_rules_are_so_broken_that_the_program_ends() {
        let good = eight_hours_ahead();
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] = *random.choice(&[0, 1, 127, 128, 255, random.clone().u8(..)]).unwrap();
            }
            bytes.truncate(random.usize(..=bytes.len()));
            if let Ok(zone) = TimeZone::tzif("Broken", &bytes) {
                for second in [0, 4_000_000_000, -4_000_000_000] {
                    let at = jiff::Timestamp::from_second(second).unwrap();
                    let _ = (at.to_zoned(zone.clone()).date(), seed);
                }
            }
        }
    }
}
