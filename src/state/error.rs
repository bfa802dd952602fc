//! Why a store cannot be used.

/// The class of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// There is no store yet.
    Absent,
    /// It cannot be understood any more.
    Damaged,
    /// It belongs to another program.
    Foreign,
    /// It was written by a newer version.
    Newer,
    /// Other programs kept it locked.
    Busy,
    /// A full or read-only disk, or a missing right.
    Unwritable,
    /// There is no connection to it.
    Unreachable,
    /// It did not answer in time.
    Hung,
    /// Something else.
    Other,
}

/// Why a store cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct StoreError {
    pub fault: StoreFault,
    /// What is wrong, about "it"; free of secrets.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

impl StoreError {
    pub(super) fn new(fault: StoreFault, message: impl Into<String>) -> StoreError {
        StoreError { fault, message: message.into(), hint: None }
    }

    pub(super) fn damaged(message: &str) -> StoreError {
        StoreError::new(StoreFault::Damaged, message)
    }

    /// The error of a store that this run has made and that is damaged at once: what was written to it did not get there.
    pub(super) fn unkept(error: &StoreError) -> StoreError {
        let message = format!("it cannot be written: what was just written to it is not there ({})", error.message);
        StoreError::new(StoreFault::Unwritable, message)
    }

    /// A word that this version does not know, in a row that may be a newer version's.
    pub(super) fn unknown(what: &str) -> StoreError {
        StoreError::new(StoreFault::Newer, format!("a {what} in it is unknown"))
    }

    pub(super) fn newer(found: i64, known: i64) -> StoreError {
        let message = format!("it was written by a newer version (schema {found}, this program knows {known})");
        StoreError::new(StoreFault::Newer, message).with_hint("update this program, or give it another store")
    }

    /// The thread of the store has ended, as it does after a panic.
    pub(super) fn ended() -> StoreError {
        StoreError::new(StoreFault::Other, "its thread has ended by a defect of this program")
    }

    pub(super) fn older() -> StoreError {
        StoreError::new(StoreFault::Other, "it was written by an older version")
            .with_hint("the next `balance-alert check` brings it up to date")
    }

    pub(super) fn with_hint(mut self, hint: &str) -> StoreError {
        self.hint = Some(hint.to_owned());
        self
    }
}
