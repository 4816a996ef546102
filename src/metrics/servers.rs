//! The label `server` of databases that were discovered on one.

use crate::report::DatabaseLabel;
use prometheus::proto::{LabelPair, MetricFamily};
use std::collections::HashMap;

/// Splits the label `database` of those that are in `discovered` by their whole names.
pub fn add_labels(family: &mut MetricFamily, discovered: &HashMap<String, DatabaseLabel>) {
    for metric in family.mut_metric() {
        let mut labels = metric.take_label();
        let whole = labels.iter_mut().find(|label| label.name() == "database");
        if let Some(label) = whole
            && let Some(known) = discovered.get(label.value())
            && let Some(server) = known.server()
        {
            label.set_value(known.database().to_owned());
            let mut pair = LabelPair::default();
            pair.set_name("server".to_owned());
            pair.set_value(server.to_owned());
            labels.push(pair);
            labels.sort_by(|one, other| one.name().cmp(other.name()));
        }
        metric.set_label(labels);
    }
}
