//! The gauges, which are made from the state: what is gone from the state is gone from the metrics.

use crate::build_info::{REVISION, VERSION};
use crate::metrics::scrape::Family;

pub static GAUGES: [Family; 22] = [
    Family::gauge("pgmedic_build_info", "1, with the version that runs.", |_, family| {
        family.add(&[("version", VERSION), ("revision", REVISION)], 1.0);
    }),
    Family::gauge("pgmedic_dry_run", "1 when the agent changes nothing.", |scrape, family| {
        family.add(&[], number(scrape.dry_run));
    }),
    Family::gauge(
        "pgmedic_config_last_reload_successful",
        "1 when the last reload was accepted, 0 when it was refused.",
        |scrape, family| family.add(&[], number(scrape.reload.accepted)),
    ),
    Family::gauge(
        "pgmedic_config_last_reload_success_timestamp_seconds",
        "When a configuration was last accepted, at the start or later.",
        |scrape, family| family.add(&[], scrape.reload.accepted_at),
    ),
    Family::gauge("pgmedic_database_up", "1 when the database could be reached at the last try.", |scrape, family| {
        scrape.of_databases(family, |database| database.up.map(number))
    }),
    Family::gauge(
        "pgmedic_leader",
        "1 when this agent works on the database, 0 when it is standby or the server is a replica.",
        |scrape, family| scrape.of_databases(family, |database| Some(number(database.leader))),
    ),
    Family::gauge(
        "pgmedic_database_in_recovery",
        "1 when the server is a replica, which each agent observes and none leads.",
        |scrape, family| scrape.of_databases(family, |database| Some(number(database.replica))),
    ),
    Family::gauge(
        "pgmedic_server_connections",
        "Connections that this agent has to the server, those that stay open and those that work.",
        |scrape, family| scrape.of_servers(family, |server| server.open),
    ),
    Family::gauge(
        "pgmedic_server_connections_max",
        "The most that it opens at a time: max_connections, or fewer where the server grants fewer.",
        |scrape, family| scrape.of_servers(family, |server| server.max),
    ),
    Family::gauge(
        "pgmedic_pass_interval_seconds",
        "Longest time between two passes that follow each other, by the schedule.",
        |scrape, family| scrape.of_passes(family, |pass| pass.interval),
    ),
    Family::gauge(
        "pgmedic_pass_last_success_timestamp_seconds",
        "When a pass was last completed by this agent.",
        |scrape, family| scrape.of_passes(family, |pass| pass.last_success),
    ),
    Family::gauge(
        "pgmedic_sequences",
        "Sequences by verdict, as the last pass left them: a repaired one is in sync.",
        |scrape, family| scrape.findings().for_each(|(label, findings)| findings.write_verdicts(label, family)),
    ),
    Family::gauge(
        "pgmedic_sequences_held",
        "Sequences behind whose repair the last pass held, by the guard that held it.",
        |scrape, family| scrape.findings().for_each(|(label, findings)| findings.write_held(label, family)),
    ),
    Family::gauge(
        "pgmedic_sequence_lag_values",
        "Values that the sequence would still hand out without being beyond its max id.",
        |scrape, family| {
            for (label, findings) in scrape.findings() {
                for detail in &findings.details {
                    family.add_of(label, &[("sequence", &detail.sequence.name)], detail.lag);
                }
            }
        },
    ),
    Family::gauge(
        "pgmedic_sequence_used_ratio",
        "Share of the sequence's range up to its limit that is used, 0 to 1.",
        |scrape, family| {
            for (label, findings) in scrape.findings() {
                for detail in &findings.details {
                    if let Some(used) = detail.used {
                        family.add_of(label, &[("sequence", &detail.sequence.name)], used);
                    }
                }
            }
        },
    ),
    Family::gauge(
        "pgmedic_sequence_lag_values_max",
        "The largest lag of any sequence that could be judged.",
        |scrape, family| scrape.of_findings(family, |findings| findings.lag_max),
    ),
    Family::gauge(
        "pgmedic_sequence_used_ratio_max",
        "The largest used ratio of any sequence that could be read.",
        |scrape, family| scrape.of_findings(family, |findings| findings.used_max),
    ),
    Family::gauge(
        "pgmedic_sequence_days_left_min",
        "The fewest days until a sequence reaches its limit, at the pace that this agent has seen.",
        |scrape, family| scrape.of_findings(family, |findings| findings.days_left_min),
    ),
    Family::gauge(
        "pgmedic_detail_series_dropped",
        "Sequences whose detail series were dropped, because there are too many.",
        |scrape, family| scrape.of_findings(family, |findings| Some(findings.dropped as f64)),
    ),
    Family::gauge("pgmedic_sessions_held", "1 when a guard held the last sweep, or a part of it.", |scrape, family| {
        scrape.of_stores(family, |store| store.held.map(number))
    }),
    Family::gauge("pgmedic_sessions_stale", "Sessions that are over and have not been ended.", |scrape, family| {
        scrape.of_stores(family, |store| store.stale.map(|count| count as f64))
    }),
    Family::gauge("pgmedic_sessions_live", "Sessions that are not over.", |scrape, family| {
        scrape.of_stores(family, |store| store.live.map(|count| count as f64))
    }),
];

fn number(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}
