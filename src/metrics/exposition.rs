//! One family as the prometheus crate models it, and its text (prometheus.io, Exposition formats, version 0.0.4).

use crate::report::DatabaseLabel;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{HistogramVec, TextEncoder, core::Collector};

/// A family that is filled sample by sample.
#[derive(Debug)]
pub struct FamilyText {
    family: MetricFamily,
    samples: Vec<Metric>,
}

impl FamilyText {
    pub fn new(name: &str, help: &str, kind: MetricType) -> Self {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Self { family, samples: Vec::new() }
    }

    /// Its text, which is empty while no sample was added.
    ///
    /// # Errors
    ///
    /// When the family has no name.
    pub fn into_text(mut self) -> Result<String, prometheus::Error> {
        if self.samples.is_empty() {
            return Ok(String::new());
        }
        self.family.set_metric(self.samples);
        TextEncoder::new().encode_to_string(&[self.family])
    }

    /// Adds a sample. The labels are written in the order of their names.
    pub fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let mut labels: Vec<LabelPair> = labels.iter().map(|(name, value)| pair(name, value)).collect();
        labels.sort_by(|one, other| one.name().cmp(other.name()));
        let mut sample = Metric::from_label(labels);
        if self.family.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            sample.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            sample.set_gauge(gauge);
        }
        self.samples.push(sample);
    }

    /// Adds a sample of a database, with the label `server` where it was discovered on one.
    pub fn add_of(&mut self, database: &DatabaseLabel, labels: &[(&str, &str)], value: f64) {
        let own = [("database", database.database())].into_iter();
        let server = database.server().map(|server| ("server", server));
        let all: Vec<(&str, &str)> = own.chain(server).chain(labels.iter().copied()).collect();
        self.add(&all, value);
    }

    /// Adds the series of histograms.
    pub fn add_histograms(&mut self, histograms: &HistogramVec) {
        self.samples.extend(histograms.collect().iter_mut().flat_map(MetricFamily::take_metric));
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::HistogramOpts;

    #[test]
    fn a_family_without_a_sample_has_no_text() {
        assert_eq!(FamilyText::new("a", "b", MetricType::GAUGE).into_text().unwrap(), "");
    }

    #[test]
    fn labels_are_in_the_order_of_their_names_and_escaped() {
        let mut family = FamilyText::new("up", "Whether it is up.", MetricType::GAUGE);
        family.add_of(&DatabaseLabel::of_server("prod", "a"), &[("sequence", "say \"hi\"\\\n")], 1.5);
        family.add_of(&"a/b".into(), &[], 1_700_000_000.25);
        family.add(&[], f64::NAN);
        let expected = "# HELP up Whether it is up.\n# TYPE up gauge\n\
                        up{database=\"a\",sequence=\"say \\\"hi\\\"\\\\\\n\",server=\"prod\"} 1.5\n\
                        up{database=\"a/b\"} 1700000000.25\nup NaN\n";
        assert_eq!(family.into_text().unwrap(), expected);
    }

    #[test]
    fn the_buckets_of_a_histogram_are_cumulative() {
        let options = HistogramOpts::new("took_seconds", "How long it took.").buckets(vec![0.01, 10.0]);
        let histograms = HistogramVec::new(options, &["pass"]).unwrap();
        [0.01, 0.5, 10.0, 70.0]
            .into_iter()
            .for_each(|value| histograms.with_label_values(&["sessions"]).observe(value));
        let mut family = FamilyText::new("took_seconds", "How long it took.", MetricType::HISTOGRAM);
        family.add_histograms(&histograms);
        let expected = "# HELP took_seconds How long it took.\n# TYPE took_seconds histogram\n\
                        took_seconds_bucket{pass=\"sessions\",le=\"0.01\"} 1\n\
                        took_seconds_bucket{pass=\"sessions\",le=\"10\"} 3\n\
                        took_seconds_bucket{pass=\"sessions\",le=\"+Inf\"} 4\n\
                        took_seconds_sum{pass=\"sessions\"} 80.51\ntook_seconds_count{pass=\"sessions\"} 4\n";
        assert_eq!(family.into_text().unwrap(), expected);
    }
}
