//! The metrics of a run in Prometheus' text format, as `publish` has rendered them.

use super::{Report, View};

pub(super) fn render(report: &Report, _: View) -> String {
    report.exposition.clone()
}
