//! What the system grants this process: no core dump, as many descriptors as there can be, and the address space that it may use.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::environment;
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

const MIB: usize = 1024 * 1024;
/// So much address space, in bytes, is enough for anything.
const AMPLE_SPACE: usize = 16 * 1024 * MIB;
/// So much memory, in bytes, is enough for heaps of all threads.
const AMPLE_MEMORY: usize = 2048 * MIB;
/// Address space that one read takes, in bytes: the stacks of its worker, of its client and of a name look-up, and its answer.
const SPACE_FOR_A_READ: usize = 9 * MIB;
/// Address space for what a run still needs when it tells, beside the channels, in bytes: the store, the report, the metrics.
const SPACE_BESIDE_TELLING: usize = 12 * MIB;
/// Address space for what every command begins with, in bytes: the variables and the config are read by threads that have a stack each.
pub(crate) const SPACE_TO_BEGIN: usize = 24 * MIB;
/// Address space for a run of one worker, in bytes.
pub(crate) const SPACE_FOR_A_RUN: usize = SPACE_ASIDE + SPACE_FOR_A_READ;
/// Address space for all that is not reading, in bytes: the stacks and buffers of the store, the channels and the watch.
const SPACE_ASIDE: usize = 32 * MIB;

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
    let is_limited = || {
        let is_small = |bound: &SpaceBound| bound.most().is_some_and(|most| most < AMPLE_SPACE);
        SPACE_BOUNDS.iter().any(is_small) || granted_memory().is_some_and(|most| most < AMPLE_MEMORY)
    };
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        environment::begin_again_with("MALLOC_ARENA_MAX", "1", is_limited);
    }
}

/// How much memory the control group of this process may take, in bytes; none if it is not limited.
fn granted_memory() -> Option<usize> {
    least_memory(&read("/proc/self/cgroup")?, "/sys/fs/cgroup")
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
        let limit = |group: &Path| read(&format!("{folder}{}/{file}", group.display()))?.trim().parse().ok();
        Path::new(group).ancestors().filter_map(limit).min()
    });
    limits.min()
}

/// What the system tells in a file of its own.
pub(super) fn read(path: &str) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// A limit of what this process may map.
struct SpaceBound {
    resource: Resource,
    /// What counts against it, as Linux tells it.
    used: &'static str,
    /// What it limits, and the option of `ulimit` that sets it.
    words: [&'static str; 2],
}

/// The address space, and that part of it which is private and can be written: heaps and stacks.
const SPACE_BOUNDS: [SpaceBound; 2] = [
    SpaceBound { resource: Resource::As, used: "VmSize:", words: ["address space", "-v"] },
    SpaceBound { resource: Resource::Data, used: "VmData:", words: ["memory for data", "-d"] },
];

impl SpaceBound {
    /// The limit, in bytes.
    fn most(&self) -> Option<usize> {
        usize::try_from(getrlimit(self.resource).current?).ok()
    }

    /// What is left of it, in bytes.
    fn free(&self) -> Option<usize> {
        Some(self.most()?.saturating_sub(memory(self.used)?))
    }
}

/// How much more this process may map, in bytes: the least that one of its limits leaves. None if there is no limit.
pub(crate) fn free_space() -> Option<usize> {
    SPACE_BOUNDS.iter().filter_map(SpaceBound::free).min()
}

/// How much memory of this process is resident, in bytes, where the system tells it.
pub(crate) fn resident() -> Option<usize> {
    memory("VmRSS:")
}

/// A line of what Linux tells of the memory of this process, in bytes.
fn memory(name: &str) -> Option<usize> {
    let status = read("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok()?.checked_mul(1024)
}

/// Why there is too little address space or memory for data for what takes so many bytes, if that is so.
pub(crate) fn shortage(least: usize) -> Option<String> {
    let (bound, free) =
        SPACE_BOUNDS.iter().filter_map(|bound| Some((bound, bound.free()?))).min_by_key(|(_, free)| *free)?;
    let missing = least.checked_sub(free).filter(|missing| *missing > 0)?.div_ceil(MIB);
    let (most, [what, option]) = (bound.most()? / MIB, bound.words);
    Some(format!(
        "this process may use {most} MiB of {what}, which is {missing} MiB too little\n hint: raise the limit (`ulimit {option}`)"
    ))
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
    share(free(), fitting(free_space(), reads), hosts)
}

/// So many reads, or as many as there is address space for. Half of it is left for what their answers become.
fn fitting(space: Option<usize>, reads: usize) -> usize {
    let most = space.map(|space| space.saturating_sub(SPACE_ASIDE) / 2 / SPACE_FOR_A_READ);
    most.map_or(reads, |most| reads.min(most).max(1))
}

/// How many of so many channels are told at once: as many as there is address space for.
pub(crate) fn channels_at_once(channels: usize) -> usize {
    told_at_once(free_space(), channels)
}

/// A channel takes what a read takes: a stack, that of a name look-up, a message and an answer.
fn told_at_once(space: Option<usize>, channels: usize) -> usize {
    let most = space.map(|space| space.saturating_sub(SPACE_BESIDE_TELLING) / SPACE_FOR_A_READ);
    most.map_or(channels, |most| channels.min(most).max(1))
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
    fn address_space_bounds_the_reads() {
        for (space, want) in
            [(None, 20), (Some(0), 1), (Some(50), 1), (Some(100), 3), (Some(392), 20), (Some(4000), 20)]
        {
            assert_eq!(fitting(space.map(|space: usize| space * MIB), 20), want, "{space:?}");
        }
    }

    #[test]
    fn address_space_bounds_the_channels_that_are_told_at_once() {
        for (space, channels, want) in [
            (None, 60, 60),
            (Some(0), 60, 1),
            (Some(20), 60, 1),
            (Some(40), 60, 3),
            (Some(40), 2, 2),
            (Some(4000), 60, 60),
        ] {
            assert_eq!(told_at_once(space.map(|space: usize| space * MIB), channels), want, "{space:?} {channels}");
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
