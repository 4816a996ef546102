//! A thousand databases, three of which need attention.

use super::day::{on, shop, since, story, with_history, with_servers};
use crate::http::status::model::Snapshot;
use crate::http::status::model::test_support::{checked, refused, running_out, snapshot_of};
use crate::report::SequenceReport;
use crate::state::DatabaseState;

/// On so many servers.
pub fn fleet(servers: usize) -> Snapshot {
    let names: Vec<String> = (1..=servers).map(|number| format!("pg-{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = |number: usize| (names[number * servers / 1000], format!("tenant_{number:04}"));
    let databases: Vec<(String, DatabaseState)> = (0..1000)
        .map(|number| {
            let mut sequences = shop(number);
            let state = match number {
                417 => {
                    sequences.push(story());
                    since(checked(sequences), 216.0)
                }
                733 => {
                    sequences.push(SequenceReport { days_left: Some(6.4), ..running_out("public.line_items_id_seq") });
                    checked(sequences)
                }
                911 => refused(47),
                _ => checked(sequences),
            };
            let (server, database) = name(number);
            on(server, &database, state)
        })
        .collect();
    let whole = |number: usize| {
        let (server, database) = name(number);
        format!("{server}/{database}")
    };
    let active = [417, 128, 733].map(whole);
    let snapshot = with_servers(snapshot_of(databases), &names);
    with_history(snapshot, active.each_ref().map(String::as_str))
}
