//! The counters and histograms, as families.

use crate::metrics::scrape::Family;

pub static COUNTERS: [Family; 11] = [
    Family::counter("pgmedic_pass_runs_total", "Passes made.", |scrape, family| {
        scrape.of_counters(family, |database, family| database.write_passes(family, |pass| pass.runs));
    }),
    Family::counter("pgmedic_pass_failures_total", "Passes that were not completed.", |scrape, family| {
        scrape.of_counters(family, |database, family| database.write_passes(family, |pass| pass.failures));
    }),
    Family::counter("pgmedic_pass_skipped_total", "Passes that were due and not made.", |scrape, family| {
        scrape.of_counters(family, |database, family| database.write_skipped(family));
    }),
    Family::histogram("pgmedic_pass_duration_seconds", "How long a pass took.", |scrape, family| {
        family.add_histograms(&scrape.counters.pass_durations);
    }),
    Family::counter("pgmedic_drift_detected_total", "Sequences found behind, by why.", |scrape, family| {
        scrape.of_counters(family, |database, family| database.write_drift(family));
    }),
    Family::counter("pgmedic_repairs_total", "Repairs of sequences that were behind.", |scrape, family| {
        scrape.of_counters(family, |database, family| database.write_repairs(family));
    }),
    Family::histogram("pgmedic_repair_duration_seconds", "How long a repair took.", |scrape, family| {
        family.add_histograms(&scrape.counters.repair_durations);
    }),
    Family::counter(
        "pgmedic_inline_repairs_total",
        "Repairs by the login path, from pgmedic.repair_log where it is installed.",
        |scrape, family| scrape.of_counters(family, |database, family| database.write_inline(family)),
    ),
    Family::counter(
        "pgmedic_webhook_posts_total",
        "Posts to the webhook, by outcome: sent, or failed after every retry.",
        |scrape, family| scrape.counters.write_webhook(family),
    ),
    Family::counter(
        "pgmedic_sessions_expired_total",
        "Sessions that were ended because they were over.",
        |scrape, family| scrape.of_store_counters(family, |store| store.expired),
    ),
    Family::counter(
        "pgmedic_sessions_superseded_total",
        "Live sessions that were ended because their user has newer ones.",
        |scrape, family| scrape.of_store_counters(family, |store| store.superseded),
    ),
];
