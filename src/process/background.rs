//! Work on a thread of its own, or on this one where the system gives no thread (`RLIMIT_NPROC`, `pids.max`, no memory).
//!
//! A thread maps a stack for signals once it runs, and ends the whole process if it gets none, so none is asked for where there is
//! hardly room for its stack.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::Builder;
use std::time::Duration;

use super::address_space;

/// Address space of a thread, in bytes: 2 MiB for its stack, and as much for what it maps while others start theirs.
const SPACE_FOR_A_THREAD: usize = 4 * 1024 * 1024;

/// Starts work on a thread of its own, for which nobody waits.
///
/// # Errors
/// The work, if no thread could be started.
pub(crate) fn start<W: FnOnce() + Send + 'static>(name: &str, work: W) -> Result<(), W> {
    if address_space::free_space().is_some_and(|free| free < SPACE_FOR_A_THREAD) {
        return Err(work);
    }
    // The work is lent, because a thread that does not start would take it along.
    let lent = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&lent);
    let take = |from: &Mutex<Option<W>>| from.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started = Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(work) = take(&taken) {
            work();
        }
    });
    match started {
        Ok(_) => Ok(()),
        Err(_) => take(&lent).map_or(Ok(()), Err),
    }
}

/// Does work that may hang, and waits for it so long at the most; none if it is not done by then. Without a thread the work
/// is done here, and then only its own limits hold.
pub(crate) fn within<T: Send + 'static>(
    name: &str,
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        // Nobody listens any more after the time.
        let _ = sender.send(work());
    };
    if let Err(work) = start(name, work) {
        work();
    }
    receiver.recv_timeout(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_left_alone() {
        let (release, wait) = mpsc::channel::<()>();
        assert_eq!(within("test", Duration::from_secs(60), || 7), Some(7));
        assert_eq!(within("test", Duration::from_millis(10), move || wait.recv().is_ok()), None);
        drop(release);
    }
}
