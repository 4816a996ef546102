//! CPU time and memory of the server's processes, from `/proc`. `None` where there is no `/proc`.

use super::watch::memory;
use pgmedic_testserver::TestServer;
use std::fs;

/// Clock ticks per second in `/proc`: 100 on every Linux (proc(5), time(7)).
const TICKS: f64 = 100.0;

/// The CPU time of the server and all its processes, including those that have ended.
pub fn cpu_seconds(server: &TestServer) -> Option<f64> {
    let own = ticks(server.pid()?, true)?;
    let living: f64 = children(server.pid()?)?.into_iter().filter_map(|pid| ticks(pid, false)).sum();
    Some((own + living) / TICKS)
}

/// The CPU time of a running process.
pub fn cpu_seconds_of(pid: u32) -> Option<f64> {
    Some(ticks(pid, false)? / TICKS)
}

/// The difference, divided by `number`.
pub fn each(before: Option<f64>, after: Option<f64>, number: f64) -> Option<f64> {
    before.zip(after).map(|(before, after)| (after - before) / number)
}

/// The private memory (without shared buffers) of all processes that serve a client, in MB.
pub fn memory_mb(server: &TestServer) -> Option<f64> {
    let serves =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(" postgres "));
    Some(children(server.pid()?)?.into_iter().filter(serves).filter_map(|pid| memory(pid, "RssAnon:")).sum())
}

fn children(pid: u32) -> Option<Vec<u32>> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    Some(children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// User and system time. `with_ended` adds that of children which have ended and were waited for.
fn ticks(pid: u32, with_ended: bool) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the field before may contain spaces. The fields from the third on follow it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let times = fields.get(11..if with_ended { 15 } else { 13 })?;
    Some(times.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum())
}
