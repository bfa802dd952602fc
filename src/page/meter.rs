//! What one evaluation may cost: steps, time, stack, and the size of what it makes.
//!
//! The interpreter cannot be interrupted from outside. But it asks for a term at each of its steps, and every value it
//! makes is of our own type, so both count here. When something is used up, the evaluation is unwound from within, like
//! a panic but without a message, and the caller gets a [`Stop`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::cpu::Share;
use super::memory;
use super::stop::{LONGEST, Stop, stop};
use crate::model::amount::Doubt;

/// Steps of one evaluation. A step is a term that is looked up or an item that is made; reading a list of 20 000
/// entries with a dozen operations each takes under a quarter of it. It takes about half a second, and ten times as long
/// in the build of the tests, so that they have a tenth of it.
const MOST_STEPS: u64 = if cfg!(test) { 300_000 } else { 3_000_000 };
/// Steps inside `path(...)`. The interpreter keeps a path as a linked list that is freed by recursion, so it must not
/// grow long.
const MOST_PATH_STEPS: u64 = 20_000;
/// Stack of one evaluation; workers and tests have 2 MiB.
const MOST_STACK: usize = 512 * 1024;
/// An evaluation has so long at the least, even if the time of its attempt is over.
const LEAST: Duration = Duration::from_millis(250);
/// An expression that was stopped once in a run has this part of the steps and of the time from then on.
const SHORTENED: u32 = 10;
/// Between two looks at the clock, in steps. A step may go through a text of megabytes, which takes milliseconds, so they
/// are few.
const CLOCK_STEPS: u64 = 256;
/// Between two looks at the memory of the process, in steps.
const MEMORY_STEPS: u64 = 4096;
/// Bytes of one text. Bodies have at most half of that.
pub(super) const LONGEST_TEXT: usize = 2 * 1024 * 1024;
/// Entries of a list that are put first one after the other.
const MOST_TURNS: usize = 64;
/// Levels of one value.
pub(super) const DEEPEST_VALUE: u32 = 256;

/// In which order an evaluation meets what has no order of its own: the entries of the answer's lists and objects, and what
/// is sorted by names. A result that is the same in each order is not one of several that the order has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they stand.
    Given,
    /// From the last to the first.
    Backwards,
    /// From the middle to the last, and then those before the middle.
    FromTheMiddle,
    /// From one so many behind the first to the last, and then those before it.
    Turned(usize),
}

impl Order {
    /// The index of the item that is met at a position in so many.
    pub(super) fn index(self, position: usize, length: usize) -> usize {
        match self {
            Order::Given => position,
            Order::Backwards => length - 1 - position,
            Order::FromTheMiddle => (position + length / 2) % length,
            Order::Turned(by) => (position + by) % length,
        }
    }

    /// The orders in which an expression that met so many entries is evaluated again. Each entry comes first in one of them, as
    /// far as `used`, the steps of one evaluation, are so few that this may be done with those that are `left`.
    pub(super) fn others(entries: usize, used: u64, left: u64) -> impl Iterator<Item = Order> {
        let affordable = usize::try_from(left / 4 / used.max(1)).unwrap_or(usize::MAX);
        let turns = entries.min(MOST_TURNS).min(affordable);
        let turned = (1..turns).map(move |turn| Order::Turned(turn * entries / turns));
        [Order::Backwards, Order::FromTheMiddle].into_iter().chain(turned).filter(move |_| entries > 1)
    }
}

/// What evaluations that belong together may cost. They have one bound of steps and of time for all of them.
pub(super) struct Bounds {
    /// Steps that are left.
    steps: Cell<u64>,
    ends: Instant,
    /// How long that is from the beginning, for the message.
    most: Duration,
    /// What the system's limit of CPU time leaves, if there is one.
    cpu: Option<Share>,
    is_short: bool,
}

impl Bounds {
    /// Fresh bounds, of which the time begins now.
    pub(super) fn new() -> Bounds {
        Bounds::part(1)
    }

    /// A tenth of the steps and of the time.
    pub(super) fn short() -> Bounds {
        Bounds::part(SHORTENED)
    }

    fn part(part: u32) -> Bounds {
        let begin = Instant::now();
        let ends = ends().min(begin + LONGEST / part);
        let steps = Cell::new(memory::steps(MOST_STEPS / u64::from(part)));
        let cpu = Share::of_evaluation(!memory::is_small());
        Bounds { steps, ends, most: ends.duration_since(begin), cpu, is_short: part > 1 }
    }

    /// Steps that are left.
    pub(super) fn left(&self) -> u64 {
        self.steps.get()
    }

    /// Whether they are a tenth of the usual ones.
    pub(super) fn are_short(&self) -> bool {
        self.is_short
    }
}

/// What is left for the evaluation on this thread.
#[derive(Clone, Copy)]
struct Budget {
    steps: u64,
    path_steps: u64,
    in_path: bool,
    /// Whether any order will do, for example to find out what is equal.
    takes_any_order: bool,
    /// Whether values without an order were met since then.
    has_no_order: bool,
    /// In which order entries are met.
    order: Order,
    /// How many entries of one list or object were met in that order, at the most.
    met: usize,
    /// Whether names are being sorted.
    sorts: bool,
    /// What is in doubt of the texts that were read as numbers, as long as their currency is not known.
    doubts: [Option<Doubt>; 8],
    /// Why a text that looks like a number was not read as one.
    refused: Option<&'static str>,
    /// Whether `fromjson` has read a text that says that something is wrong.
    denied: bool,
    /// The address of something on the stack where the evaluation began.
    stack: usize,
    ends: Instant,
    /// How long that is from the beginning, for the message.
    most: Duration,
    cpu: Option<Share>,
}

impl Budget {
    /// Ends the evaluation if its time is over.
    fn look_at_clock(&self) {
        if Instant::now() > self.ends {
            stop(Stop::Time(self.most));
        }
        if self.cpu.is_some_and(Share::is_used_up) {
            stop(Stop::Cpu);
        }
    }
}

thread_local! {
    /// When the attempt on this thread must be over, of which evaluations are a part.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
    /// How long the evaluations of the attempt have taken.
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// How much time of the processor evaluations have taken on this thread, or for it.
    static WORKED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static BUDGET: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// Puts back what was there before, also when it is dropped by unwinding.
struct Restore(Option<Budget>);

impl Drop for Restore {
    fn drop(&mut self) {
        memory::heed(self.0.is_some());
        BUDGET.set(self.0);
    }
}

/// Runs an attempt whose evaluations must be over by then, and gives how long they have taken. Each has a moment even if the
/// time is over when it begins, as an answer that was waited for is to be read.
pub(crate) fn within<T>(until: Instant, attempt: impl FnOnce() -> T) -> (T, Duration) {
    let before = (UNTIL.replace(Some(until)), SPENT.replace(Duration::ZERO));
    let result = attempt();
    UNTIL.set(before.0);
    (result, SPENT.replace(before.1))
}

/// Counts the time of an evaluation, and how much of the processor's it took.
pub(super) fn note(spent: Duration, worked: Duration) {
    SPENT.set(SPENT.get() + spent);
    WORKED.set(WORKED.get() + worked);
}

/// How much time of the processor the evaluations within some work take.
pub(crate) fn worked<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = WORKED.get();
    let result = work();
    (result, WORKED.get().saturating_sub(before))
}

/// When an evaluation that begins now must be over.
pub(super) fn ends() -> Instant {
    let now = Instant::now();
    let longest = now + LONGEST;
    UNTIL.get().map_or(longest, |until| until.clamp(now + LEAST, longest))
}

/// Runs an evaluation with what is left of the bounds, and with entries in an order.
///
/// # Errors
/// Why it was stopped.
pub(super) fn metered<T>(bounds: &Bounds, order: Order, evaluate: impl FnOnce() -> T) -> Result<T, Stop> {
    let budget = Budget {
        steps: bounds.steps.get(),
        path_steps: MOST_PATH_STEPS,
        in_path: false,
        takes_any_order: false,
        has_no_order: false,
        order,
        met: 0,
        sorts: false,
        doubts: [None; 8],
        refused: None,
        denied: false,
        stack: here(),
        ends: bounds.ends,
        most: bounds.most,
        cpu: bounds.cpu,
    };
    let restore = Restore(BUDGET.replace(Some(budget)));
    memory::heed(true);
    let result = catch_unwind(AssertUnwindSafe(evaluate));
    bounds.steps.set(BUDGET.get().map_or(0, |budget| budget.steps));
    drop(restore);
    result.map_err(|payload| payload.downcast::<Stop>().map_or(Stop::Defect, |stop| *stop))
}

/// Counts one step of the interpreter, and looks at its stack.
pub(super) fn step() {
    let Some(mut budget) = BUDGET.get() else { return };
    if budget.stack.abs_diff(here()) > MOST_STACK {
        stop(Stop::Stack);
    }
    if budget.in_path {
        budget.path_steps = budget.path_steps.checked_sub(1).unwrap_or_else(|| stop(Stop::Steps));
    }
    spend_of(budget, 1);
}

/// Counts the making of `cells` items, or of as much text as `cells` items are worth.
pub(super) fn spend(cells: usize) {
    if let Some(budget) = BUDGET.get() {
        spend_of(budget, cells as u64);
    }
}

fn spend_of(mut budget: Budget, cells: u64) {
    let left = budget.steps.checked_sub(cells).unwrap_or_else(|| memory::outgrow(Stop::Steps));
    if left / CLOCK_STEPS != budget.steps / CLOCK_STEPS {
        budget.look_at_clock();
    }
    if left / MEMORY_STEPS != budget.steps / MEMORY_STEPS {
        memory::look_at_process();
    }
    budget.steps = left;
    BUDGET.set(Some(budget));
}

/// Looks at the clock, after something that takes long for its steps.
pub(super) fn look_at_clock() {
    if let Some(budget) = BUDGET.get() {
        budget.look_at_clock();
    }
}

/// Counts a text of this many bytes that is made.
pub(super) fn spend_text(bytes: usize) {
    if bytes > LONGEST_TEXT {
        // Outside an evaluation nothing is stopped: a body is bounded by who reads it.
        if BUDGET.get().is_some() {
            stop(Stop::Text);
        }
    }
    spend_bytes(bytes);
}

/// Counts so many bytes of text that are looked at: what is copied, compared, hashed or searched costs as its length.
pub(super) fn spend_bytes(bytes: usize) {
    spend(bytes / 64);
}

/// Counts the copying of so many items that are shared.
pub(super) fn spend_copy(items: usize) {
    spend(items / 4);
}

/// Runs what follows a path; the steps in it are counted apart as well.
pub(super) fn in_path<T>(follow: impl FnOnce() -> T) -> T {
    let Some(budget) = BUDGET.get() else { return follow() };
    let was = budget.in_path;
    BUDGET.set(Some(Budget { in_path: true, ..budget }));
    let result = follow();
    if let Some(budget) = BUDGET.get() {
        BUDGET.set(Some(Budget { in_path: was, ..budget }));
    }
    result
}

/// Ends the evaluation because two values have no order, except where any order will do.
pub(super) fn refuse_order(why: impl FnOnce() -> Stop) {
    match BUDGET.get() {
        Some(budget) if budget.takes_any_order => BUDGET.set(Some(Budget { has_no_order: true, ..budget })),
        Some(_) => stop(why()),
        None => {}
    }
}

/// The order in which so many entries are met that have none of their own.
pub(super) fn order_of(entries: usize) -> Order {
    match BUDGET.get() {
        Some(budget) if entries > 1 => {
            BUDGET.set(Some(Budget { met: budget.met.max(entries), ..budget }));
            budget.order
        }
        _ => Order::Given,
    }
}

/// How many entries the evaluation has met whose order may have decided something.
pub(super) fn entries_met() -> usize {
    BUDGET.get().map_or(0, |budget| budget.met)
}

/// Remembers what is in doubt of a text that is read as a number.
pub(super) fn note_doubt(doubt: Doubt) {
    if let Some(mut budget) = BUDGET.get() {
        // Of several currencies one at least is another one, so two are enough.
        let is_currency = matches!(doubt, Doubt::Beside(_));
        let currencies = budget.doubts.iter().flatten().filter(|known| matches!(known, Doubt::Beside(_))).count();
        if let Some(place) = budget.doubts.iter_mut().find(|known| known.is_none_or(|known| known == doubt))
            && (!is_currency || currencies < 2)
        {
            *place = Some(doubt);
        }
        BUDGET.set(Some(budget));
    }
}

/// What is in doubt of the texts that the evaluation has read as numbers.
pub(super) fn doubts() -> Vec<Doubt> {
    BUDGET.get().map(|budget| budget.doubts.into_iter().flatten().collect()).unwrap_or_default()
}

/// Remembers that a text which `fromjson` reads says that something is wrong.
pub(super) fn note_denial() {
    BUDGET.set(BUDGET.get().map(|budget| Budget { denied: true, ..budget }));
}

/// Whether such a text was read.
pub(super) fn has_met_denial() -> bool {
    BUDGET.get().is_some_and(|budget| budget.denied)
}

/// Remembers why a text that looks like a number is none, also where the expression goes on without it.
pub(super) fn note_refusal(why: &'static str) {
    BUDGET.set(BUDGET.get().map(|budget| Budget { refused: budget.refused.or(Some(why)), ..budget }));
}

/// Why the evaluation has not read a text that looks like a number.
pub(super) fn refusal() -> Option<&'static str> {
    BUDGET.get()?.refused
}

/// Sorts. The order of the alphabet says nothing of what names stand for, so within this it is turned around where entries
/// are met backwards.
pub(super) fn sorting<T>(sort: impl FnOnce() -> T) -> T {
    let set = |sorts| BUDGET.set(BUDGET.get().map(|budget| Budget { sorts, ..budget }));
    set(true);
    let result = sort();
    set(false);
    result
}

/// Whether the names that are being sorted are to be turned around.
pub(super) fn turns_names() -> bool {
    match BUDGET.get() {
        Some(budget) if budget.sorts => {
            BUDGET.set(Some(Budget { met: budget.met.max(2), ..budget }));
            budget.order != Order::Given
        }
        _ => false,
    }
}

/// Sorts by an order that tells what is equal, and otherwise does not matter; and whether it is one that can be relied on.
pub(super) fn in_any_order<T>(sort: impl FnOnce() -> T) -> (T, bool) {
    let set = |takes_any_order| {
        BUDGET.set(BUDGET.get().map(|budget| Budget { takes_any_order, has_no_order: false, ..budget }));
    };
    set(true);
    let result = sort();
    let is_ordered = !BUDGET.get().is_some_and(|budget| budget.has_no_order);
    set(false);
    (result, is_ordered)
}

/// About where the stack is. Never inlined, so that it is the caller's stack that is measured and not some place above.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::hint::black_box(&raw const mark).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone<T>(evaluate: impl FnOnce() -> T) -> Result<T, Stop> {
        metered(&Bounds::new(), Order::Given, evaluate)
    }

    #[test]
    fn what_is_used_up_stops_the_evaluation_and_nothing_else() {
        let endless: [fn(); 3] = [step, || spend(100), || in_path(step)];
        for step in endless {
            let evaluation = || -> () {
                loop {
                    step();
                }
            };
            assert_eq!(alone(evaluation), Err(Stop::Steps));
        }
        let words = [Stop::Steps, Stop::Time(LONGEST)].map(|stop| stop.to_string());
        assert!(words[0].ends_with("too many steps"), "{words:?}");
        assert!(words[1].ends_with(&format!("longer than {} seconds", LONGEST.as_secs())), "{words:?}");
        assert_eq!(alone(|| spend_text(usize::MAX)), Err(Stop::Text));
        #[allow(unconditional_recursion, reason = "that it never ends is what is tested")]
        fn dig(n: u64) -> u64 {
            step();
            dig(n + 1) + std::hint::black_box(n)
        }
        assert_eq!(alone(|| dig(0)).map(|_| ()), Err(Stop::Stack));
        assert_eq!(alone(|| 7), Ok(7));
        // Outside an evaluation nothing is counted.
        spend(usize::MAX);
        spend_text(usize::MAX);
        step();
        // Each has its own.
        let inner = alone(|| {
            spend(200_000);
            alone(|| spend(200_000)).is_ok()
        });
        assert_eq!(inner, Ok(true));
    }
}
