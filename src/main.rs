//! Parse, load the configuration, run, exit code.

use pgmedic::cli::Cli;
use pgmedic::commands::run;
use std::process::ExitCode;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pgmedic: the operating system gives no event loop: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli));
    // A name that is still being looked up, which nothing can interrupt, keeps nobody waiting.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        eprintln!("pgmedic: {error}");
        ExitCode::from(error.exit_code())
    })
}
