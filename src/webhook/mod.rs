//! Posts what needs attention to a receiver: each problem when it begins and when it is over, and repairs.
//!
//! It reads `crate::state`, as the status page does, in a task beside the passes: a receiver that hangs delays none. What
//! could not be posted is not kept: when the receiver is back, it gets what is wrong then.
//!
//! | file | what is in it |
//! |---|---|
//! | `problems.rs` | what is news: compares what is wrong with what was told |
//! | `message.rs` | the request's body |
//! | `client.rs` | one request |

mod client;
mod message;
mod problems;

use crate::config::Webhook;
use crate::metrics::Metrics;
use crate::state::{AgentState, now};
use client::{PostError, post};
use problems::Told;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// Changes within this time are posted together.
const COLLECT: Duration = Duration::from_secs(1);
/// Pauses between the tries of one post.
const RETRY_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20)];
/// Pause after a post was given up; it doubles.
const PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The task that posts; dropping it ends it, in the middle of a request too.
#[derive(Debug)]
pub struct WebhookTask {
    settings: watch::Sender<Option<Webhook>>,
    _task: AbortOnDropHandle<()>,
}

impl WebhookTask {
    /// Posts from now on, where there is a receiver.
    pub fn start(settings: Option<Webhook>, state: &Arc<AgentState>, metrics: &Arc<Metrics>) -> Self {
        let (settings, receiver) = watch::channel(settings);
        let poster = Poster {
            told: Told::since(now()),
            settings: receiver,
            state: Arc::clone(state),
            metrics: Arc::clone(metrics),
        };
        Self { settings, _task: AbortOnDropHandle::new(tokio::spawn(poster.run())) }
    }

    /// Posts to another receiver, or to none. What was told already is not told again, unless there was no receiver meanwhile.
    pub fn apply(&self, settings: Option<Webhook>) {
        self.settings.send_replace(settings);
    }
}

struct Poster {
    told: Told,
    settings: watch::Receiver<Option<Webhook>>,
    state: Arc<AgentState>,
    metrics: Arc<Metrics>,
}

impl Poster {
    async fn run(mut self) {
        let host = whoami::hostname().unwrap_or_default();
        let mut revision = self.state.revision();
        let mut pause = None;
        loop {
            tokio::select! {
                // Neither sender goes away before this task ends.
                _ = revision.changed() => {}
                _ = self.settings.changed() => {}
            }
            sleep(COLLECT).await;
            revision.mark_unchanged();
            let Some(webhook) = self.settings.borrow_and_update().clone() else {
                // A receiver that is named later is told what is wrong then, and of no repair before.
                self.told = Told::since(now());
                continue;
            };
            let (events, told) = self.told.news(&self.state.databases(), &self.state.history(), webhook.repairs);
            if !events.is_empty() {
                let body = message::render(webhook.format, &events, &host, self.state.dry_run());
                let sent = try_often(&webhook, &body).await;
                self.metrics.count_webhook(sent.is_ok());
                match sent {
                    Ok(()) if pause.take().is_some() => tracing::info!("the webhook works again"),
                    Ok(()) => tracing::debug!(events = events.len(), "posted to the webhook"),
                    Err(error) => {
                        let wait = pause.map_or(PAUSE, |pause: Duration| (pause * 2).min(LONGEST_PAUSE));
                        if pause.replace(wait).is_none() {
                            tracing::error!("the webhook cannot be reached, and is tried again later: {error}");
                        }
                        // A new configuration is tried at once.
                        let _ = tokio::time::timeout(wait, self.settings.changed()).await;
                        self.settings.mark_changed();
                        continue;
                    }
                }
            }
            self.told = told;
        }
    }
}

/// Why nothing was posted.
#[derive(Debug, thiserror::Error)]
enum WebhookError {
    #[error("webhook.url_file: {0}")]
    Url(#[from] crate::config::WebhookUrlError),
    #[error(transparent)]
    Post(#[from] PostError),
}

/// Tries a few times while trying again may help.
async fn try_often(webhook: &Webhook, body: &str) -> Result<(), WebhookError> {
    let mut pauses = RETRY_AFTER.into_iter();
    loop {
        let url = webhook.url()?;
        match post(&url, body.to_owned()).await {
            Ok(()) => return Ok(()),
            Err(error) => match pauses.next().filter(|_| error.may_pass()) {
                Some(pause) => sleep(pause).await,
                None => return Err(error.into()),
            },
        }
    }
}
