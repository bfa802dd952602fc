//! The states of accounts, subscriptions and mailboxes, as reports and metrics name them.

use crate::model::words::words;

words! {
    /// The state of one account.
    pub(crate) enum Status {
        /// The balance is below its threshold.
        Low = "low",
        /// The account could not be read, so the balance is neither good nor low.
        Failed = "failed",
        /// The balance is below its warning threshold.
        Warning = "warning",
        /// The balance is at or above all thresholds.
        Ok = "ok",
        /// The account has no limit.
        Unlimited = "unlimited",
    }
}

words! {
    /// The state of one subscription.
    pub(crate) enum SubscriptionStatus {
        /// It is not known when it renews.
        Failed = "failed",
        /// It was not renewed on its day, as far as is known.
        Overdue = "overdue",
        /// It renews soon or today, and is not paid as far as is known.
        Due = "due",
        /// Its next renewal is paid already.
        Renewed = "renewed",
        /// It does not renew soon.
        Ok = "ok",
        /// It has ended.
        Over = "over",
    }
}

words! {
    /// The state of one mailbox.
    pub(crate) enum MailboxStatus {
        /// It could not be read, or not all of it.
        Failed = "failed",
        /// A mail speaks of trouble.
        Alert = "alert",
        /// It was read, and nothing was found.
        Ok = "ok",
    }
}
