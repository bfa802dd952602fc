//! Numbers that are secrets: a service can tell its key as a balance, and a number is shown in more forms than can be masked.

use rust_decimal::Decimal;
use secrecy::ExposeSecret;

use super::Redactor;

/// Digits of the shortest number that is compared. Shorter ones are met by chance.
const SHORTEST: usize = 8;
/// Digits of the shortest part that counts, of a secret in a number or of a number in a secret.
const PART: usize = 10;

impl Redactor {
    /// Whether a number that a service tells has the digits of a known secret, wherever its point stands: all of a secret that
    /// is digits alone, or ten and more in a row.
    pub(crate) fn is_secret_number(&self, number: Decimal) -> bool {
        let digits = number.mantissa().unsigned_abs().to_string();
        let digits = digits.trim_matches('0');
        if digits.len() < SHORTEST {
            return false;
        }
        self.lock().known.iter().any(|known| is_told(known.secret.expose_secret(), digits))
    }
}

/// Whether digits tell a secret. Zeros at the ends count for nothing: a point can stand anywhere.
fn is_told(secret: &str, digits: &str) -> bool {
    let is_number = secret.chars().all(|c| !c.is_alphabetic());
    let all: String = secret.chars().filter(char::is_ascii_digit).collect();
    if is_number && all.trim_matches('0') == digits {
        return true;
    }
    let runs = secret.split(|c: char| !c.is_ascii_digit()).chain(is_number.then_some(all.as_str()));
    runs.filter(|run| run.len() >= PART)
        .map(|run| run.trim_matches('0'))
        .any(|run| (run.len() >= SHORTEST && digits.contains(run)) || (digits.len() >= PART && run.contains(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_the_digits_of_a_secret_is_known_wherever_its_point_stands() {
        for (secret, number, want) in [
            ("4929123412341234", "4929123412341234", true),
            ("4929123412341234", "-4929123412341234", true),
            ("4929123412341234", "49291234123412.34", true),
            ("4929123412341234", "492912341234123400", true),
            ("4929123412341234", "14929123412341234", true),
            ("4929123412341234", "492912341234", true),
            ("4929123412341234", "49291234", false),
            ("4929-1234-1234-1234", "4929123412341234", true),
            ("123456789012345", "123456789012345", true),
            ("123456789012345", "1234567890.12345", true),
            ("12345678", "12345678", true),
            ("12345678", "123456.78", true),
            ("12345678", "1234567", false),
            ("12345678", "912345678", false),
            ("1234567", "1234567", false),
            ("ak_4929123412341234", "4929123412341234", true),
            ("ak_4929123412341234", "492912341234.1234", true),
            ("sk-a1b2c3d4e5f6a7b8", "12345678", false),
            ("4929123412340000", "492912341234", true),
            ("100000000000", "100000000000", false),
            ("4929123412341234", "1234.50", false),
            ("4929123412341234", "0", false),
        ] {
            let redactor = Redactor::default();
            redactor.learn(secret);
            assert_eq!(redactor.is_secret_number(number.parse().unwrap()), want, "{secret} {number}");
        }
    }

    #[test]
    fn a_number_in_data_stays_a_number_and_a_text_is_masked() {
        let redactor = Redactor::default();
        redactor.learn("4929123412341234");
        for (text, want) in [
            (
                r#"{"balance":-4929123412341234,"name":"x 4929123412341234"}"#,
                r#"{"balance":-4929123412341234,"name":"x ***"}"#,
            ),
            (
                r#"{"a\"":4929123412341234,"b":"\\","c":4929123412341234.5}"#,
                r#"{"a\"":4929123412341234,"b":"\\","c":4929123412341234.5}"#,
            ),
            (
                "# HELP m text\nm{project=\"4929123412341234\"} 4929123412341234\n",
                "# HELP m text\nm{project=\"***\"} 4929123412341234\n",
            ),
        ] {
            assert_eq!(redactor.shield_data(text), want);
            if text.starts_with('{') {
                serde_json::from_str::<serde_json::Value>(&redactor.shield_data(text)).unwrap();
            }
        }
        assert_eq!(redactor.shield("at 4929123412341234"), "at ***");
    }
}
