//! `pgmedic demo`: failing inserts and their repair, on a throwaway PostgreSQL (`pgmedic-testserver`).
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | start and end of the demo, also by a signal |
//! | `story.rs` | the steps in order; the failing login |
//! | `drift_examples.rs` | one table of each kind, all behind |
//! | `app.rs` | the application whose inserts fail, and the pass that repairs them |
//! | `logins.rs` | logins that repair their sequence, and the sweep of expired sessions |
//! | `serve.rs` | `--serve`: server, application and agent keep running for the status page |
//! | `printer.rs` | the output |

mod app;
mod drift_examples;
mod logins;
mod printer;
mod serve;
mod story;

use crate::agent::{AgentError, StopSignals};
use crate::config::ConfigError;
use pgmedic_core::QueryError;
use pgmedic_login::StoreError;
use pgmedic_testserver::{ServerError, ServerOptions, TestServer};
use printer::Printer;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the demo cannot use its own database: {0}")]
    Settings(#[from] ConfigError),
    #[error("the demo could not {what}: {source}")]
    Database { what: String, source: QueryError },
    #[error("the demo could not {what}: {source}")]
    Login { what: &'static str, source: StoreError },
    /// Every step is checked. A step with another result ends the demo.
    #[error("the demo had an unexpected result: {0}")]
    UnexpectedResult(String),
    #[error("the demo's agent could not run: {0}")]
    Agent(#[from] AgentError),
    #[error("the demo could not be shown: {0}")]
    Output(#[from] io::Error),
}

impl DemoError {
    fn login(what: &'static str, source: StoreError) -> Self {
        Self::Login { what, source }
    }
}

/// The exit code when the reader of the output has gone: 128 and SIGPIPE.
const READER_LEFT: u8 = 141;

/// Within this time a signal that has come is delivered.
const SIGNAL_DELIVERY: Duration = Duration::from_millis(200);

/// Runs the demo on a throwaway server, which is gone when this returns. SIGINT and SIGTERM end it with 128 and the
/// signal's number.
///
/// # Errors
///
/// When no server can be started, or when a step has an unexpected result.
pub async fn run() -> Result<ExitCode, DemoError> {
    let mut interrupts = StopSignals::install()?;
    let mut page = Printer::on_stdout();
    end(show(&mut page, &mut interrupts).await)
}

/// Keeps a server, an application whose sequences are set back again and again, and the agent running. SIGINT and
/// SIGTERM are its normal end.
///
/// # Errors
///
/// When there is no server, or when the agent cannot start.
pub async fn serve() -> Result<ExitCode, DemoError> {
    let mut interrupts = StopSignals::install()?;
    let mut page = Printer::on_stdout();
    end(serve::show(&mut page, &mut interrupts).await)
}

fn end(shown: Result<(), StopReason>) -> Result<ExitCode, DemoError> {
    match shown {
        Err(StopReason::Interrupted(code)) => {
            eprintln!("pgmedic: stopped; the demo's server and its files are gone");
            Ok(ExitCode::from(code))
        }
        Err(StopReason::Failed(DemoError::Output(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::from(READER_LEFT))
        }
        Err(StopReason::Failed(error)) => Err(error),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Why the demo ended early.
enum StopReason {
    Interrupted(u8),
    Failed(DemoError),
}

impl<E: Into<DemoError>> From<E> for StopReason {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn show(page: &mut Printer, interrupts: &mut StopSignals) -> Result<(), StopReason> {
    story::opening(page)?;
    let server = start(interrupts).await?;
    tokio::select! {
        biased;
        code = interrupts.next() => return Err(StopReason::Interrupted(code)),
        told = story::run_story(page, &server) => told?,
    }
    drop(server);
    story::closing(page, &program())?;
    Ok(())
}

/// Starts the server on another thread, which takes about a second. A second Ctrl-C does not wait for it: the server's
/// guard process removes what is left.
async fn start(interrupts: &mut StopSignals) -> Result<TestServer, StopReason> {
    let (started, mut starting) = oneshot::channel();
    thread::spawn(move || {
        // Fails after a second Ctrl-C, and the server is dropped unused.
        let _ = started.send(TestServer::start(&ServerOptions::default()));
    });
    let code = tokio::select! {
        biased;
        code = interrupts.next() => code,
        server = &mut starting => match server.map_err(io::Error::other)? {
            Ok(server) => return Ok(server),
            // The same Ctrl-C may have ended initdb, whose error arrived first.
            Err(error) => match timeout(SIGNAL_DELIVERY, interrupts.next()).await {
                Ok(code) => return Err(StopReason::Interrupted(code)),
                Err(_) => return Err(error.into()),
            },
        },
    };
    tokio::select! {
        biased;
        again = interrupts.next() => Err(StopReason::Interrupted(again)),
        _ = starting => Err(StopReason::Interrupted(code)),
    }
}

/// How to start this program again: as it was started, unless a shell needs quotes for that.
fn program() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let named = std::env::args().next().filter(|name| !name.is_empty() && name.chars().all(plain));
    named.unwrap_or_else(|| "pgmedic".to_owned())
}
