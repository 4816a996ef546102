use pgmedic::cli::{Cli, Command, completions};
use pgmedic::config::{Environment, Settings};

fn main() -> std::process::ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    if let Some(Command::Completions { shell }) = cli.command {
        completions(shell, &mut std::io::stdout());
        return std::process::ExitCode::SUCCESS;
    }
    let settings = Settings::load(cli.config.as_deref(), &Environment::from_process())
        .and_then(|settings| settings.only(&cli.database));
    match settings {
        Ok(settings) => {
            print!("{}", settings.redacted_toml());
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pgmedic: {error}");
            std::process::ExitCode::from(2)
        }
    }
}
