//! What the system grants this process: no core dump, as many descriptors as there can be, and the heaps that its memory allows.

use std::io::{PipeReader, PipeWriter};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{address_space, environment};
use crate::model::failure::{Failure, Reason};

/// Descriptors that nobody counts one by one: the store's files, the runtime's, a name look-up's.
const ASIDE: usize = 24;
/// Descriptors of one read: its connection, or a second one beside it while both of a host's addresses are tried, and what a
/// name look-up opens.
const FOR_A_READ: usize = 3;
/// Descriptors with which a runtime waits for others.
const FOR_A_RUNTIME: usize = 3;
/// So many free descriptors are enough for a client of its own for each host that is asked.
const AMPLE: usize = 256;

/// So much memory, in bytes, is enough for heaps of all threads.
const AMPLE_MEMORY: usize = 2048 * 1024 * 1024;

/// Descriptors that nobody uses until it is told what is wrong: the two ends of a pipe.
pub(crate) struct Reserve(Mutex<Option<(PipeReader, PipeWriter)>>);

impl Reserve {
    /// Gives the descriptors back.
    pub(crate) fn release(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Keeps this process's memory, which holds keys, out of every core dump, and raises the limit of open files as far as it may
/// be raised. What the system refuses stays as it is.
pub(super) fn prepare() -> Reserve {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // A limit of zero does not hold where dumps are piped to a program.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let files = getrlimit(Resource::Nofile);
    if files.current != files.maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
    }
    warn_before_the_end();
    // It is kept only if one descriptor is left beside it, as the config could not be read without one.
    let reserve = std::io::pipe().ok().filter(|(end, _)| end.try_clone().is_ok());
    Reserve(Mutex::new(reserve))
}

/// Lowers the limit at which the system says that the CPU time is over (SIGXCPU) below the one at which it kills the process, so
/// that the run can end in order in between. `ulimit -t` sets both to the same.
fn warn_before_the_end() {
    let limit = getrlimit(Resource::Cpu);
    let most = limit.maximum.and_then(soft_cpu_limit).filter(|most| limit.current.is_none_or(|soft| soft > *most));
    if most.is_some() {
        let _ = setrlimit(Resource::Cpu, Rlimit { current: most, ..limit });
    }
}

/// The latest CPU time, in seconds, at which a run must hear of a limit that kills it; none where that is too near.
fn soft_cpu_limit(hard: u64) -> Option<u64> {
    const MOST_FOR_END: u64 = 5;
    hard.checked_sub((hard / 2).clamp(1, MOST_FOR_END)).filter(|soft| *soft > 0)
}

/// The CPU time that this process may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuLimits {
    /// Then it is asked to end.
    pub soft: Duration,
    /// Then it is killed.
    pub hard: Option<Duration>,
}

/// The limits of CPU time (`ulimit -t`), as they were when this was asked first; none if there is none.
pub(crate) fn cpu() -> Option<CpuLimits> {
    static LIMITS: LazyLock<Option<CpuLimits>> = LazyLock::new(|| {
        let limit = getrlimit(Resource::Cpu);
        let hard = limit.maximum.map(Duration::from_secs);
        let soft = limit.current.map(Duration::from_secs).or(hard)?;
        Some(CpuLimits { soft, hard })
    });
    *LIMITS
}

/// Whether the first thread may have a stack of less than this, in bytes.
const SMALL_STACK: u64 = 1024 * 1024;

/// Whether the stack of the first thread is too small for the work of this program.
pub(super) fn has_small_stack() -> bool {
    getrlimit(Resource::Stack).current.is_some_and(|most| most < SMALL_STACK)
}

/// Whether this is the first thread, and its stack may have so many bytes beside what is in use.
pub(crate) fn has_main_stack(bytes: usize) -> bool {
    const IN_USE: usize = 1024 * 1024;
    let most = getrlimit(Resource::Stack).current.map_or(u64::MAX, |most| most);
    std::thread::current().name() == Some("main") && u64::try_from(bytes + IN_USE).is_ok_and(|wanted| wanted <= most)
}

/// Where memory or address space is limited, lets all threads share one heap. By default the allocator of glibc reserves 64 MiB of
/// address space for each of them, and keeps for it what it has freed. It reads that from a variable when a program begins.
pub(super) fn share_one_heap() {
    let is_limited = || address_space::is_limited() || granted_memory().is_some_and(|most| most < AMPLE_MEMORY);
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        environment::begin_again_with("MALLOC_ARENA_MAX", "1", is_limited);
    }
}

/// How much memory the control group of this process may take, in bytes; none if it is not limited.
fn granted_memory() -> Option<usize> {
    least_memory(&address_space::read("/proc/self/cgroup")?, "/sys/fs/cgroup")
}

/// The least limit of the control groups that a process is in and of those around them, in bytes. `groups` is what the system
/// tells of the process, and `root` where it shows groups. A container sees its own group as the root, also where it is told
/// another name of it.
fn least_memory(groups: &str, root: &str) -> Option<usize> {
    let limits = groups.lines().filter_map(|line| {
        let (_, controllers_and_group) = line.split_once(':')?;
        // The second version has one hierarchy, without a name; the first one has its own for memory.
        let (folder, file, group) = match controllers_and_group.split_once(':')? {
            ("", group) => (root.to_owned(), "memory.max", group),
            (controllers, group) if controllers.split(',').any(|name| name == "memory") => {
                (format!("{root}/memory"), "memory.limit_in_bytes", group)
            }
            _ => return None,
        };
        let limit =
            |group: &Path| address_space::read(&format!("{folder}{}/{file}", group.display()))?.trim().parse().ok();
        Path::new(group).ancestors().filter_map(limit).min()
    });
    limits.min()
}

/// How many reads there may be at once, and how many idle connections to each host may be kept, so that descriptors are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Reads at once, one at the least.
    pub reads: usize,
    /// Idle connections to one host.
    pub idle: usize,
}

/// The room for so many reads at once, of so many hosts.
pub(crate) fn room(reads: usize, hosts: usize) -> Room {
    share(free(), address_space::fitting(reads), hosts)
}

/// Whether there are descriptors for a client with a runtime of its own, and for one read by it. A client that takes all there
/// are can read nothing.
pub(crate) fn has_room_for_runtime() -> bool {
    free() >= FOR_A_RUNTIME + FOR_A_READ
}

/// Whether there are descriptors for many such clients. Where there are few, all reads share one.
pub(crate) fn has_room_for_runtimes() -> bool {
    free() >= AMPLE
}

/// How many descriptors may still be opened.
fn free() -> usize {
    // Without a limit there is room.
    let most =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let open = match std::fs::read_dir("/proc/self/fd") {
        // The list itself is open while it is read.
        Ok(all) => all.count().saturating_sub(1),
        Err(error) if is_short_of_files(&error) => most,
        // Where open descriptors cannot be counted, few are open.
        Err(_) => 16,
    };
    most.saturating_sub(open)
}

fn share(free: usize, reads: usize, hosts: usize) -> Room {
    let free = free.saturating_sub(ASIDE);
    let reads = reads.min(free / FOR_A_READ).max(1);
    let idle = free.saturating_sub(reads * FOR_A_READ) / hosts.max(1);
    Room { reads, idle: idle.min(reads) }
}

/// Whether what failed needed a descriptor more than there may be.
pub(crate) fn is_short_of_files(error: &std::io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The failure of what needed one. Another attempt can help: others give theirs back.
pub(crate) fn out_of_files() -> Failure {
    Failure::transient(Reason::Connect, "no connection: this process may open no more files")
        .with_hint("raise the limit of open files (`ulimit -n`), or lower settings.max_concurrent_checks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_hears_of_the_end_of_its_cpu_time_before_it_is_killed() {
        for (hard, want) in
            [(0, None), (1, None), (2, Some(1)), (3, Some(2)), (5, Some(3)), (10, Some(5)), (60, Some(55))]
        {
            assert_eq!(soft_cpu_limit(hard), want, "{hard}");
        }
    }

    #[test]
    fn the_memory_of_a_group_is_bounded_by_all_groups_around_it() {
        const ONLY_SECOND: &str = "0::/a.slice/b.slice/c.service\n";
        const ONLY_FIRST: &str =
            "12:cpu,cpuacct:/elsewhere\n5:freezer,memory:/docker/0a1b\n1:name=systemd:/docker/0a1b\n";
        const BOTH: &str = "5:memory:/docker/0a1b\n0::/a.slice\n";
        let service = "a.slice/b.slice/c.service/memory.max";
        let (own, around) = ("memory/docker/0a1b/memory.limit_in_bytes", "memory/memory.limit_in_bytes");
        for (groups, files, want) in [
            (ONLY_SECOND, &[][..], None),
            (ONLY_SECOND, &[(service, "max")], None),
            (ONLY_SECOND, &[(service, "8000000")], Some(8_000_000)),
            (ONLY_SECOND, &[(service, "8000000"), ("a.slice/b.slice/memory.max", "7000000")], Some(7_000_000)),
            (ONLY_SECOND, &[(service, "max"), ("a.slice/memory.max", "9000000")], Some(9_000_000)),
            // A container: the name is another one, or only `/`, and its own group is the root.
            (ONLY_SECOND, &[("memory.max", "6000000")], Some(6_000_000)),
            ("0::/\n", &[("memory.max", "6000000")], Some(6_000_000)),
            ("0::/../other\n", &[("memory.max", "6000000")], Some(6_000_000)),
            ("0::/\n", &[("memory.max", "nonsense")], None),
            (ONLY_FIRST, &[(own, "5000000")], Some(5_000_000)),
            (ONLY_FIRST, &[(around, "5000000")], Some(5_000_000)),
            (ONLY_FIRST, &[(own, "9223372036854771712"), (around, "4000000")], Some(4_000_000)),
            (ONLY_FIRST, &[("memory.max", "1")], None),
            (BOTH, &[(own, "5000000"), ("a.slice/memory.max", "max")], Some(5_000_000)),
            ("", &[("memory.max", "1")], None),
            ("nonsense\n:\n1:\n", &[("memory.max", "1")], None),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (file, limit) in files {
                let path = root.path().join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, format!("{limit}\n")).unwrap();
            }
            let least = least_memory(groups, &root.path().display().to_string());
            assert_eq!(least, want, "{groups} {files:?}");
        }
    }

    #[test]
    fn descriptors_are_shared_so_that_some_are_left() {
        for (free, reads, hosts, want) in [
            // A machine as it is.
            (1000, 20, 1, (20, 20)),
            (1000, 20, 60, (20, 15)),
            (usize::MAX, 50, 100_000, (50, 50)),
            // More hosts than descriptors: no connection is kept.
            (1000, 20, 2000, (20, 0)),
            (56, 20, 60, (10, 0)),
            // Hardly any.
            (10, 20, 1, (1, 0)),
            (0, 20, 0, (1, 0)),
        ] {
            let room = share(free, reads, hosts);
            assert_eq!((room.reads, room.idle), want, "{free} {reads} {hosts}");
            let used = room.reads * FOR_A_READ + room.idle * hosts;
            assert!(used <= free.saturating_sub(ASIDE).max(FOR_A_READ), "{free} {reads} {hosts}: {used}");
        }
    }
}
