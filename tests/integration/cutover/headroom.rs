//! A headroom that a sequence cannot spare.

use super::both;
use super::command::{Watching, cutover};
use nix::sys::signal::Signal;

#[tokio::test]
async fn a_headroom_that_takes_much_of_what_is_left_is_said_and_burns_nothing() {
    let (mut old, mut new) = both("CREATE SEQUENCE sm AS smallint; CREATE TABLE t (id smallserial PRIMARY KEY)").await;
    old.sql("SELECT setval('sm', 32000), setval('t_id_seq', 32000)").await;
    // 767 values are left: 1000 do not fit, and 200 are more than a quarter of them.
    for headroom in ["1000", "200"] {
        let report = cutover(&old, &new, &["--headroom", headroom, "--yes"]).exits(3);
        for name in ["public.sm", "public.t_id_seq"] {
            assert_eq!(report.against(name), ["headroom"], "{headroom}");
            assert_eq!(report.carried(name)["next_value"], 32001, "{headroom}");
        }
    }
    // Ids that arrived are passed all the same.
    new.sql("INSERT INTO t VALUES (32005)").await;
    let report = cutover(&old, &new, &["--headroom", "1000", "--yes"]).exits(3);
    assert_eq!(report.carried("public.t_id_seq")["next_value"], 32006);

    let report = cutover(&old, &new, &["--headroom", "100", "--yes"]).exits(0);
    assert_eq!(report.carried("public.sm")["next_value"], 32101);
}

#[tokio::test]
async fn a_watch_keeps_a_sequence_that_can_spare_no_headroom_beyond_the_old_one() {
    let (mut old, mut new) = both("CREATE SEQUENCE sm AS smallint; CREATE SEQUENCE ids").await;
    old.sql("SELECT setval('sm', 32000), setval('ids', 7)").await;
    let watching = Watching::start(&old, &new, &[]);
    old.sql("SELECT setval('sm', 32040)").await;
    new.wait_until("SELECT last_value + is_called::int >= 32041 FROM sm").await;
    let report = watching.stop(Signal::SIGTERM).exits(3);
    assert_eq!(report.against("public.sm"), ["headroom"]);
    assert_eq!(report.against("public.ids"), Vec::<String>::new());
    assert_eq!([new.nextval("sm").await, new.nextval("ids").await], [32041, 1008]);
}
