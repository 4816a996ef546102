//! One scrape: everything that it shows, as it was at one moment, and its text.
//!
//! The text is made family by family: of a thousand databases the whole would take megabytes.

use super::counters::{Counters, DatabaseCounters, SEQUENCES, SESSIONS, StoreCounters};
use super::exposition::FamilyText;
use super::figures::{DatabaseFigures, FindingFigures, PassFigures, StoreFigures};
use crate::db::budget::ServerConnections;
use crate::report::DatabaseLabel;
use crate::state::Reload;
use prometheus::proto::MetricType;

#[derive(Debug)]
pub struct Scrape {
    pub dry_run: bool,
    pub reload: Reload,
    pub servers: Vec<ServerConnections>,
    pub databases: Vec<DatabaseFigures>,
    pub counters: Counters,
}

/// What a family is called, what it says, and what adds its samples.
pub struct Family {
    pub name: &'static str,
    help: &'static str,
    kind: MetricType,
    write: fn(&Scrape, &mut FamilyText),
}

impl Family {
    pub const fn gauge(name: &'static str, help: &'static str, write: fn(&Scrape, &mut FamilyText)) -> Self {
        Self { name, help, kind: MetricType::GAUGE, write }
    }

    pub const fn counter(name: &'static str, help: &'static str, write: fn(&Scrape, &mut FamilyText)) -> Self {
        Self { name, help, kind: MetricType::COUNTER, write }
    }

    pub const fn histogram(name: &'static str, help: &'static str, write: fn(&Scrape, &mut FamilyText)) -> Self {
        Self { name, help, kind: MetricType::HISTOGRAM, write }
    }

    /// Empty where there is no sample.
    ///
    /// # Errors
    ///
    /// When the family has no name.
    pub fn text(&self, scrape: &Scrape) -> Result<String, prometheus::Error> {
        let mut text = FamilyText::new(self.name, self.help, self.kind);
        (self.write)(scrape, &mut text);
        text.into_text()
    }
}

impl Scrape {
    /// A sample of each database that has this value.
    pub fn of_databases(&self, family: &mut FamilyText, of: fn(&DatabaseFigures) -> Option<f64>) {
        for database in &self.databases {
            if let Some(value) = of(database) {
                family.add_of(&database.label, &[], value);
            }
        }
    }

    pub fn of_servers(&self, family: &mut FamilyText, of: fn(&ServerConnections) -> u32) {
        for server in &self.servers {
            family.add(&[("server", &server.server)], f64::from(of(server)));
        }
    }

    pub fn of_passes(&self, family: &mut FamilyText, of: fn(&PassFigures) -> Option<f64>) {
        for database in &self.databases {
            for (pass, figures) in [(SEQUENCES, &database.sequences), (SESSIONS, &database.sessions)] {
                if let Some(value) = of(figures) {
                    family.add_of(&database.label, &[("pass", pass)], value);
                }
            }
        }
    }

    /// What the last completed pass of each database found.
    pub fn findings(&self) -> impl Iterator<Item = (&DatabaseLabel, &FindingFigures)> {
        self.databases.iter().filter_map(|database| Some((&database.label, database.findings.as_ref()?)))
    }

    /// A sample of each database whose findings have this value.
    pub fn of_findings(&self, family: &mut FamilyText, of: fn(&FindingFigures) -> Option<f64>) {
        for (label, findings) in self.findings() {
            if let Some(value) = of(findings) {
                family.add_of(label, &[], value);
            }
        }
    }

    pub fn of_stores(&self, family: &mut FamilyText, of: fn(&StoreFigures) -> Option<f64>) {
        for database in &self.databases {
            for store in &database.stores {
                if let Some(value) = of(store) {
                    family.add_of(&database.label, &[("store", &store.store)], value);
                }
            }
        }
    }

    pub fn of_store_counters(&self, family: &mut FamilyText, of: fn(&StoreCounters) -> u64) {
        for database in self.counters.databases() {
            for (store, counters) in &database.stores {
                family.add_of(&database.label, &[("store", store)], of(counters) as f64);
            }
        }
    }

    pub fn of_counters(&self, family: &mut FamilyText, write: fn(&DatabaseCounters, &mut FamilyText)) {
        self.counters.databases().for_each(|database| write(database, family));
    }
}
