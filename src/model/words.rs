//! Words that the config, the store, the reports and the metrics share.

/// Defines an enum whose variants are words outside the program.
///
/// Each variant says its word once. The macro makes of it the list `ALL` in the order of the definition, `as_str`, `parse`, and
/// the forms of serde and of the schema. So a variant cannot be left out of one of them: a store with a word that `parse` has
/// forgotten would look damaged. `words!(flag enum ...)` makes a value of a command-line flag as well.
macro_rules! words {
    (flag $(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$about:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$about])* #[value(name = $word)] $variant),+
        }
        $crate::model::words::words!(@methods $vis $name { $($variant = $word),+ });
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$about:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize
        )]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        $vis enum $name {
            $($(#[$about])* #[serde(rename = $word)] $variant),+
        }
        $crate::model::words::words!(@methods $vis $name { $($variant = $word),+ });
    };
    (@methods $vis:vis $name:ident { $($variant:ident = $word:literal),+ }) => {
        #[allow(dead_code, reason = "not every kind of word is listed and parsed")]
        impl $name {
            /// Every variant, in the order of the definition.
            $vis const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];

            /// The word that stands for it in stores, reports and flags.
            $vis fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }

            /// The variant that a word stands for.
            $vis fn parse(word: &str) -> Option<$name> {
                $name::ALL.into_iter().find(|variant| variant.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What an account counts.
    pub(crate) enum BalanceType {
        /// Money
        Balance = "balance",
        /// Credits or points
        Credits = "credits",
    }
}

words! {
    /// The language of alerts.
    #[derive(Default)]
    pub enum Language {
        /// English
        #[default]
        En = "en",
        /// 中文
        Zh = "zh",
    }
}

words! {
    /// How often a subscription renews.
    pub(crate) enum CycleType {
        /// Every week
        Weekly = "weekly",
        /// Every month
        Monthly = "monthly",
        /// Every three months
        Quarterly = "quarterly",
        /// Every six months
        HalfYearly = "half-yearly",
        /// Every year
        Yearly = "yearly",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_for_the_store_for_json_and_for_people() {
        for (kind, word) in [(BalanceType::Balance, "balance"), (BalanceType::Credits, "credits")] {
            assert_eq!((kind.as_str(), BalanceType::parse(word)), (word, Some(kind)));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<BalanceType>(&format!("\"{word}\"")).unwrap(), kind);
        }
        assert_eq!((BalanceType::ALL.len(), BalanceType::parse("money")), (2, None));
    }
}
