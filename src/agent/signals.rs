//! What the operating system tells the agent.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalAction {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals that the agent heeds, from when this is made.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// # Errors
    ///
    /// When the system takes no handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.terminate.recv() => SignalAction::Stop,
            _ = self.interrupt.recv() => SignalAction::Stop,
            _ = self.hangup.recv() => SignalAction::Reload,
        }
    }

    /// Waits until the agent is told to stop.
    pub async fn stop(&mut self) {
        // A hangup stays for `next`.
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for an end, unless a second signal asks for it at once.
    pub async fn wait_or_second_signal(&mut self, ended: impl Future<Output = ()>) {
        tokio::select! {
            () = ended => {}
            () = self.stop() => {
                tracing::warn!("stopped at once: what was in progress is left to the server's time-outs");
            }
        }
    }
}
