//! Files of others: what is read has a size and a time that it may take, whatever stands at its path.
//!
//! A path that a user names may be a file, but also a pipe that nobody writes to, a device without an end, or a file on a disk
//! that hangs. So a file is opened without waiting, by a thread that may be given up, and no more of it is read than it may
//! hold. Pipes are read as files are: secrets come from `<(...)` and from named pipes.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::background;

/// How much a file may hold, and how long it may keep this process waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// In bytes.
    pub most: usize,
    /// The longest wait.
    pub patience: Duration,
}

/// A secret. A thousand of them on a disk that hangs wait no longer than `PATIENCE_FOR_ALL`.
pub(crate) const SECRET: Bounds = Bounds { most: 64 * 1024, patience: Duration::from_secs(5) };
/// A file of variables. How long the run may take is not known yet when it is read, so it gets less than the shortest run can
/// spare.
pub(crate) const VARIABLES: Bounds = Bounds { most: 1024 * 1024, patience: Duration::from_secs(1) };

/// The longest that all files together may keep this process waiting, or a quarter of its time. The config is not one of them:
/// without it there is nothing to do.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(10);
/// What is left of that, in milliseconds.
static PATIENCE_LEFT: AtomicU64 = AtomicU64::new(10_000);
/// What a file gets when nothing of that is left.
const LEAST_PATIENCE: Duration = Duration::from_millis(20);
/// What is read at once.
const CHUNK: usize = 16 * 1024;
/// Before another try of what is said to be ready, and is not.
const PAUSE: Duration = Duration::from_millis(10);
/// The device that is always empty.
const NULL_DEVICE: (u32, u32) = (1, 3);

/// This process has this time in all, of which the waiting for files must leave the most.
pub(crate) fn allow(time: Duration) {
    PATIENCE_LEFT.fetch_min(milliseconds((time / 4).min(PATIENCE_FOR_ALL)), Ordering::Relaxed);
}

/// Reads a whole file that a config names.
///
/// # Errors
/// Why it cannot be read, in words that are about "it" or the system's.
pub(crate) fn read(path: &Path, bounds: Bounds) -> io::Result<Vec<u8>> {
    read_in_turn(path, bounds, false)
}

/// Reads a file as part of all that this process reads, which have a time together.
fn read_in_turn(path: &Path, bounds: Bounds, is_regular: bool) -> io::Result<Vec<u8>> {
    let left = Duration::from_millis(PATIENCE_LEFT.load(Ordering::Relaxed));
    // One of several that hang leaves something for the next one, which may be slow only.
    let patience = bounds.patience.min(left / 2).max(LEAST_PATIENCE);
    let begin = Instant::now();
    let result = read_file(path, Bounds { patience, ..bounds }, is_regular);
    let waited = milliseconds(begin.elapsed());
    let _ = PATIENCE_LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(waited)));
    result
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The same for what is never a pipe, and has an end as it stands.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_regular(path: &Path, bounds: Bounds) -> io::Result<Vec<u8>> {
    read_in_turn(path, bounds, true)
}

/// The same for a file that waits for no other one.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_alone(path: &Path, bounds: Bounds) -> io::Result<Vec<u8>> {
    read_file(path, bounds, false)
}

fn read_file(path: &Path, bounds: Bounds, is_regular: bool) -> io::Result<Vec<u8>> {
    let until = Instant::now() + bounds.patience;
    let path = path.to_owned();
    let read = move || {
        let file = open(&path).map_err(|error| unopened(&path, error))?;
        let metadata = file.metadata()?;
        if is_regular && !metadata.is_file() && !metadata.is_dir() {
            return Err(io::Error::other("it is no regular file"));
        }
        match readable(&metadata)? {
            Content::None => Ok(Vec::new()),
            Content::Some { is_pipe } => drain(&file, bounds.most, until, is_pipe),
        }
    };
    // A pipe says itself that its time is over, a little earlier and in better words.
    let time = bounds.patience + bounds.patience / 4;
    background::within("file", time, read).unwrap_or_else(|| Err(late("it did not answer", bounds.patience)))
}

/// Reads standard input to its end.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_stdin(bounds: Bounds) -> io::Result<Vec<u8>> {
    let until = Instant::now() + bounds.patience;
    let read = move || drain(&io::stdin(), bounds.most, until, true);
    let time = bounds.patience + bounds.patience / 4;
    background::within("file", time, read).unwrap_or_else(|| Err(late("it did not answer", bounds.patience)))
}

/// Replaces what a file holds, in place: what is named may be no ordinary file, as `/dev/termination-log` or a pipe.
///
/// # Errors
/// Why it cannot be written.
pub(crate) fn write(path: &Path, content: &[u8], patience: Duration) -> io::Result<()> {
    write_as(OpenOptions::new().write(true).create(true).truncate(true), path, content, patience)
}

/// Adds to the end of a file.
///
/// # Errors
/// Why it cannot be written.
pub(crate) fn append(path: &Path, content: &[u8], patience: Duration) -> io::Result<()> {
    write_as(OpenOptions::new().append(true).create(true), path, content, patience)
}

/// Makes a file that is not there yet, which only these may read.
///
/// # Errors
/// That it is there, or why it cannot be written.
pub(crate) fn create(path: &Path, mode: u32, content: &[u8], patience: Duration) -> io::Result<()> {
    write_as(OpenOptions::new().write(true).create_new(true).mode(mode), path, content, patience)
}

/// Whether others than its owner may read a file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

fn write_as(options: &mut OpenOptions, path: &Path, content: &[u8], patience: Duration) -> io::Result<()> {
    let until = Instant::now() + patience;
    let file = options.custom_flags(flags()).open(path).map_err(|error| unopened(path, error))?;
    fill(&file, content, until)
}

/// Writes a new file beside the old one and renames it, so that a reader sees either the old content or the new one. The name of the
/// new file is another one each time, so that two processes do not meet and no link is followed, and it does not end as the old one
/// does. Without a `mode` the file has that of the old one, or the usual one.
///
/// # Errors
/// Why it cannot be written; nothing is left of the new file then.
pub(crate) fn replace(path: &Path, content: &[u8], mode: Option<u32>) -> io::Result<()> {
    must_be_regular(path)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let beside = PathBuf::from(name);
    let mode = mode.map(Permissions::from_mode).or_else(|| Some(fs::metadata(path).ok()?.permissions()));
    let write = || {
        let mut file = File::create_new(&beside)?;
        file.write_all(content)?;
        if let Some(mode) = mode {
            file.set_permissions(mode)?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    let result = write();
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

/// Writes all of it to an open file, pipe or terminal, as far as it is taken in time.
///
/// # Errors
/// Why not all was taken.
pub(crate) fn fill(to: &impl AsFd, mut content: &[u8], until: Instant) -> io::Result<()> {
    let begin = Instant::now();
    while !content.is_empty() {
        if !wait(to, PollFlags::OUT, until) {
            return Err(late("nobody read it", begin.elapsed()));
        }
        // What a pipe that is ready takes at once, so that a writer that is not told to return does not wait either.
        let piece = &content[..content.len().min(4096)];
        match rustix::io::write(to, piece) {
            Ok(count) => content = &content[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until something can be read or written, or nobody is at the other end. False if that does not come in time.
pub(crate) fn wait(on: &impl AsFd, what: PollFlags, until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // A time that is no number of seconds for the system is as good as none.
        let time = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(on, what)], time.as_ref()) {
            Ok(0) if left.is_zero() => return false,
            Ok(0) | Err(Errno::INTR) => {}
            // What cannot be waited for says itself what is wrong with it.
            Ok(_) | Err(_) => return true,
        }
    }
}

/// Opens an ordinary file of the system, before anybody watches the time; none if it is something else, or is not there.
pub(super) fn open_regular(path: &Path) -> Option<File> {
    open(path).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags()).open(path)
}

/// Nothing waits when a file is opened, and no terminal becomes this process's own.
fn flags() -> i32 {
    i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or_default()
}

enum Content {
    /// It has none, and that is meant so.
    None,
    Some {
        is_pipe: bool,
    },
}

fn readable(metadata: &Metadata) -> io::Result<Content> {
    let kind = metadata.file_type();
    let device = metadata.rdev();
    if kind.is_file() {
        Ok(Content::Some { is_pipe: false })
    } else if kind.is_fifo() {
        Ok(Content::Some { is_pipe: true })
    } else if kind.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else if kind.is_char_device() && (rustix::fs::major(device), rustix::fs::minor(device)) == NULL_DEVICE {
        Ok(Content::None)
    } else {
        Err(io::Error::other("it is a device and no file"))
    }
}

/// What the system says of special files is hard to understand.
fn unopened(path: &Path, error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) {
        let is_pipe = std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
        return io::Error::other(if is_pipe { "it is a pipe that nobody reads" } else { "it is a socket and no file" });
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match error.kind() {
        io::ErrorKind::NotFound if folder.is_some_and(|folder| !folder.exists()) => {
            io::Error::new(io::ErrorKind::NotFound, "its folder does not exist")
        }
        _ => error,
    }
}

fn drain(from: &impl AsFd, most: usize, until: Instant, is_pipe: bool) -> io::Result<Vec<u8>> {
    let begin = Instant::now();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        if is_pipe && !wait(from, PollFlags::IN, until) {
            return Err(late("it is a pipe whose end did not come", begin.elapsed()));
        }
        match rustix::io::read(from, &mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if Instant::now() >= until => return Err(late("it did not answer", begin.elapsed())),
            Err(Errno::AGAIN) => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
        if bytes.len() > most {
            let message = format!("it is larger than {}", size(most));
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
    }
}

fn late(what: &str, waited: Duration) -> io::Error {
    let waited = (waited.as_secs_f64() * 10.0).round() / 10.0;
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} within {waited} s"))
}

fn size(bytes: usize) -> String {
    match bytes / 1024 {
        kib if kib >= 1024 => format!("{} MiB", kib / 1024),
        kib => format!("{kib} KiB"),
    }
}

/// Refuses what is there and no regular file, before it is replaced.
///
/// # Errors
/// What it is.
fn must_be_regular(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is no regular file")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const SOON: Bounds = Bounds { most: 1024, patience: Duration::from_millis(100) };

    fn make(command: &str, path: &Path) {
        assert!(Command::new(command).arg(path).status().unwrap().success());
    }

    #[test]
    fn whatever_stands_at_a_path_it_is_read_or_refused_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "content").unwrap();
        std::fs::write(at("most"), "x".repeat(1024)).unwrap();
        std::fs::write(at("large"), "x".repeat(1025)).unwrap();
        std::fs::write(at("sparse"), "").unwrap();
        std::fs::File::options().write(true).open(at("sparse")).unwrap().set_len(1 << 40).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        make("mkfifo", &at("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        for (path, want) in [
            (at("file"), Ok(7)),
            (at("most"), Ok(1024)),
            ("/dev/null".into(), Ok(0)),
            ("/proc/self/comm".into(), Ok(std::fs::read("/proc/self/comm").unwrap().len())),
            (at("large"), Err("it is larger than 1 KiB")),
            (at("sparse"), Err("it is larger than 1 KiB")),
            (at("folder"), Err("it is a directory")),
            (at("pipe"), Err("it is a pipe whose end did not come within 0.1 s")),
            (at("socket"), Err("it is a socket and no file")),
            (at("none"), Err("no such file")),
            (at("none/none"), Err("its folder does not exist")),
            (at("file/none"), Err("not a directory")),
            ("/dev/zero".into(), Err("it is a device and no file")),
            ("/dev/urandom".into(), Err("it is a device and no file")),
            ("/dev/tty".into(), Err("it is a device and no file")),
        ] {
            let begin = Instant::now();
            let got =
                read_alone(&path, SOON).map(|bytes| bytes.len()).map_err(|error| crate::model::text::io_error(&error));
            if path == Path::new("/dev/tty") && got.is_err() {
                continue;
            }
            assert_eq!(got, want.map_err(str::to_owned), "{}", path.display());
            assert!(begin.elapsed() < Duration::from_secs(5), "{}", path.display());
        }
        assert!(read_alone(&at("loop"), SOON).is_err());
    }

    #[test]
    fn a_pipe_with_somebody_at_the_other_end_is_read_like_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        make("mkfifo", &path);
        let (writer, text) = (path.clone(), "x".repeat(200_000));
        let wrote = text.clone();
        let thread = std::thread::spawn(move || std::fs::write(writer, wrote).unwrap());
        let bounds = Bounds { most: 200_000, patience: Duration::from_secs(30) };
        assert_eq!(read_alone(&path, bounds).unwrap(), text.as_bytes());
        thread.join().unwrap();
        let (writer, wrote) = (path.clone(), text.clone());
        let thread = std::thread::spawn(move || drop(std::fs::write(writer, wrote)));
        let error = read_alone(&path, Bounds { most: 100_000, ..bounds }).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 97 KiB");
        thread.join().unwrap();
    }

    #[test]
    fn what_is_written_is_taken_or_given_up_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let soon = Duration::from_millis(100);
        make("mkfifo", &at("pipe"));
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("file"), "more than is written now").unwrap();
        for (path, want) in [
            (at("file"), None),
            (at("new"), None),
            ("/dev/null".into(), None),
            (at("pipe"), Some("it is a pipe that nobody reads")),
            (at("folder"), Some("it is a directory")),
            (at("none/none"), Some("its folder does not exist")),
            ("/dev/full".into(), Some("the disk is full")),
        ] {
            let got = write(&path, b"content", soon).err().map(|error| crate::model::text::io_error(&error));
            assert_eq!(got.as_deref(), want, "{}", path.display());
        }
        assert_eq!(std::fs::read(at("file")).unwrap(), b"content");
        // Somebody has the pipe open and reads nothing.
        let reader = OpenOptions::new().read(true).custom_flags(flags()).open(at("pipe")).unwrap();
        assert!(write(&at("pipe"), b"content", soon).is_ok());
        let error = write(&at("pipe"), &[0; 1_000_000], soon).unwrap_err();
        assert_eq!(error.to_string(), "nobody read it within 0.1 s");
        drop(reader);
    }
}
