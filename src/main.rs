//! The edge of the process: arguments in, exit code out.

use std::panic;
use std::process::ExitCode;

use balance_alert::cli::Cli;
use balance_alert::exit::Exit;
use balance_alert::{logging, nagios, run};
use clap::Parser;
use clap::error::ErrorKind;

fn main() -> ExitCode {
    // Where a panic happened is for the log; what it said may hold a secret.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        log::error!("panicked at {place}");
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let exit = match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ if wants_nagios() => nagios(Exit::Usage),
                _ => Exit::Usage,
            };
            return exit.into();
        }
    };
    let exit = panic::catch_unwind(|| run(cli)).unwrap_or_else(|_| {
        logging::last_words("internal error: the run failed by a defect of this program; please report it");
        if wants_nagios() { nagios(Exit::Internal) } else { Exit::Internal }
    });
    exit.into()
}

/// Whether the arguments ask for Nagios output, also where they cannot be parsed.
fn wants_nagios() -> bool {
    let arguments: Vec<_> = std::env::args().collect();
    arguments.iter().any(|argument| matches!(argument.as_str(), "--output=nagios" | "-onagios"))
        || arguments.windows(2).any(|pair| matches!(pair[0].as_str(), "--output" | "-o") && pair[1] == "nagios")
}
