//! Every family: its name, what it says, and where its values come from.

mod counters;
mod gauges;

use crate::metrics::scrape::Scrape;
use counters::COUNTERS;
use gauges::GAUGES;
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

impl Scrape {
    /// The texts of all families, each made when it is asked for; those of the process last.
    pub fn into_texts(self) -> impl Iterator<Item = Result<String, prometheus::Error>> + Send {
        let families = GAUGES.iter().chain(&COUNTERS);
        let of_process = process().into_iter().map(|family| TextEncoder::new().encode_to_string(&[family]));
        families.map(move |family| family.text(&self)).chain(of_process)
    }

    /// The text of the gauges of these names.
    ///
    /// # Errors
    ///
    /// When a family has no name.
    pub fn text_of_gauges(&self, names: &[&str]) -> Result<String, prometheus::Error> {
        GAUGES.iter().filter(|family| names.contains(&family.name)).map(|family| family.text(self)).collect()
    }
}

/// `process_*`, under their standard names, which have no prefix.
#[cfg(target_os = "linux")]
fn process() -> Vec<MetricFamily> {
    prometheus::core::Collector::collect(&prometheus::process_collector::ProcessCollector::for_self())
}

#[cfg(not(target_os = "linux"))]
fn process() -> Vec<MetricFamily> {
    Vec::new()
}
