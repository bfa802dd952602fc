//! One row for each key of the config: its name, its meaning, its range, its default and the variable that stands for it.
//!
//! A feature writes the rows of its mapping once, with [`fields!`]. From them follow the shape that serde reads, the checks of
//! ranges, the defaults, the JSON Schema, `docs/config.md` and the list of variables in `--help`.

use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

/// What is known of one key of the config.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// The key as it is written in the config.
    pub name: &'static str,
    /// What it means, as one or more sentences without the range and the default.
    #[cfg_attr(not(test), allow(dead_code, reason = "the schema and the docs are written by tests"))]
    pub about: &'static str,
    /// Whether an entry cannot do without it.
    #[cfg_attr(not(test), allow(dead_code, reason = "the schema and the docs are written by tests"))]
    pub required: bool,
    /// For a number: its range, and its default if it has one.
    pub number: Option<Number>,
    /// The default in words, for keys without a fixed one.
    #[cfg_attr(not(test), allow(dead_code, reason = "the schema and the docs are written by tests"))]
    pub default: Option<&'static str>,
    /// The environment variable that stands for it.
    pub variable: Option<Variable>,
}

impl Field {
    /// A key of which no more is known than its meaning.
    pub(crate) const fn of(name: &'static str, about: &'static str) -> Field {
        Field { name, about, required: false, number: None, default: None, variable: None }
    }

    /// What counts if the key is left out, in words.
    #[cfg(test)]
    pub(crate) fn default_text(&self) -> Option<String> {
        let number = self.number.and_then(|number| number.default).map(|number| number.to_string());
        self.default.map(str::to_owned).or(number)
    }
}

/// An environment variable that stands for a key of the config, and what else there is to know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub name: &'static str,
    /// What it does beyond standing for the key; empty if there is nothing.
    pub note: &'static str,
}

impl Variable {
    /// A variable that stands for a key and does nothing else.
    pub(crate) const fn of(name: &'static str) -> Variable {
        Variable { name, note: "" }
    }
}

/// The range of a number in the config, and its default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    least: u32,
    /// Whether the least number itself is too small.
    above: bool,
    most: u32,
    default: Option<u32>,
    unit: &'static str,
}

impl Number {
    /// From one number to another; both are allowed.
    pub(crate) const fn within(least: u32, most: u32) -> Number {
        Number { least, above: false, most, default: None, unit: "" }
    }

    /// More than zero, and at most this number.
    pub(crate) const fn above_zero(most: u32) -> Number {
        Number { least: 0, above: true, most, default: None, unit: "" }
    }

    /// The same with the unit that messages name.
    pub(crate) const fn unit(self, unit: &'static str) -> Number {
        Number { unit, ..self }
    }

    /// The same with what counts if nothing is written.
    pub(crate) const fn or(self, default: u32) -> Number {
        Number { default: Some(default), ..self }
    }

    /// What counts if nothing is written; the least number where there is no default.
    pub(crate) const fn default(self) -> u32 {
        match self.default {
            Some(default) => default,
            None => self.least,
        }
    }

    /// The same as a time, for a number of seconds.
    pub(crate) const fn default_seconds(self) -> Duration {
        Duration::from_secs(self.default() as u64)
    }

    /// The default, if there is one.
    #[cfg(test)]
    pub(crate) fn standing(self) -> Option<u32> {
        self.default
    }

    /// The ends of the range, and whether the least number itself is too small.
    #[cfg(test)]
    pub(crate) fn range(self) -> (u32, bool, u32) {
        (self.least, self.above, self.most)
    }

    /// Whether a number lies in the range.
    pub(crate) fn has(self, number: Decimal) -> bool {
        let least = Decimal::from(self.least);
        (number > least || (number == least && !self.above)) && number <= Decimal::from(self.most)
    }
}

impl fmt::Display for Number {
    /// `1 to 50`, or `above 0 and at most 600 seconds`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Number { least, above, most, unit, .. } = self;
        match above {
            true => write!(f, "above {least} and at most {most}")?,
            false => write!(f, "{least} to {most}")?,
        }
        if unit.is_empty() { Ok(()) } else { write!(f, " {unit}") }
    }
}

/// A mapping of the config, with a row for each of its keys.
pub(crate) trait Fields {
    /// The name of its shape in the JSON Schema.
    const SHAPE: &'static str;
    /// Its keys.
    const FIELDS: &'static [Field];
}

/// Declares a mapping of the config: the struct that serde reads, in which every key is optional so that one mistake does not hide
/// the next, and for each key a constant of the same name that holds its row.
///
/// ```text
/// fields! {
///     /// What it is.
///     pub(crate) struct RawThing {
///         /// What the key means.
///         size: Lenient<i128>, number = Number::within(1, 50).or(20), variable = Variable::of("THING_SIZE");
///         /// A key whose name is a word of Rust's.
///         kind as "type": Kind, required = true;
///     }
/// }
/// ```
macro_rules! fields {
    (
        $(#[$outer:meta])*
        $vis:vis struct $shape:ident {
            $( $(#[doc = $about:literal])+ $field:ident $(as $key:literal)? : $type:ty $(, $property:ident = $value:expr)* ; )*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, default)]
        $vis struct $shape {
            $( $(#[doc = $about])+ $(#[serde(rename = $key)])? pub $field: Option<$type>, )*
        }

        #[allow(non_upper_case_globals, reason = "a row has the name of its key")]
        impl $shape {
            $( #[doc = concat!("The row of `", stringify!($field), "`.")]
            pub(crate) const $field: $crate::yaml::field::Field = $crate::yaml::field::Field {
                $( $property: $crate::yaml::field::fields!(@value $property $value), )*
                ..$crate::yaml::field::Field::of($crate::yaml::field::fields!(@key $field $($key)?), concat!($($about),+))
            }; )*
        }

        impl $crate::yaml::field::Fields for $shape {
            const SHAPE: &'static str = stringify!($shape);
            const FIELDS: &'static [$crate::yaml::field::Field] = &[$( $shape::$field ),*];
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@value required $value:expr) => { $value };
    (@value $property:ident $value:expr) => { Some($value) };
}
pub(crate) use fields;
