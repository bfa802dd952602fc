//! Who uses this program.

use super::environment::Environment;

/// The user and the host, as `user@host`: the user by the variables of a login, or else by number.
pub(crate) fn user_at_host() -> String {
    let environment = Environment::of_process();
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| environment.get(name).filter(|user| !user.is_empty()));
    let user = user.map_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()), str::to_owned);
    format!("{user}@{}", rustix::system::uname().nodename().to_string_lossy())
}
