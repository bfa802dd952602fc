//! The channels that are code, and the keys that a webhook of such a type has of its own.

use std::collections::BTreeMap;

use super::page::FieldSpec;

/// The type of the channel that is standard error.
pub(crate) const CONSOLE: &str = "console";
/// The type of a channel that sends mail.
pub(crate) const EMAIL: &str = "email";
/// The type of a channel that is a command of the user's own.
pub(crate) const EXEC: &str = "exec";
/// The types of channels that are code.
pub(crate) const CODED: [&str; 3] = [CONSOLE, EMAIL, EXEC];

/// The keys of a mail channel, as a page would have them.
const OF_EMAIL: &str = include_str!("email/fields.yaml");

/// The name for people of a channel that is code.
pub(crate) fn title(id: &str) -> &'static str {
    match id {
        EXEC => "A command of your own",
        EMAIL => "E-mail",
        _ => "Standard error",
    }
}

/// The keys that a webhook of such a type has of its own, beside those that every webhook has.
pub(crate) fn fields(id: &str) -> BTreeMap<String, FieldSpec> {
    let text = if id == EMAIL { OF_EMAIL } else { "{}" };
    // A test reads it.
    serde_yaml::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_can_be_read() {
        for id in CODED {
            assert_eq!(fields(id).is_empty(), id != EMAIL, "{id}");
        }
    }
}
