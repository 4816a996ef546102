//! The rules of the judgement, one by one.

use std::time::Duration;

use super::super::*;
use super::scenario::{INT4, M};

const LIMIT: ValueNumber = INT4 - 1;
const ASKED: Wishes = Wishes { approved: false, session_store: false, pace: None };
const APPROVED: Wishes = Wishes { approved: true, ..ASKED };
const STORE: Wishes = Wishes { session_store: true, ..ASKED };
const THIN: ThinPart = ThinPart { after: 500, last: 90_500, drawn: 32, taken: 1 };

fn agent() -> Terms {
    Terms::new(LIMIT, &Settings::default(), &Memory::Lasting(History::default()))
}

fn seen(max_id: ValueNumber, ids: Ids) -> Observation {
    Observation { next: 100, limit: LIMIT, max_id: Some(max_id), ids, far_count: None, known_next: None }
}

fn block(nearest: i128, end: i128, charged: i128, ids: Option<u64>) -> Observation {
    seen(end, Ids::Walked(Found::Block { nearest, end, charged, ids }))
}

fn repaired(past: ValueNumber, charged: u128, kind: RepairKind) -> Decision {
    Decision::Repair { repair: Repair { past, charged, kind }, rest: None }
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Held(hold) | Decision::Repair { rest: Some(hold), .. } => hold.word(),
        _ => "",
    }
}

#[test]
fn no_own_id_ahead_is_in_sync() {
    let observation = seen(99, Ids::NoneAhead);
    let in_sync = Decision::InSync { rewound: None, looked_to: None };
    assert_eq!(decide(&observation, &agent(), &ASKED), in_sync);
    assert_eq!(decide(&observation, &agent(), &APPROVED), in_sync);
    let partly = seen(99, Ids::Walked(Found::Nothing { up_to: 1099 }));
    assert_eq!(decide(&partly, &agent(), &ASKED), Decision::InSync { rewound: None, looked_to: Some(1099) });
}

#[test]
fn a_rewound_sequence_says_what_is_handed_out_again_and_is_brought_back_by_approval_or_for_sessions() {
    let observation = Observation { known_next: Some(3100), ..seen(99, Ids::NoneAhead) };
    let in_sync = Decision::InSync { rewound: Some(3000), looked_to: None };
    assert_eq!(decide(&observation, &agent(), &ASKED), in_sync);
    assert_eq!(decide(&observation, &agent(), &APPROVED), repaired(3099, 0, RepairKind::Known));
    assert_eq!(decide(&observation, &agent(), &STORE), repaired(3099, 0, RepairKind::Known));
    let not_further = Observation { known_next: Some(100), ..observation };
    assert_eq!(decide(&not_further, &agent(), &STORE), Decision::InSync { rewound: None, looked_to: None });
}

#[test]
fn a_block_that_is_soon_met_is_passed_and_the_free_values_before_it_are_charged() {
    assert_eq!(decide(&block(100, 694, 0, None), &agent(), &ASKED), repaired(694, 0, RepairKind::Soon));
    assert_eq!(decide(&block(1099, 9000, 5000, None), &agent(), &ASKED), repaired(9000, 5999, RepairKind::Soon));
}

#[test]
fn beyond_the_allowance_the_dense_beginning_is_passed_and_the_rest_is_held() {
    let cut = seen(M, Ids::Walked(Found::Cut { nearest: 110, dense_end: 500, thin: THIN }));
    let terms = Terms { allowance: 20, ..agent() };
    let repair = Repair { past: 500, charged: 10, kind: RepairKind::Soon };
    let rest = Some(Hold::Thin { part: THIN, allowance: 20 });
    assert_eq!(decide(&cut, &terms, &ASKED), Decision::Repair { repair, rest });
    assert_eq!(decide(&cut, &terms, &APPROVED), repaired(M, 0, RepairKind::Approved));
}

#[test]
fn free_values_beyond_the_allowance_wait_for_the_budget() {
    let waiting = seen(9000, Ids::Walked(Found::NotWalked { nearest: 130 }));
    let terms = Terms { allowance: 29, ..agent() };
    let pace = Wishes { pace: Some(2.0), ..ASKED };
    let due = Some(Duration::from_secs(15));
    assert_eq!(decide(&waiting, &terms, &pace), Decision::Held(Hold::Budget { gap: 30, allowance: 29, due }));
    let met = block(100, 9000, 0, None);
    assert_eq!(decide(&met, &Terms { allowance: 0, ..terms }, &ASKED), repaired(9000, 0, RepairKind::Soon));
}

#[test]
fn far_ids_are_held_with_what_a_person_needs_to_know() {
    let not_walked = seen(999_999_998, Ids::Walked(Found::NotWalked { nearest: 999_999_998 }));
    let far = Observation { far_count: Some(1), ..not_walked };
    let wishes = Wishes { pace: Some(0.5), ..ASKED };
    let hold = Hold::FarIds {
        gap: 999_999_898,
        from: 999_999_998,
        to: Some(999_999_998),
        count: Some(1),
        due: Some(Duration::from_secs(1_999_999_796)),
    };
    assert_eq!(decide(&far, &agent(), &wishes), Decision::Held(hold));
    for pace in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(1e-300)] {
        let decision = decide(&far, &agent(), &Wishes { pace, ..ASKED });
        assert!(matches!(decision, Decision::Held(Hold::FarIds { due: None, .. })), "{pace:?}: {decision:?}");
    }
    assert_eq!(decide(&far, &agent(), &APPROVED), repaired(999_999_998, 0, RepairKind::Approved));
}

#[test]
fn a_far_block_is_passed_early_once_with_one_id_in_5000_and_charged() {
    let at = |ids, terms: &Terms| decide(&block(10 * M + 100, 11 * M, 7, Some(ids)), terms, &ASKED);
    assert_eq!(at(2000, &agent()), repaired(11 * M, 10_000_007, RepairKind::Early));
    assert_eq!(word(&at(1999, &agent())), "far_ids");
    let passed = History { passed_early: true, ..History::default() };
    assert_eq!(word(&at(2000, &Terms::new(LIMIT, &Settings::default(), &Memory::Lasting(passed)))), "far_ids");
    assert_eq!(word(&at(2000, &Terms { allowance: 10_000_006, ..agent() })), "far_ids");
    let once = Terms::new(LIMIT, &Settings::default(), &Memory::RunOnly { charged: 0 });
    assert_eq!(word(&at(M as u64, &once)), "far_ids", "a run without memory has one step to spend");
}

#[test]
fn a_known_next_value_is_returned_to_when_ids_reach_half_as_far() {
    let known = |max_id, known_next| {
        let not_walked = seen(max_id, Ids::Walked(Found::NotWalked { nearest: 50 * M }));
        Observation { known_next: Some(known_next), ..not_walked }
    };
    let back = repaired(102 * M - 1, 0, RepairKind::Known);
    assert_eq!(decide(&known(51 * M, 102 * M), &agent(), &ASKED), back);
    assert_eq!(word(&decide(&known(51 * M, 102 * M + 1), &agent(), &ASKED)), "far_ids");
    assert_eq!(word(&decide(&known(50 * M, 100), &agent(), &ASKED)), "far_ids", "it is not further");
    let near = Observation { known_next: Some(300), ..block(100, 694, 0, None) };
    assert_eq!(decide(&near, &agent(), &ASKED), repaired(694, 0, RepairKind::Soon), "the ids ask for more");
}

#[test]
fn a_numbering_restarted_on_purpose_only_passes_the_ids_in_its_way() {
    let restarted = Observation { known_next: Some(1500 * M), ..block(100, 999, 0, None) };
    assert_eq!(decide(&restarted, &agent(), &ASKED), repaired(999, 0, RepairKind::Soon));
    assert_eq!(decide(&restarted, &agent(), &APPROVED), repaired(999, 0, RepairKind::Soon), "nothing was held");
    assert_eq!(decide(&restarted, &agent(), &STORE), repaired(1500 * M - 1, 0, RepairKind::Known));
}

#[test]
fn a_repair_leaves_a_value_or_is_held_by_the_limit() {
    let limited = |past, max_id| {
        let ids = Ids::Walked(Found::Block { nearest: 100, end: past, charged: 0, ids: None });
        decide(&Observation { limit: 200, max_id: Some(max_id), ..seen(max_id, ids) }, &agent(), &ASKED)
    };
    assert_eq!(limited(199, 199), repaired(199, 0, RepairKind::Soon));
    assert_eq!(limited(199, 200), Decision::Held(Hold::Limit { past: 199, limit: 200 }));
    let at_limit = Observation { limit: 150, ..seen(150, Ids::Walked(Found::NotWalked { nearest: 150 })) };
    assert_eq!(word(&decide(&at_limit, &agent(), &ASKED)), "limit");
    assert_eq!(word(&decide(&at_limit, &agent(), &APPROVED)), "limit", "no approval makes room");
    let full = |solid_end| {
        let ids = Ids::Walked(Found::Full { nearest: 100, solid_end });
        decide(&Observation { limit: 200, ..seen(200, ids) }, &agent(), &ASKED)
    };
    let hold = Hold::Limit { past: 200, limit: 200 };
    let repair = Repair { past: 110, charged: 0, kind: RepairKind::Soon };
    assert_eq!(full(Some(110)), Decision::Repair { repair, rest: Some(hold) }, "the free values behind it are used");
    assert_eq!(full(None), Decision::Held(hold));
    assert_eq!(word(&full(Some(199))), "limit");
    let past = Observation { next: 201, limit: 200, ..at_limit };
    assert_eq!(decide(&past, &agent(), &APPROVED), Decision::Exhausted);
}

#[test]
fn without_a_walk_the_furthest_id_within_a_step_is_passed_and_charged() {
    for (ids, held) in [(Ids::NoIndex, "no_index"), (Ids::PartOfKey, "no_unique_key")] {
        assert_eq!(decide(&seen(100_099, ids), &agent(), &ASKED), repaired(100_099, 100_000, RepairKind::Soon));
        let further = decide(&seen(100_100, ids), &agent(), &ASKED);
        assert_eq!(word(&further), held);
        let spent = Terms { allowance: 99_999, ..agent() };
        assert_eq!(word(&decide(&seen(100_099, ids), &spent, &ASKED)), held);
        let in_sync = Decision::InSync { rewound: None, looked_to: None };
        assert_eq!(decide(&seen(99, ids), &agent(), &ASKED), in_sync);
    }
}

#[test]
fn where_no_insert_can_fail_nothing_is_moved() {
    let restarted = Observation { known_next: Some(200), ..seen(150, Ids::NoUniqueKey) };
    assert_eq!(decide(&restarted, &agent(), &ASKED), Decision::Held(Hold::NoUniqueKey { lag: 51 }));
    assert_eq!(decide(&restarted, &agent(), &APPROVED), repaired(150, 0, RepairKind::Approved));
}
