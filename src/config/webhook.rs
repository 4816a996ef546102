//! The `[webhook]` section: where the agent posts what needs attention.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::{ConfigError, is_connection};
use super::keys::WrittenWebhook;
use super::layers::ConfigLocations;
use super::log::parse_choice;

/// Where and how to post.
#[derive(Debug, Clone)]
pub struct Webhook {
    source: WebhookSource,
    pub format: WebhookFormat,
    /// Whether repairs are posted too.
    pub repairs: bool,
}

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// One JSON object with every event.
    Json,
    /// What Slack, Mattermost and Rocket.Chat take: one text.
    Slack,
}

const FORMATS: [(&str, WebhookFormat); 2] = [("json", WebhookFormat::Json), ("slack", WebhookFormat::Slack)];

#[derive(Debug, Clone)]
enum WebhookSource {
    Inline(SecretString),
    /// Read again for each request.
    File(PathBuf),
}

/// Why a URL cannot be posted to. It never repeats the URL, which is a secret with many receivers.
#[derive(Debug, thiserror::Error)]
pub enum WebhookUrlError {
    #[error("{}: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("found a text that is no such URL, expected http://HOST/PATH or https://HOST/PATH without a user name")]
    NotAUrl,
}

impl Webhook {
    /// Checks the values of the section; none without a URL.
    pub(super) fn validate(written: &WrittenWebhook, locations: &ConfigLocations) -> Result<Option<Self>, ConfigError> {
        let format = written.format.as_deref().unwrap_or("json");
        let format = parse_choice(format, FORMATS, "webhook.format", locations)?;
        let (source, key) = match (&written.url, &written.url_file) {
            (None, None) => return Ok(None),
            (Some(url), None) => (WebhookSource::Inline(url.clone().into()), "webhook.url"),
            (None, Some(file)) => {
                if file.is_empty() || is_connection(file) || file.chars().any(char::is_control) {
                    let expected = "the path of a file that holds the URL";
                    return Err(locations.invalid("webhook.url_file", "a text that is no path", expected));
                }
                // A path is relative to the configuration file, not to the working directory.
                let folder = locations.file().and_then(Path::parent).unwrap_or(Path::new(""));
                let path = folder.join(file);
                (WebhookSource::File(absolute(&path).unwrap_or(path)), "webhook.url_file")
            }
            (Some(_), Some(_)) => {
                return Err(locations.invalid("webhook", "both", "exactly one of `url` and `url_file`"));
            }
        };
        let webhook = Self { source, format, repairs: written.repairs.unwrap_or(true) };
        match webhook.url() {
            Ok(_) => Ok(Some(webhook)),
            Err(WebhookUrlError::NotAUrl) => {
                let expected = "http://HOST/PATH or https://HOST/PATH without a user name";
                Err(locations.invalid(key, "a text that is no such URL", expected))
            }
            Err(error @ WebhookUrlError::Unreadable { .. }) => {
                Err(locations.invalid(key, error.to_string(), "a file that can be read"))
            }
        }
    }

    /// Where to post. Reads the file again.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or no longer holds a usable URL.
    pub fn url(&self) -> Result<Url, WebhookUrlError> {
        let text = match &self.source {
            WebhookSource::Inline(url) => url.clone(),
            WebhookSource::File(path) => match fs::read_to_string(path) {
                Ok(text) => text.trim().to_owned().into(),
                Err(cause) => return Err(WebhookUrlError::Unreadable { path: path.clone(), cause }),
            },
        };
        let url = Url::parse(text.expose_secret()).map_err(|_| WebhookUrlError::NotAUrl)?;
        let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if usable && anonymous { Ok(url) } else { Err(WebhookUrlError::NotAUrl) }
    }
}

impl WrittenWebhook {
    /// As it is shown: of the URL only where it leads, of a file its whole path.
    pub(super) fn redacted(self, checked: Option<&Webhook>) -> Self {
        let url_file = match checked.map(|webhook| &webhook.source) {
            Some(WebhookSource::File(path)) => Some(path.display().to_string()),
            _ => self.url_file,
        };
        Self { url: self.url.as_deref().map(redact), url_file, ..self }
    }
}

/// The URL without what makes it a secret: `https://hooks.example/***`.
fn redact(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}/***", url.origin().ascii_serialization()),
        Err(_) => "***".to_owned(),
    }
}
