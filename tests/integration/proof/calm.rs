//! When no fault was on, and what the agents said meanwhile.

use super::history::{Entry, Event, Fault, Moment, Page};

/// A fault, from before it was made until after it was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    pub fault: Fault,
    pub from: Moment,
    pub to: Moment,
}

/// Every fault that there was. One that never ended lasts for ever.
pub fn spells(entries: &[Entry]) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::FaultBegins(fault) => spells.push(Spell { fault, from: entry.from, to: Moment::MAX }),
            Event::FaultEnds(fault) => {
                let open = spells.iter_mut().find(|spell| spell.fault == fault && spell.to == Moment::MAX);
                open.expect("it began").to = entry.to;
            }
            _ => {}
        }
    }
    spells
}

pub struct Calm<'a> {
    spells: Vec<Spell>,
    /// In the order in which they were answered, with the agent's number.
    scrapes: Vec<(Moment, Moment, usize, &'a Page)>,
}

impl<'a> Calm<'a> {
    pub fn of(entries: &'a [Entry]) -> Self {
        let scrapes = entries.iter().filter_map(|Entry { from, to, event }| match event {
            Event::Scrape { agent, page } => Some((*from, *to, *agent, page)),
            _ => None,
        });
        Self { spells: spells(entries), scrapes: scrapes.collect() }
    }

    /// The parts of this time in which no fault was on.
    pub fn windows(&self, from: Moment, to: Moment) -> Vec<(Moment, Moment)> {
        let mut windows = Vec::new();
        let mut begin = from;
        let mut spells: Vec<&Spell> = self.spells.iter().filter(|spell| spell.to > from && spell.from < to).collect();
        spells.sort_by_key(|spell| spell.from);
        for spell in spells {
            if spell.from > begin {
                windows.push((begin, spell.from));
            }
            begin = begin.max(spell.to);
        }
        if begin < to {
            windows.push((begin, to));
        }
        windows
    }

    /// What was asked for and answered within this time.
    pub fn scrapes(&self, from: Moment, to: Moment) -> impl Iterator<Item = (usize, &'a Page)> {
        self.timed(from, to).map(|(_, agent, page)| (agent, page))
    }

    /// The same, with when it was answered.
    pub fn timed(&self, from: Moment, to: Moment) -> impl Iterator<Item = (Moment, usize, &'a Page)> {
        let first = self.scrapes.partition_point(|(_, answered, ..)| *answered < from);
        let within = self.scrapes[first..].iter().take_while(move |(_, answered, ..)| *answered <= to);
        within.filter(move |(asked, ..)| *asked >= from).map(|(_, answered, agent, page)| (*answered, *agent, *page))
    }

    /// By how much this counter of the agent that counted most rose within this time, while it led.
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
