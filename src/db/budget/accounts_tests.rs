use super::*;

fn reached(accounts: &mut Accounts, address: &str, identity: &str) -> usize {
    accounts.account_of(address, None);
    accounts.identify(address, identity, None)
}

#[test]
fn two_addresses_of_one_server_share_its_connections() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let one = reached(&mut accounts, "localhost:5432", "a");
    let other = reached(&mut accounts, "[::1]:5432", "a");
    assert_eq!(one, other);
    assert!(accounts.take(one, &[Purpose::Standing], now));
    assert!(accounts.take(other, &[Purpose::Pass], now));
    assert!(accounts.take(other, &[Purpose::Pass], now));
    assert!(!accounts.take(one, &[Purpose::Pass], now), "the last one is left for a cancellation");
    assert!(accounts.take(one, &[Purpose::Cancel], now));
    assert!(!accounts.take(one, &[Purpose::Cancel], now));
}

#[test]
fn a_connection_to_an_address_that_is_not_known_yet_counts_everywhere() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let known = reached(&mut accounts, "a:5432", "a");
    for purpose in [Purpose::Standing, Purpose::Pass, Purpose::Pass] {
        assert!(accounts.take(known, &[purpose], now));
    }
    let unknown = accounts.account_of("b:5432", None);
    assert!(accounts.take(unknown, &[Purpose::Pass], now));
    assert!(!accounts.take(known, &[Purpose::Cancel], now), "it may be the fourth");
    let same = accounts.identify("b:5432", "b", None);
    assert_eq!(same, unknown);
    assert!(accounts.take(known, &[Purpose::Cancel], now), "it is another server");
}

#[test]
fn a_limit_of_the_role_leaves_room_for_one_that_works() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    accounts.account_of("a:1", None);
    let index = accounts.identify("a:1", "a", Some(2));
    assert!(accounts.take(index, &[Purpose::Standing], now));
    assert!(!accounts.take(index, &[Purpose::Standing], now));
    assert!(accounts.take(index, &[Purpose::Sweep], now));
    assert!(!accounts.take(index, &[Purpose::Pass], now));
    accounts.give_back(index, Purpose::Sweep);
    assert!(accounts.take(index, &[Purpose::Pass], now));
    assert!(accounts.may_stay(index, now));
    // Now the one that stands leaves no room, and is closed.
    let index = accounts.identify("a:1", "a", Some(1));
    assert!(!accounts.may_stay(index, now));
    assert!(!accounts.can_fit(index, &[Purpose::Standing], now) && accounts.can_fit(index, &[Purpose::Pass], now));
    accounts.give_back(index, Purpose::Pass);
    assert!(!accounts.take(index, &[Purpose::Pass], now));
    accounts.give_back(index, Purpose::Standing);
    assert!(accounts.take(index, &[Purpose::Pass], now));
}

#[test]
fn a_sweep_leaves_room_for_a_pass() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    for (max, sweeps) in [(3, 1), (4, 1), (8, 5)] {
        let name = format!("a:{max}");
        accounts.account_of(&name, Some(max));
        let index = accounts.identify(&name, &name, None);
        assert!(accounts.take(index, &[Purpose::Standing], now));
        let taken = (0..9).filter(|_| accounts.take(index, &[Purpose::Sweep], now)).count();
        assert_eq!(taken, sweeps, "{max}");
        assert!(accounts.take(index, &[Purpose::Pass], now), "{max}");
    }
}

#[test]
fn after_a_refusal_fewer_are_opened_for_a_while() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let index = reached(&mut accounts, "a:1", "a");
    for purpose in [Purpose::Standing, Purpose::Pass, Purpose::Pass] {
        assert!(accounts.take(index, &[purpose], now));
    }
    assert!(accounts.refused(index, 1, now));
    assert_eq!(accounts.account(index).limit(now), 2);
    accounts.give_back(index, Purpose::Pass);
    assert!(!accounts.take(index, &[Purpose::Pass], now));
    assert!(accounts.take(index, &[Purpose::Pass], now + REFUSAL_COUNTS_FOR));
    // Beside one that stays, it learns nothing: others have taken all.
    let other = reached(&mut accounts, "b:1", "b");
    accounts.force(other, &[Purpose::Standing, Purpose::Pass]);
    assert!(!accounts.refused(other, 1, now));
    assert_eq!(accounts.account(other).limit(now), 4);
}

#[test]
fn what_is_asked_for_together_with_a_refused_connection_is_not_open() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let index = reached(&mut accounts, "a:1", "a");
    assert!(accounts.take(index, &[Purpose::Pass], now));
    assert!(accounts.take(index, &[Purpose::Pass, Purpose::Standing], now));
    assert!(!accounts.refused(index, 2, now), "one connection is open");
    assert_eq!(accounts.account(index).limit(now), DEFAULT_MAX_CONNECTIONS);
}

#[test]
fn an_address_that_turns_out_to_be_a_known_servers_brings_its_refusal_along() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let index = reached(&mut accounts, "a:1", "a");
    let alias = accounts.account_of("b:1", None);
    accounts.force(alias, &[Purpose::Pass; 3]);
    assert!(accounts.refused(alias, 1, now));
    assert_eq!(accounts.identify("b:1", "a", None), index);
    assert_eq!(accounts.account(index).limit(now), 2);
}

#[test]
fn one_that_stays_open_no_longer_makes_room_for_another_once_it_is_closed() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let index = reached(&mut accounts, "a:1", "a");
    let (standing, wanted) = ([Purpose::Standing], [Purpose::Pass, Purpose::Standing]);
    assert!(accounts.take(index, &standing, now));
    assert!(!accounts.can_fit(index, &wanted, now));
    accounts.ends(index);
    assert!(accounts.can_fit(index, &wanted, now), "it is waited for");
    accounts.force(index, &[Purpose::Pass]);
    assert!(!accounts.take(index, &wanted, now), "its server process has not ended, and another connection is open");
    accounts.give_back(index, Purpose::Pass);
    assert!(accounts.take(index, &wanted, now));
}

#[test]
fn another_server_at_the_same_address_has_a_separate_account() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let before = reached(&mut accounts, "vip:1", "a");
    assert!(accounts.take(before, &[Purpose::Standing], now));
    accounts.doubt("vip:1");
    assert!(!accounts.is_certain("vip:1"));
    let after = accounts.identify("vip:1", "b", None);
    assert_ne!(before, after);
    assert_eq!((accounts.account(before).open, accounts.account(after).open), (1, 0));
    assert_eq!(accounts.account_of("vip:1", None), after);
}

#[test]
fn of_several_entries_the_least_number_counts_and_the_default_only_where_none_says_one() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let index = accounts.account_of("a:1", None);
    assert_eq!(accounts.account(index).limit(now), 4);
    accounts.account_of("a:1", Some(8));
    assert_eq!(accounts.account(index).limit(now), 8);
    accounts.account_of("a:1", Some(6));
    assert_eq!(accounts.account(index).limit(now), 6);
}

#[test]
fn an_address_that_gave_no_answer_takes_no_connection_from_a_known_server() {
    let (mut accounts, now) = (Accounts::default(), Instant::now());
    let known = reached(&mut accounts, "a:1", "a");
    let silent = accounts.account_of("b:1", None);
    assert!(accounts.take(silent, &[Purpose::Pass; 3], now));
    assert!(!accounts.take(known, &[Purpose::Pass], now), "it may be the same server");
    assert!(accounts.take_alone(known, &[Purpose::Pass], now), "or it is not, after a while");
    accounts.give_back(known, Purpose::Pass);
    accounts.answered("b:1", false);
    assert!(accounts.is_silent("b:1") && !accounts.is_silent("a:1"));
    assert!(accounts.take(known, &[Purpose::Pass], now));
    accounts.give_back(known, Purpose::Pass);
    accounts.answered("b:1", true);
    assert!(!accounts.take(known, &[Purpose::Pass], now), "it has answered");
    // Another address of a known server is asked last, and the server's connections count on.
    reached(&mut accounts, "c:1", "a");
    accounts.answered("c:1", false);
    accounts.answered("a:1", true);
    assert!(accounts.is_silent("c:1") && !accounts.is_silent("a:1"));
    assert_eq!((0..9).filter(|_| accounts.take_alone(known, &[Purpose::Pass], now)).count(), 3, "its own limit stays");
}
