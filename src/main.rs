//! Parse, load the configuration, run, exit code.

use pgmedic::cli::{Cli, is_for_nagios};
use pgmedic::commands::{print_nagios_error, run};
use std::process::ExitCode;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && is_for_nagios(std::env::args_os()) => {
            let first = error.to_string().lines().next().unwrap_or_default().to_owned();
            return print_nagios_error(&first).unwrap_or(ExitCode::FAILURE);
        }
        Err(error) => error.exit(),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pgmedic: the operating system gives no event loop: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli));
    // Do not wait for a DNS lookup in progress, which cannot be interrupted.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        eprintln!("pgmedic: {error}");
        ExitCode::from(error.exit_code())
    })
}
