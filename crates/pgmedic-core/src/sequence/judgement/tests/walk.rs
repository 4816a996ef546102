//! What a block is.

use super::super::*;
use super::look::{Table, answer, walk};
use super::rows::{Pattern, Rows, every};
use super::scenario::{INT4, M};

const LIMIT: ValueNumber = INT4 - 1;

fn agent() -> Terms {
    Terms::new(LIMIT, &Settings::default(), &Memory::Lasting(History::default()))
}

fn with_allowance(allowance: i128) -> Terms {
    Terms { allowance, ..agent() }
}

fn ids() -> Numbering {
    Numbering::new(0, i64::MAX, 1, 0)
}

/// Walks from 100 on; ids are value numbers here.
fn find(rows: &Rows, terms: Terms) -> Found {
    walk(&Table { rows, own: ids(), exact: true }, BlockWalk::new(100, LIMIT, terms, Draws::new(1))).0
}

fn rows(ranges: &[(i128, i128)]) -> Rows {
    let mut rows = Rows::default();
    ranges.iter().for_each(|(from, to)| rows.add(*from, *to));
    rows
}

fn block(nearest: i128, end: i128, charged: i128) -> Found {
    Found::Block { nearest, end, charged, ids: None }
}

#[test]
fn a_dense_block_is_passed_free_of_charge_and_what_lies_beyond_a_step_is_no_part_of_it() {
    assert_eq!(find(&rows(&[(100, 300_000), (500_000, 600_000)]), agent()), block(100, 300_000, 0));
    assert_eq!(find(&rows(&[(100, 300_000), (350_000, 600_000)]), agent()), block(100, 600_000, 0));
    assert_eq!(find(&rows(&[(100, 100)]), agent()), block(100, 100, 0));
    assert_eq!(find(&rows(&[]), agent()), Found::Nothing { up_to: LIMIT });
}

#[test]
fn a_thin_stretch_is_charged_whole() {
    let mut thin = rows(&[(100, 1000)]);
    thin.add_pattern(every(1100, 200_900, 100));
    // Stretches of up to 100 000 values: (100, 100 100] holds 891 of its values, the other 100 800 fewer.
    assert_eq!(find(&thin, agent()), block(100, 200_900, 200_800));
    let (beginning, part) = match find(&thin, with_allowance(200_799)) {
        Found::Cut { nearest: 100, dense_end, thin } => (dense_end, thin),
        other => panic!("{other:?}"),
    };
    assert_eq!((part.after, part.drawn), (100, 32));
    // The run, and as much of what follows as makes a tenth with it.
    assert!((1000..11_000).contains(&beginning), "{beginning}");
    assert!(!thin.has(beginning + 1));
}

#[test]
fn a_stretch_with_fewer_than_one_id_in_a_thousand_ends_the_block_before_it() {
    let mut rows = rows(&[(100, 130), (90_000, 90_000)]);
    assert_eq!(find(&rows, agent()), block(100, 130, 0), "its beginning is dense, and tried in shorter steps");
    rows.add(90_100, 90_160);
    assert_eq!(find(&rows, agent()), block(100, 90_160, 90_060), "92 of 90 060 are thin");
}

#[test]
fn a_far_block_is_counted_and_no_dense_beginning_is_looked_for() {
    let counted = |rows: &Rows, terms| match find(rows, terms) {
        Found::Block { ids, .. } => ids,
        _ => None,
    };
    assert_eq!(counted(&rows(&[(10 * M, 11 * M)]), agent()), Some(2000), "as many as an early pass needs, no more");
    assert_eq!(counted(&rows(&[(10 * M, 10 * M + 1998)]), agent()), Some(1999));
    assert_eq!(find(&rows(&[(22 * M, 23 * M)]), agent()), Found::NotWalked { nearest: 22 * M }, "beyond 1 %");
    let spent = Terms { early: 0, ..agent() };
    assert_eq!(find(&rows(&[(10 * M, 11 * M)]), spent), Found::NotWalked { nearest: 10 * M });
    let mut thin = Rows::default();
    thin.add_pattern(every(10 * M, 11 * M, 100));
    assert_eq!(find(&thin, with_allowance(10 * M + 500_000)), Found::NotWalked { nearest: 10 * M });
}

#[test]
fn without_an_allowance_only_a_block_at_the_next_value_is_walked() {
    assert_eq!(find(&rows(&[(100, 300_000)]), with_allowance(0)), block(100, 300_000, 0));
    assert_eq!(find(&rows(&[(101, 300_000)]), with_allowance(0)), Found::NotWalked { nearest: 101 });
    assert_eq!(find(&rows(&[(150, 300_000)]), with_allowance(50)), block(150, 300_000, 0));
}

#[test]
fn an_id_at_the_limit_is_no_part_of_a_block() {
    let find = |rows: &Rows| {
        let terms = Terms::new(199, &Settings::default(), &Memory::RunOnly { charged: 0 });
        walk(
            &Table { rows, own: ids(), exact: true },
            BlockWalk::new(100, 199, Terms { step: 50, soon: 50, ..terms }, Draws::new(1)),
        )
        .0
    };
    assert_eq!(find(&rows(&[(100, 110), (190, 199)])), block(100, 110, 0));
    assert_eq!(find(&rows(&[(100, 199)])), Found::Full { nearest: 100, solid_end: Some(198) });
    assert_eq!(find(&rows(&[(100, 110), (112, 199)])), Found::Full { nearest: 100, solid_end: Some(110) });
    assert_eq!(find(&rows(&[(101, 199)])), Found::Full { nearest: 101, solid_end: None }, "no insert fails yet");
    assert_eq!(find(&rows(&[(199, 199)])), Found::NotWalked { nearest: 199 });
}

#[test]
fn five_hundred_million_ids_take_26_statements() {
    let rows = rows(&[(100, 500 * M), (1900 * M, 1900 * M)]);
    let (found, questions) =
        walk(&Table { rows: &rows, own: ids(), exact: false }, BlockWalk::new(100, LIMIT, agent(), Draws::new(1)));
    assert_eq!((found, questions), (block(100, 500 * M, 0), 27), "one of them for the nearest id");
}

#[test]
fn a_block_that_ends_among_the_first_thousand_values_takes_one_statement() {
    let ask = |rows: &Rows, max| {
        let new = BlockWalk::new(100, LIMIT, agent(), Draws::new(1)).with_max_id(max);
        walk(&Table { rows, own: ids(), exact: false }, new)
    };
    assert_eq!(ask(&rows(&[(100, 137)]), 137), (block(100, 137, 0), 1));
    assert_eq!(ask(&rows(&[(100, 1099)]), 1099), (block(100, 1099, 0), 1));
    let (found, questions) = ask(&rows(&[(100, 1100)]), 1100);
    assert_eq!((found, questions > 1), (block(100, 1100, 0), true), "one more is walked");
    let (found, questions) = ask(&rows(&[(100, 137), (1100, 60_000)]), 137);
    assert_eq!((found, questions > 1), (block(100, 60_000, 0), true), "inserted since the max id was read");
}

#[test]
fn the_dense_beginning_is_known_while_the_walk_goes_on() {
    let mut rows = rows(&[(100, 30 * M)]);
    rows.add_pattern(Pattern::Runs { from: 30 * M + 1, to: 60 * M, period: 100, run: 1 });
    let table = Table { rows: &rows, own: ids(), exact: true };
    let mut walk = BlockWalk::new(100, LIMIT, agent(), Draws::new(1));
    let mut known = Vec::new();
    while let Progress::Ask(question) = walk.progress() {
        known.push(walk.dense_so_far());
        walk.answer(answer(&table, &question)).unwrap();
    }
    assert_eq!(known[..3], [None, Some(100), Some(20_000_100)]);
    assert!(known[3..].iter().all(|end| (Some(30 * M)..Some(30 * M + 100_001)).contains(end)), "{known:?}");
}

#[test]
fn a_residue_class_is_looked_for_one_by_one_up_to_soon() {
    let own = Numbering::new(1, i64::MAX, 10, 1);
    let mut rows = rows(&[(1, 1000)]);
    rows.add_pattern(every(1002, 10 * M, 10));
    let found = |rows: &Rows, next| {
        walk(&Table { rows, own, exact: true }, BlockWalk::new(next, LIMIT, agent(), Draws::new(1)).one_by_one()).0
    };
    assert_eq!(found(&rows, 90), block(90, 99, 0), "991; the ids of other classes do not count");
    assert_eq!(found(&rows, 100), Found::Nothing { up_to: 1099 });
    rows.add(10_991, 10_991);
    assert_eq!(found(&rows, 100), block(1099, 1099, 0));
}

#[test]
fn an_answer_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut walk = BlockWalk::new(100, LIMIT, agent(), Draws::new(1));
    assert_eq!(walk.answer(Answer::Count(1)), Err(AnswerError::OtherQuestion));
    assert_eq!(walk.answer(Answer::Nearest(Some(99))), Err(AnswerError::OutOfRange));
    assert_eq!(walk.answer(Answer::Nearest(Some(100))), Ok(()));
    let asked = walk.progress();
    let stretch = Stretch { last: 200, drawn: 32, taken: 32, thin: false };
    for (stretches, error) in [
        (vec![stretch; 2], AnswerError::OutOfRange),
        (vec![Stretch { last: 100_101, ..stretch }], AnswerError::OutOfRange),
        (vec![Stretch { drawn: 31, taken: 31, ..stretch }], AnswerError::WrongCount),
        (vec![Stretch { taken: 33, ..stretch }], AnswerError::WrongCount),
        ((0..201).map(|nth| Stretch { last: 200 + 100 * nth, ..stretch }).collect(), AnswerError::WrongCount),
    ] {
        assert_eq!(walk.answer(Answer::Stretches(stretches)), Err(error));
        assert_eq!(walk.progress(), asked);
    }
    assert_eq!(walk.answer(Answer::Scales(vec![])), Err(AnswerError::OtherQuestion));
}
