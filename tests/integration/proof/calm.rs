//! The periods without a fault, and the scrapes of the agents in them.

use super::history::{Entry, Event, Fault, Moment, Page};

/// A fault, from before it was injected until after it was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPeriod {
    pub fault: Fault,
    pub from: Moment,
    pub to: Moment,
}

/// Every fault of the history. One that never ended has no end.
pub fn fault_periods(entries: &[Entry]) -> Vec<FaultPeriod> {
    let mut fault_periods: Vec<FaultPeriod> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::FaultBegins(fault) => fault_periods.push(FaultPeriod { fault, from: entry.from, to: Moment::MAX }),
            Event::FaultEnds(fault) => {
                let open = fault_periods.iter_mut().find(|period| period.fault == fault && period.to == Moment::MAX);
                open.expect("it began").to = entry.to;
            }
            _ => {}
        }
    }
    fault_periods
}

pub struct Calm<'a> {
    fault_periods: Vec<FaultPeriod>,
    /// In the order of their responses: asked, answered, number of the agent's process, page.
    scrapes: Vec<(Moment, Moment, usize, &'a Page)>,
}

impl<'a> Calm<'a> {
    pub fn of(entries: &'a [Entry]) -> Self {
        let scrapes = entries.iter().filter_map(|Entry { from, to, event }| match event {
            Event::Scrape { agent, page } => Some((*from, *to, *agent, page)),
            _ => None,
        });
        Self { fault_periods: fault_periods(entries), scrapes: scrapes.collect() }
    }

    /// The parts of this period without a fault.
    pub fn windows(&self, from: Moment, to: Moment) -> Vec<(Moment, Moment)> {
        let mut windows = Vec::new();
        let mut begin = from;
        let mut fault_periods: Vec<&FaultPeriod> =
            self.fault_periods.iter().filter(|period| period.to > from && period.from < to).collect();
        fault_periods.sort_by_key(|period| period.from);
        for period in fault_periods {
            if period.from > begin {
                windows.push((begin, period.from));
            }
            begin = begin.max(period.to);
        }
        if begin < to {
            windows.push((begin, to));
        }
        windows
    }

    /// The scrapes that were asked for and answered in this period.
    pub fn scrapes(&self, from: Moment, to: Moment) -> impl Iterator<Item = (usize, &'a Page)> {
        self.timed(from, to).map(|(_, agent, page)| (agent, page))
    }

    /// The same, with the time of the response.
    pub fn timed(&self, from: Moment, to: Moment) -> impl Iterator<Item = (Moment, usize, &'a Page)> {
        let first = self.scrapes.partition_point(|(_, answered, ..)| *answered < from);
        let within = self.scrapes[first..].iter().take_while(move |(_, answered, ..)| *answered <= to);
        within.filter(move |(asked, ..)| *asked >= from).map(|(_, answered, agent, page)| (*answered, *agent, *page))
    }

    /// The increase of a counter in this period, for the leading agent with the largest increase.
    pub fn passes(&self, from: Moment, to: Moment, count: impl Fn(&Page) -> u64) -> u64 {
        let mut seen: Vec<(usize, u64, u64)> = Vec::new();
        for (agent, page) in self.scrapes(from, to).filter(|(_, page)| page.leads) {
            let count = count(page);
            match seen.iter_mut().find(|(known, ..)| *known == agent) {
                Some((_, _, last)) => *last = count,
                None => seen.push((agent, count, count)),
            }
        }
        seen.into_iter().map(|(_, first, last)| last - first).max().unwrap_or(0)
    }
}
