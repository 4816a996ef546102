//! Reads the `/metrics` of one agent's slot, again and again.

use super::history::{Event, Page};
use super::shared::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const PAUSE: Duration = Duration::from_millis(50);

/// The time limit for a request. A stopped agent does not answer, and its slot may get another process meanwhile.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Scrapes the process that has this slot, until the run ends.
pub async fn scrape(shared: Arc<Shared>, slot: usize) {
    while !shared.is_over() {
        if let Some(known) = shared.slot(slot) {
            let from = shared.history.now();
            if let Ok(Some(text)) = timeout(RESPONSE_TIMEOUT, fetch(known.address)).await {
                let page = read(&text);
                shared.record_page(known.number, from, page.clone());
                shared.history.note(from, Event::Scrape { agent: known.number, page });
            }
        }
        sleep(PAUSE).await;
    }
}

async fn fetch(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.starts_with("HTTP/1.0 200").then_some(answer)
}

fn read(text: &str) -> Page {
    let mut page = Page::default();
    for line in text.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let count = value as u64;
        let of = |label: &str| labels.contains(label);
        match name {
            "pgmedic_leader" => page.leads = value == 1.0,
            "pgmedic_database_up" => page.up = value == 1.0,
            "pgmedic_pass_runs_total" if of("pass=\"sequences\"") => page.passes = count,
            "pgmedic_pass_runs_total" => page.sweeps = count,
            "pgmedic_pass_failures_total" if of("pass=\"sequences\"") => page.failures = count,
            "pgmedic_sequences" if of("verdict=\"in_sync\"") => page.in_sync = Some(count),
            "pgmedic_sequences" if of("verdict=\"unlinked\"") || of("verdict=\"unsupported\"") => {}
            "pgmedic_sequences" => page.problems += count,
            "pgmedic_sequence_lag_values" if value > 0.0 => {
                let sequence = labels.split("sequence=\"").nth(1).and_then(|rest| rest.split('"').next());
                page.lagging.extend(sequence.map(str::to_owned));
            }
            _ => {}
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_is_written() {
        let text = "HTTP/1.0 200 OK\r\n\r\n# HELP pgmedic_leader 1 when\npgmedic_leader{database=\"app\"} 1\n\
                    pgmedic_database_up{database=\"app\"} 1\n\
                    pgmedic_pass_runs_total{database=\"app\",pass=\"sequences\"} 7\n\
                    pgmedic_pass_runs_total{database=\"app\",pass=\"sessions\"} 5\n\
                    pgmedic_pass_failures_total{database=\"app\",pass=\"sequences\"} 2\n\
                    pgmedic_pass_failures_total{database=\"app\",pass=\"sessions\"} 4\n\
                    pgmedic_sequences{database=\"app\",verdict=\"in_sync\"} 5\n\
                    pgmedic_sequences{database=\"app\",verdict=\"behind\"} 1\n\
                    pgmedic_sequences{database=\"app\",verdict=\"unreadable\"} 2\n\
                    pgmedic_sequences{database=\"app\",verdict=\"unlinked\"} 9\n\
                    pgmedic_sequence_lag_values{database=\"app\",sequence=\"public.orders_id_seq\"} 38\n";
        let page = read(text);
        let lagging = vec!["public.orders_id_seq".to_owned()];
        let wanted =
            Page { leads: true, up: true, passes: 7, sweeps: 5, failures: 2, in_sync: Some(5), problems: 3, lagging };
        assert_eq!(page, wanted);
        assert_eq!(read("pgmedic_database_up{database=\"app\"} 0\n"), Page::default());
    }
}
