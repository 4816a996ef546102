//! One schedule of a server's for the session stores of all its databases, which come and go.

use crate::agent::worker::Tick;
use crate::config::Schedule;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Handler = Box<dyn Fn() + Send + Sync>;

/// What is called when a schedule is due, by the database's OID.
type HandlersByOid = BTreeMap<u32, Vec<Handler>>;
type Handlers = Arc<Mutex<HandlersByOid>>;

/// The schedules of one server.
pub struct TickGroups(Vec<(Schedule, Handlers)>);

impl TickGroups {
    /// Without databases.
    pub fn new(schedules: impl Iterator<Item = Schedule>) -> Self {
        let mut groups: Vec<(Schedule, Handlers)> = Vec::new();
        for schedule in schedules {
            if !groups.iter().any(|(known, _)| *known == schedule) {
                groups.push((schedule, Handlers::default()));
            }
        }
        Self(groups)
    }

    /// One for each schedule, also while there is no database.
    pub fn ticks(&self) -> Vec<Tick> {
        let tick = |(schedule, handlers): &(Schedule, Handlers)| {
            let handlers = Arc::clone(handlers);
            let handler = move || lock(&handlers).values().flatten().for_each(|handler| handler());
            Tick { schedule: schedule.clone(), handler: Box::new(handler) }
        };
        self.0.iter().map(tick).collect()
    }

    /// Adds what the scheduler would call for a database.
    pub fn add(&self, oid: u32, ticks: Vec<Tick>) {
        for Tick { schedule, handler } in ticks {
            let group = self.0.iter().find(|(known, _)| *known == schedule);
            if let Some((_, handlers)) = group {
                lock(handlers).entry(oid).or_default().push(handler);
            }
        }
    }

    pub fn remove(&self, oid: u32) {
        for (_, handlers) in &self.0 {
            lock(handlers).remove(&oid);
        }
    }
}

fn lock(handlers: &Handlers) -> MutexGuard<'_, HandlersByOid> {
    handlers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[test]
    fn a_schedule_calls_what_each_database_has_for_it_until_the_database_is_gone() {
        let [minute, hour] = [60, 3600].map(|seconds| Schedule::Every(Duration::from_secs(seconds)));
        let groups = TickGroups::new([minute.clone(), hour, minute.clone()].into_iter());
        let ticks = groups.ticks();
        assert_eq!(ticks.len(), 2, "one for each schedule");
        let calls = Arc::new(AtomicU32::new(0));
        for oid in [1, 2] {
            let calls = Arc::clone(&calls);
            let handler = Box::new(move || {
                calls.fetch_add(1, Ordering::Relaxed);
            });
            groups.add(oid, vec![Tick { schedule: minute.clone(), handler }]);
        }
        ticks.iter().for_each(|tick| (tick.handler)());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        groups.remove(1);
        ticks.iter().for_each(|tick| (tick.handler)());
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }
}
