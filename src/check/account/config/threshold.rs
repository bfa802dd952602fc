//! The thresholds of a project as they are written: `10`, or `20%` of the total.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::RawProject;
use crate::model::threshold::Threshold;
use crate::process::quote_input;
use crate::yaml::field::Field;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Scalar};

/// A threshold as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written(pub Threshold);

impl FromStr for Written {
    type Err = ();

    fn from_str(text: &str) -> Result<Written, ()> {
        let (number, made): (&str, fn(Decimal) -> Threshold) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), Threshold::Percent),
            None => (text, Threshold::Of),
        };
        Decimal::read(number).map(|number| Written(made(number))).ok_or(())
    }
}

impl Scalar for Written {
    const EXPECTED: &'static str = Decimal::EXPECTED;

    fn expected(text: &str) -> &'static str {
        Decimal::expected(text)
    }
}

impl ConfigReader<'_> {
    /// The threshold and the warning threshold of a project.
    pub(super) fn thresholds(
        &mut self,
        path: &[Step],
        critical: Option<Lenient<Written>>,
        warning: Option<Lenient<Written>>,
    ) -> [Option<Threshold>; 2] {
        let critical = self.threshold(path, &RawProject::threshold, critical);
        let warning = self.threshold(path, &RawProject::warning_threshold, warning);
        // An amount and a share can be compared only when the total is known.
        let pair = match (critical, warning) {
            (Some(Threshold::Of(critical)), Some(Threshold::Of(warning))) => Some((critical, warning, "")),
            (Some(Threshold::Percent(critical)), Some(Threshold::Percent(warning))) => Some((critical, warning, "%")),
            _ => None,
        };
        if let Some((critical, warning, sign)) = pair.filter(|(critical, warning, _)| warning < critical) {
            let [warning, critical] = [warning, critical].map(quote_input::number);
            let shown = |number: String| if number.is_empty() { number } else { format!("{number}{sign}") };
            let (warning, critical) = (shown(warning), shown(critical));
            let message =
                format!("`warning_threshold`{warning} is under `threshold`{critical}, so it would never warn");
            self.problem(&under(path, "warning_threshold"), Part::Value, message, None);
        }
        [critical, warning]
    }

    fn threshold(&mut self, path: &[Step], field: &Field, value: Option<Lenient<Written>>) -> Option<Threshold> {
        let threshold = value?.0.0;
        self.not_negative(path, field, Some(Lenient(threshold.number())))?;
        match threshold {
            Threshold::Percent(percent) if percent > Decimal::ONE_HUNDRED => {
                let message = format!("`{}` must not be more than 100%", field.name);
                self.problem(&under(path, field.name), Part::Value, message, None);
                None
            }
            threshold => Some(threshold),
        }
    }
}
