//! What stands on standard output where no run has taken place, so that whoever reads it there, as a pipe does, sees that.

use serde_json::json;

use super::{Output, github, junit, markdown};
use crate::process::exit::Exit;
use crate::process::logging::Complaint;

/// The reason in the format of the report that was asked for; empty for formats that have no place for one.
pub(crate) fn unmade(output: Output, exit: Exit, complaints: &[Complaint]) -> String {
    let mut complaints = complaints.to_vec();
    if complaints.is_empty() {
        complaints.push(Complaint { message: exit.meaning().to_owned(), ..Complaint::default() });
    }
    let word = match exit {
        Exit::Usage => "usage",
        Exit::Config => "config",
        _ => "internal",
    };
    let lines = || complaints.iter().map(Complaint::shown).collect::<Vec<_>>();
    match output {
        Output::Nagios => format!("BALANCE UNKNOWN - {}\n", exit.meaning()),
        Output::Json => {
            let error = json!({ "reason": word, "message": exit.meaning() });
            let object = json!({
                "schema_version": 1, "status": "error", "exit_code": exit.code(), "error": error, "problems": complaints,
            });
            format!("{object:#}\n")
        }
        Output::Junit => junit::of_error(word, &lines().join("\n")),
        Output::Github => annotations("error", &complaints),
        Output::Markdown => markdown::of_error(exit.meaning(), &lines()),
        Output::Table | Output::Prometheus => String::new(),
    }
}

/// Complaints as annotations of the places that they are about.
pub(crate) fn annotations(level: &str, complaints: &[Complaint]) -> String {
    let lines = complaints.iter().map(|complaint| {
        let number = |number: Option<usize>| number.map(|number| number.to_string());
        let (line, column) = (number(complaint.line), number(complaint.column));
        let properties = [("file", complaint.file.as_ref()), ("line", line.as_ref()), ("col", column.as_ref())];
        let properties: Vec<(&str, &str)> =
            properties.into_iter().filter_map(|(name, value)| Some((name, value?.as_str()))).collect();
        github::annotation(level, &properties, &complaint.message)
    });
    lines.collect()
}
