//! Who uses this program, and what that person answers.

use std::io;
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::environment::Environment;
use super::output;

/// The longest answer, in bytes.
const LONGEST: usize = 64 * 1024;
/// A question is shown before its answer is read, unless nobody takes it for so long.
const SHOWN: Duration = Duration::from_secs(1);
/// What Ctrl-C and Ctrl-D send where the terminal does not heed them.
const GIVEN_UP: [u8; 2] = [3, 4];

/// Asks at the terminal. A hidden answer is not shown while it is typed. None where the input ends, or the person gives up.
pub(crate) fn ask(question: &str, is_hidden: bool) -> Option<String> {
    // Whoever sees the question may answer at once.
    let hidden = is_hidden.then(Hidden::begin).flatten();
    output::say(question.as_bytes().to_vec(), true);
    output::flush(Instant::now() + SHOWN);
    let mut answer = Vec::new();
    let mut byte = [0];
    let is_whole = loop {
        match rustix::io::read(io::stdin(), &mut byte) {
            Ok(0) => break !answer.is_empty(),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break false,
        }
        match byte[0] {
            b'\n' | b'\r' => break true,
            given_up if hidden.is_some() && GIVEN_UP.contains(&given_up) => break false,
            // The keys that take a character back.
            8 | 127 if hidden.is_some() => while answer.pop().is_some_and(|last: u8| last & 0xC0 == 0x80) {},
            _ if answer.len() >= LONGEST => break false,
            other => answer.push(other),
        }
    };
    if hidden.is_some() {
        output::say(b"\n".to_vec(), true);
    }
    drop(hidden);
    is_whole.then(|| String::from_utf8_lossy(&answer).into_owned())
}

/// The terminal as it was before it stopped showing what is typed. It heeds no keys meanwhile, so that a person who gives up does not leave it
/// like this.
struct Hidden(rustix::termios::Termios);

impl Hidden {
    fn begin() -> Option<Hidden> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Where that fails there is no terminal any more.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// The user and the host, as `user@host`: the user by the variables of a login, or else by number.
pub(crate) fn user_at_host() -> String {
    let environment = Environment::of_process();
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| environment.get(name).filter(|user| !user.is_empty()));
    let user = user.map_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()), str::to_owned);
    format!("{user}@{}", rustix::system::uname().nodename().to_string_lossy())
}
