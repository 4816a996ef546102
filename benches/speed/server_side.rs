//! What the server's processes take, as the kernel tells it. None where there is no `/proc`.

use super::watch::memory;
use pgmedic_testserver::TestServer;
use std::fs;

/// Ticks of the clock in `/proc`, a second: 100 on every Linux (proc(5), time(7)).
const TICKS: f64 = 100.0;

/// CPU time of the server and of all its processes, those that have ended included.
pub fn cpu_seconds(server: &TestServer) -> Option<f64> {
    let own = ticks(server.pid()?, true)?;
    let living: f64 = children(server.pid()?)?.into_iter().filter_map(|pid| ticks(pid, false)).sum();
    Some((own + living) / TICKS)
}

/// CPU time of one process that still runs.
pub fn cpu_seconds_of(pid: u32) -> Option<f64> {
    Some(ticks(pid, false)? / TICKS)
}

/// The difference, for each of so many.
pub fn each(before: Option<f64>, after: Option<f64>, number: f64) -> Option<f64> {
    before.zip(after).map(|(before, after)| (after - before) / number)
}

/// Memory of their own, shared buffers not counted, of all processes that serve a client; in MB.
pub fn memory_mb(server: &TestServer) -> Option<f64> {
    let serves =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(" postgres "));
    Some(children(server.pid()?)?.into_iter().filter(serves).filter_map(|pid| memory(pid, "RssAnon:")).sum())
}

fn children(pid: u32) -> Option<Vec<u32>> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    Some(children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// User and system time; `with_ended` adds that of children which have ended and were waited for.
fn ticks(pid: u32, with_ended: bool) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything; the fields from the third on follow.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let times = fields.get(11..if with_ended { 15 } else { 13 })?;
    Some(times.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum())
}
