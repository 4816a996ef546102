//! Parse, load the configuration, run, exit code.

use pgmedic::cli::Cli;
use pgmedic::run::run;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pgmedic: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
