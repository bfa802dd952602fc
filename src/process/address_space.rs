//! The memory that the system lets this process map: how much of it is left, and what it has room for.

use std::fs::File;
use std::io::Read as _;

use rustix::process::{Resource, getrlimit};

const MIB: usize = 1024 * 1024;
/// So much address space, in bytes, is enough for anything.
const AMPLE_SPACE: usize = 16 * 1024 * MIB;
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

/// Whether this process may map or write so little that it has to be careful with it.
pub(super) fn is_limited() -> bool {
    SPACE_BOUNDS.iter().any(|bound| bound.most().is_some_and(|most| most < AMPLE_SPACE))
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

/// So many reads, or as many as there is address space for.
pub(super) fn fitting(reads: usize) -> usize {
    read_at_once(free_space(), reads)
}

/// Half of the space is left for what the answers become.
fn read_at_once(space: Option<usize>, reads: usize) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_space_bounds_the_reads() {
        for (space, want) in
            [(None, 20), (Some(0), 1), (Some(50), 1), (Some(100), 3), (Some(392), 20), (Some(4000), 20)]
        {
            assert_eq!(read_at_once(space.map(|space: usize| space * MIB), 20), want, "{space:?}");
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
}
