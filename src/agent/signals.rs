//! Signals of the operating system: stop, and reload.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalAction {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// SIGTERM and SIGINT, which no longer end the process by default once this exists.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// # Errors
    ///
    /// When the system accepts no handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one. Returns the exit code that a shell reports for it: 128 and its number.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

/// The signals that the agent handles, from the moment this exists.
#[derive(Debug)]
pub struct Signals {
    stop: StopSignals,
    hangup: Signal,
}

impl Signals {
    /// # Errors
    ///
    /// When the system accepts no handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self { stop: StopSignals::install()?, hangup: signal(SignalKind::hangup())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.stop.next() => SignalAction::Stop,
            _ = self.hangup.recv() => SignalAction::Reload,
        }
    }

    /// Waits until the agent is told to stop. A hangup meanwhile is left for `next`.
    pub async fn stop(&mut self) {
        self.stop.next().await;
    }

    /// Waits for an end, unless a second signal asks to stop at once.
    pub async fn wait_or_second_signal(&mut self, ended: impl Future<Output = ()>) {
        tokio::select! {
            () = ended => {}
            () = self.stop() => {
                tracing::warn!("stopped at once: the server's timeouts end what was in progress");
            }
        }
    }
}
