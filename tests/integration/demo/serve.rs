//! `pgmedic demo --serve`, over HTTP.

use super::{Demo, is_gone, programs};
use crate::support::{server, wait_for};
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The page, if it is answered.
fn page(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn its_page_shows_what_is_broken_and_repaired_until_ctrl_c_and_nothing_is_left_behind() {
    let mut demo = Demo::start_as(server().bin_dir(), &["demo", "--serve"]);
    demo.shows("    http://127.0.0.1:");
    let shown = demo.shown.trim_end();
    let address = shown.rsplit("http://").next().and_then(|rest| rest.strip_suffix('/')).unwrap().to_owned();
    let process = demo.server();
    let repaired = "user_sessions_session_id_seq</bdi> moved from ";
    for wanted in [
        "pgmedic --once --approve public.payments_id_seq",
        "running out",
        repaired,
        "the sequence itself was moved back",
    ] {
        wait_for(wanted, || page(&address)?.replace("<wbr>", "").contains(wanted).then_some(()));
    }
    demo.signal(Signal::SIGINT);
    let outcome = demo.end().exits(0);
    is_gone(process);
    assert!(outcome.stdout.ends_with("The demo's server is gone, and so are its files.\n"), "{}", outcome.stdout);
    assert!(!outcome.stderr.contains("ERROR") && !outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    assert!(page(&address).is_none(), "it still answers");
}

#[test]
fn a_signal_before_the_agent_runs_ends_it_too() {
    // The first commit waits for a standby that never comes.
    let programs = programs("-c synchronous_standby_names=absent");
    let mut demo = Demo::start_as(programs.path(), &["demo", "--serve"]);
    demo.shows("Starting ");
    demo.waits_for_initdb();
    demo.signal(Signal::SIGTERM);
    demo.end().exits(143);
}
