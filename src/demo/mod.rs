//! A throwaway PostgreSQL, for `pgmedic demo` and for tests that want a real server.
//!
//! | file | does |
//! |---|---|
//! | `server/` | the throwaway server |
//! | `story.rs` | the acts, in their order |
//! | `kinds.rs` | one drifted table of each kind |
//! | `app.rs` | the application whose inserts fail, and the pass that repairs them |
//! | `logins.rs` | logins that repair themselves, and sessions that are over |
//! | `serve.rs` | everything kept running, to be watched on the status page |
//! | `page.rs` | how it looks |
//! | `interrupt.rs` | Ctrl-C |

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
    /// Said rather than passed over: a demo that pretends proves nothing.
    #[error("the demo did not go as told: {0}")]
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

/// What programs of which nobody reads the output any more end with: 128 and SIGPIPE.
const READER_LEFT: u8 = 141;

/// A signal that has come is told of within it.
const MOMENT: Duration = Duration::from_millis(200);

/// Tells the story on a server of its own, which is gone when this returns. Stopped by SIGINT or SIGTERM, it ends
/// with 128 and the signal's number.
///
/// # Errors
///
/// When there is no server to tell it on, or when anything does not go as told.
pub async fn run() -> Result<ExitCode, DemoError> {
    let mut interrupts = StopSignals::install()?;
    let mut page = Printer::on_stdout();
    end(show(&mut page, &mut interrupts).await)
}

/// Keeps a server, an application that somebody sabotages and the agent running, for the status page to show. SIGINT
/// and SIGTERM are its ordinary end.
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

/// Why the story ended early.
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

/// Starts the server, about a second's work, on a thread of its own: a second Ctrl-C need not wait for it, the
/// server's guard cleans up behind us then.
async fn start(interrupts: &mut StopSignals) -> Result<TestServer, StopReason> {
    let (started, mut starting) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits any more after a second Ctrl-C, and the server goes away unused.
        let _ = started.send(TestServer::start(&ServerOptions::default()));
    });
    let code = tokio::select! {
        biased;
        code = interrupts.next() => code,
        server = &mut starting => match server.map_err(io::Error::other)? {
            Ok(server) => return Ok(server),
            // The same Ctrl-C may have ended a program of ours, whose end was told first.
            Err(error) => match timeout(MOMENT, interrupts.next()).await {
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

/// How to start this program again: as it was started, if a shell would take that unquoted.
fn program() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let named = std::env::args().next().filter(|name| !name.is_empty() && name.chars().all(plain));
    named.unwrap_or_else(|| "pgmedic".to_owned())
}
