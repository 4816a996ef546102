//! A throwaway PostgreSQL, for `pgmedic demo` and for tests that want a real server.

mod server;

pub use server::{Server, ServerError, ServerOptions};

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Server(#[from] ServerError),
}

pub async fn run() -> Result<std::process::ExitCode, DemoError> {
    Ok(std::process::ExitCode::SUCCESS)
}
