//! The page.
use std::fmt::Write;

use crate::accounts::Kind;
use crate::measure::{READINGS, Result};
use crate::rivals::RIVALS;

pub(crate) fn page(results: &[Result], _accounts: usize, _seed: u64) -> String {
    let mut out = String::new();
    let p = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{:.0}", 100.0 * x));
    for reading in READINGS {
        let _ = writeln!(out, "\n{reading:?}");
        let _ = writeln!(out, "{:12}{}", "", RIVALS.map(|r| format!("{:>12.12}", r.0)).concat());
        for kind in Kind::ALL {
            let r = results.iter().find(|r| r.kind == kind && r.reading == reading).unwrap();
            let n = r.accounts as f64;
            let s = |x: usize| 100.0 * x as f64 / n;
            let _ = write!(
                out,
                "{:10} usual {:>4}({:>3}) fast {:>4}({:>3}) said {:3.0} held {:>4} irr {:3.0} late {:3.0} (none {:3.0}) early {:3.0} |",
                kind.name(),
                p(r.usual.error()),
                p(r.usual.late()),
                p(r.fast.error()),
                p(r.fast.late()),
                100.0 * r.usual.said(),
                p((r.ranges > 0).then(|| r.held as f64 / r.ranges as f64)),
                s(r.irregular),
                s(r.late_alerts),
                s(r.no_alerts),
                s(r.early_alerts)
            );
            for rival in &r.rivals {
                let _ = write!(out, " {:>4}({:>3})", p(rival.error()), p(rival.late()));
            }
            out.push('\n');
        }
    }
    out
}
