//! Ids that are read in several groups are found as if they were read at once.

use super::super::*;
use super::look::{Table, answer, walk};
use super::rows::Rows;
use super::scenario::INT4;

const LIMIT: ValueNumber = INT4 - 1;

fn table(rows: &Rows) -> Table<'_> {
    Table { rows, own: Numbering::new(0, i64::MAX, 1, 0), exact: false }
}

/// A walk over the groups; how many questions each of them was asked.
fn walk_groups(groups: &[Rows], mut walk: BlockWalk) -> (Found, usize) {
    let mut rounds = 0;
    loop {
        let question = match walk.progress() {
            Progress::Done(found) => return (found, rounds),
            Progress::Ask(question) => question,
        };
        let mut gather = Gather::new(question);
        let whole = loop {
            rounds += 1;
            let asked = gather.question();
            let answers = groups.iter().map(|rows| answer(&table(rows), &asked)).collect();
            if let Some(whole) = gather.answer(answers).expect("answers to what was asked") {
                break whole;
            }
        };
        walk.answer(whole).expect("the answer is right");
    }
}

#[test]
fn a_block_that_is_dense_only_in_all_groups_together_is_found_whole() {
    // Restored rows from 100 on, one id in eight, spread over 20 groups; then thin ones, a hole, and an outlier.
    let dense = (100..60_000).step_by(8);
    let thin = (60_000..90_000).step_by(600);
    for ids in [
        Vec::from_iter(dense.clone()),
        Vec::from_iter(dense.clone().chain(thin.clone())),
        Vec::from_iter(thin),
        Vec::from_iter(dense.chain([1_999_999])),
        vec![100],
        vec![5_000_000],
        Vec::new(),
        Vec::from_iter((LIMIT - 500)..=LIMIT),
    ] {
        let mut groups: Vec<Rows> = (0..20).map(|_| Rows::default()).collect();
        let mut all = Rows::default();
        for (place, id) in ids.iter().enumerate() {
            groups[place % 20].add(*id, *id);
            all.add(*id, *id);
        }
        let next = ids.first().map_or(100, |first| if *first > 10_000_000 { *first } else { 100 });
        for memory in [Memory::RunOnly { charged: 0 }, Memory::Lasting(History::default())] {
            let terms = Terms::new(LIMIT, &Settings::default(), &memory);
            let begin = || BlockWalk::new(next, LIMIT, terms, Draws::new(7)).most_stretches(1);
            let (expected, questions) = walk(&table(&all), begin());
            let (found, rounds) = walk_groups(&groups, begin());
            assert_eq!(found, expected, "{:?}", ids.first());
            assert!(rounds <= 2 * questions, "{rounds} rounds for {questions} questions");
        }
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let asked = Question::Nearest { from: 1, up_to: 9 };
    let mut gather = Gather::new(asked);
    assert_eq!(
        gather.answer(vec![Answer::Nearest(Some(3)), Answer::Nearest(None)]),
        Ok(Some(Answer::Nearest(Some(3))))
    );
    assert_eq!(gather.answer(vec![Answer::Count(3)]), Err(AnswerError::OtherQuestion));
    let mut gather = Gather::new(Question::Scales { after: 1, up_to: 99, steps: vec![10, 1], draws: Draws::new(1) });
    let lists = vec![Answer::Lasts(vec![None, None]), Answer::Lasts(vec![None])];
    assert_eq!(gather.answer(lists), Err(AnswerError::WrongCount));
    assert_eq!(gather.answer(vec![Answer::Lasts(vec![None, None])]), Ok(Some(Answer::Scales(vec![None, None]))));
}
