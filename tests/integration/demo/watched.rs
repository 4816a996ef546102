//! `pgmedic demo --serve`, in a browser.

use super::Demo;
use crate::support::{DESKTOP, Look, Page, picture, server};
use nix::sys::signal::Signal;

/// Of the picture that is left in target/browser.
const WIDTH: u32 = 1100;
const HEIGHT: u32 = 1240;

#[test]
fn its_page_shows_each_repair_with_its_cause_while_it_happens() {
    let mut demo = Demo::start_as(server().bin_dir(), &["demo", "--serve"]);
    demo.shows("    http://127.0.0.1:");
    let url = demo.shown.lines().last().unwrap().trim().to_owned();
    let page = Page::open_as(&url, Look { width: WIDTH, ..DESKTOP });
    page.look("window.mark = 'here'");
    let wanted = ["public.user_sessions_session_id_seq moved from", "the sequence itself was moved back", "logins"];
    page.says(&[wanted.as_slice(), &["public.payments", "decision", "Soon", "Live"]].concat());
    page.picture(&picture("demo"), Some(HEIGHT));
    assert_eq!(page.look("window.mark"), "here");
    page.close();
    demo.signal(Signal::SIGINT);
    demo.end().exits(0);
}
