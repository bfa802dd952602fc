//! Times in a request, and times in an answer. All of them are in UTC.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// From here on a number of an answer counts milliseconds since 1970: in seconds it would be the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;
/// The years that a time of an answer may be in.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;
/// The year of "never".
const LAST_YEAR: i16 = 9999;
/// What is said of any other time.
const IMPLAUSIBLE: &str =
    "it is a time before 2000 or after 2999, as if seconds, milliseconds or microseconds were mixed up";
/// What a format may hold beside literal text.
const DIRECTIVES: &str = "YmdHMS";

/// The text of a placeholder such as `month:%Y-%m-%d`, `today-30d:unix` or `now:%H:%M`; none if it is no time.
///
/// It begins with `now`, `today`, `month`, `next_month` or `year`, of which all but the first are the beginning of that day, month or
/// year. Days may be added or taken off. Then comes `unix`, `unix_ms`, or a format of `%Y`, `%m`, `%d`, `%H`, `%M` and `%S`.
pub(crate) fn placeholder(name: &str, now: Timestamp) -> Option<String> {
    let (point, format) = name.split_once(':')?;
    let at = point_in_time(point, now)?;
    match format {
        "unix" => Some(at.timestamp().as_second().to_string()),
        "unix_ms" => Some(at.timestamp().as_millisecond().to_string()),
        format if is_format(format) => Some(at.strftime(format).to_string()),
        _ => None,
    }
}

fn is_format(format: &str) -> bool {
    let mut parts = format.split('%');
    parts.next();
    format.contains('%') && parts.all(|part| part.starts_with(|c| DIRECTIVES.contains(c)))
}

fn point_in_time(point: &str, now: Timestamp) -> Option<Zoned> {
    let (name, days) = match point.find(['+', '-']) {
        Some(at) => (&point[..at], point[at..].strip_suffix('d')?.parse::<i32>().ok()?),
        None => (point, 0),
    };
    let now = now.to_zoned(TimeZone::UTC);
    let today = now.start_of_day().ok()?;
    let base = match name {
        "now" => now,
        "today" => today,
        "month" => today.first_of_month().ok()?,
        "next_month" => today.first_of_month().ok()?.checked_add(1.month()).ok()?,
        "year" => today.first_of_year().ok()?,
        _ => return None,
    };
    base.checked_add(i64::from(days).days()).ok()
}

/// A span of time as a page writes it: `90s`, `30m`, `6h`, `1d`; none if it is none.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].parse().ok()?;
    Some(Duration::from_secs(count.checked_mul(unit)?)).filter(|span| !span.is_zero())
}

/// A time that an answer names: seconds or milliseconds since 1970, a date, or a date with a time. What has no time zone is in UTC.
/// Nothing for a number that is not above zero, and for the last year of the calendar, as services write that there is no such time.
///
/// # Errors
/// It is a time that no service can mean, as when it counts in another unit.
pub(super) fn of_number(number: Decimal) -> Result<Option<Timestamp>, &'static str> {
    let number = number.trunc();
    if number <= Decimal::ZERO {
        return Ok(None);
    }
    let number = number.to_i64().ok_or(IMPLAUSIBLE)?;
    let at = if number >= MILLISECONDS { Timestamp::from_millisecond(number) } else { Timestamp::from_second(number) };
    plausible(at.map_err(|_| IMPLAUSIBLE)?)
}

/// The same of a text.
///
/// # Errors
/// Also that it is no time at all.
pub(super) fn of_text(text: &str) -> Result<Option<Timestamp>, &'static str> {
    let text = text.trim();
    // Its last day is beyond what the calendar holds in UTC.
    if text.starts_with("9999-") {
        return Ok(None);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return plausible(at);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return of_number(text.parse().map_err(|_| IMPLAUSIBLE)?);
    }
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    let read = match text.parse::<DateTime>() {
        Ok(time) => utc(time),
        Err(_) => text.parse::<Date>().and_then(|date| utc(date.to_datetime(jiff::civil::Time::midnight()))),
    };
    plausible(read.map_err(|_| "it is a text that is no time")?)
}

/// A time, if a service can mean it.
fn plausible(at: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    match at.to_zoned(TimeZone::UTC).year() {
        LAST_YEAR => Ok(None),
        year if YEARS.contains(&year) => Ok(Some(at)),
        _ => Err(IMPLAUSIBLE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_a_point_in_time_and_how_it_is_written() {
        let now: Timestamp = "2026-11-30T18:36:05Z".parse().unwrap();
        for (name, want) in [
            ("now:unix", Some("1796063765")),
            ("now:unix_ms", Some("1796063765000")),
            ("now:%Y-%m-%dT%H:%M:%SZ", Some("2026-11-30T18:36:05Z")),
            ("today:%Y%m%d", Some("20261130")),
            ("today+1d:%Y-%m-%d", Some("2026-12-01")),
            ("today-30d:unix", Some("1793404800")),
            ("month:%Y-%m", Some("2026-11")),
            ("month:%Y-%m-%dT%H:%M:%SZ", Some("2026-11-01T00:00:00Z")),
            ("next_month:%Y-%m-%d", Some("2026-12-01")),
            ("next_month-1d:%Y-%m-%d", Some("2026-11-30")),
            ("year:%Y-%m-%d", Some("2026-01-01")),
            ("month", None),
            ("month:", None),
            ("month:iso", None),
            ("month:%Y-%q", None),
            ("month:%", None),
            ("week:unix", None),
            ("today-3:unix", None),
            ("\"month\":%Y", None),
        ] {
            assert_eq!(placeholder(name, now).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn times_of_an_answer_are_read_in_the_forms_that_services_use() {
        for (text, want) in [
            ("2026-12-01", Some("2026-12-01T00:00:00Z")),
            ("2026-12-01T08:00:00", Some("2026-12-01T08:00:00Z")),
            ("2026-09-26T07:59:09.000000", Some("2026-09-26T07:59:09Z")),
            ("2026-12-01 08:00:00", Some("2026-12-01T08:00:00Z")),
            ("2026-12-01T08:00:00+08:00", Some("2026-12-01T00:00:00Z")),
            ("2026-12-01T08:00:00Z", Some("2026-12-01T08:00:00Z")),
            ("1782057600", Some("2026-06-21T16:00:00Z")),
            ("1790409645998", Some("2026-09-26T08:00:45.998Z")),
            ("2099-12-31", Some("2099-12-31T00:00:00Z")),
            // There is no such time.
            ("0", None),
            ("9999-12-31", None),
            ("9999-12-31T23:59:59Z", None),
        ] {
            assert_eq!(of_text(text).map(|at| at.map(|at| at.to_string())), Ok(want.map(str::to_owned)), "{text}");
        }
        for text in ["", "-1", "soon", "12/01/2026"] {
            assert_eq!(of_text(text), Err("it is a text that is no time"), "{text}");
        }
    }

    #[test]
    fn a_time_that_no_service_can_mean_is_refused() {
        for text in [
            "1970-01-01",
            "1970-01-21T15:00:57Z",
            "1782057",             // thousands of seconds
            "1782057600000000",    // microseconds
            "1782057600000000000", // nanoseconds
            "99999999999",         // the year 5138
            "100000000000000",     // the year 5138, in milliseconds
            "99999999999999999999999",
            "3000-01-01",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(of_text(text), Err(IMPLAUSIBLE), "{text}");
        }
        assert_eq!(of_number(Decimal::from(-1)), Ok(None));
        assert_eq!(of_number(Decimal::from(1_782_057_600_000_000_000_i64)), Err(IMPLAUSIBLE));
    }
}
