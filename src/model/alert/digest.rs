//! A part of a digest, which says what a period came to. It is told once and never over.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Event, Level};
use crate::model::words::words;

words! {
    /// How long the period of a digest is.
    #[derive(Default, clap::ValueEnum)]
    pub(crate) enum Span {
        /// Yesterday
        Day = "day",
        /// The last week from Monday to Sunday
        #[default]
        Week = "week",
        /// The last calendar month
        Month = "month",
    }
}

words! {
    /// What a list of a digest is about.
    pub(crate) enum List {
        /// The accounts that will be empty first.
        RunsDry = "runs_dry",
        /// The accounts that consumed the most of each currency.
        Consumed = "most_consumed",
        /// The accounts whose consumption a day changed most since the period before.
        Changed = "changed_most",
        /// The subscriptions that renew or end soon, or are overdue.
        Renews = "renews",
        /// The credits that lapse soon.
        Lapses = "lapses",
        /// What cannot be read.
        Unread = "unread",
        /// Nothing was read in the period.
        Empty = "empty",
        /// How many more accounts there are whose amounts cannot be added to others.
        Others = "others",
    }
}

/// A part of a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Digest {
    /// How long the period is.
    pub span: Span,
    /// Its first day, in the time zone of the config.
    pub first: Date,
    /// Its last day.
    pub last: Date,
    /// What is said of it.
    pub part: Part,
}

/// What a part says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// What the accounts of one currency came to.
    Sum(Sum),
    /// A list, and how many more rows it would have.
    List(List, Vec<Row>, usize),
}

/// What the accounts of one currency came to, or one account whose amounts cannot be added to those of others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sum {
    /// The account, if it is about one.
    pub name: Option<String>,
    /// What is counted.
    pub currency: Option<String>,
    /// The number of accounts.
    pub accounts: usize,
    /// How many more have the currency, and were not read in the period.
    pub unread: usize,
    /// The balance at the beginning; none if the sum is no decimal any more, as in all of these.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub opening: Option<Decimal>,
    /// By how much balances rose.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub topped_up: Option<Decimal>,
    /// By how much they fell.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub consumed: Option<Decimal>,
    /// The balance at the end.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub closing: Option<Decimal>,
}

/// A row of a list. What its list does not tell is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The account, mailbox or subscription; none for the sum of a currency at the end of a list.
    pub name: Option<String>,
    /// The balance, the consumption, the price, or what lapses.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
    /// What was consumed a day before.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub before: Option<Decimal>,
    /// What the amounts are counted in.
    pub currency: Option<String>,
    /// Until when, on which day, or since when.
    pub date: Option<Date>,
    /// Days until then.
    pub days: Option<i64>,
    /// Why it cannot be read, or the name of a credit.
    pub word: Option<String>,
}

impl Facts for Digest {
    fn in_a_few_words(&self, _: Event, _: Level) -> String {
        let what = match &self.part {
            Part::Sum(Sum { name: Some(name), .. }) => name,
            Part::Sum(sum) => sum.currency.as_deref().unwrap_or_default(),
            Part::List(list, ..) => list.as_str(),
        };
        format!("digest of the {} from {} on: {what}", self.span.as_str(), self.first)
    }

    fn figure(&self) -> Figure<'_> {
        Figure::Word(self.first.to_string())
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        match &mut self.part {
            Part::Sum(sum) => sum.currency.iter_mut().map(OutsideText::Currency).collect(),
            Part::List(_, rows, _) => rows
                .iter_mut()
                .flat_map(|row| {
                    let words = row.name.iter_mut().chain(&mut row.word).map(OutsideText::Reason);
                    row.currency.iter_mut().map(OutsideText::Currency).chain(words)
                })
                .collect(),
        }
    }
}
