use super::*;
use std::time::Duration;

fn preamble(mode: TransactionMode, restrict_views: bool) -> Preamble<'static> {
    let timeouts = Timeouts { lock: Duration::from_millis(100), statement: Duration::from_secs(5) };
    Preamble { name: "observe", tag: "0", mode, timeouts, restrict_views }
}

fn statements(sql: &[&str]) -> Vec<String> {
    sql.iter().map(|sql| (*sql).to_owned()).collect()
}

/// The answers where the server completes the first `completed` statements; each `SELECT x` has the row `x`.
fn answers_after(message: Message, completed: usize) -> Vec<Vec<String>> {
    let sql = message.sql();
    let mut answers = message.answers();
    for statement in sql.lines().take(completed) {
        if let Some(row) = statement.strip_prefix("SELECT ") {
            answers.row(row.trim_end_matches(';').to_owned());
        }
        answers.statement_completed();
    }
    answers.finish()
}

/// The number of statements up to and including `last`.
fn through(message: &Message, last: &str) -> usize {
    message.sql().lines().position(|statement| statement == last).unwrap() + 1
}

#[test]
fn every_statement_of_a_transaction_has_an_answer_and_its_preamble_and_end_have_none() {
    for (mode, end) in [(TransactionMode::Read, "COMMIT;"), (TransactionMode::ReadOnlyThenRollback, "ROLLBACK;")] {
        for restrict_views in [true, false] {
            let preamble = preamble(mode, restrict_views);
            let message = Message::one_transaction(&preamble, statements(&["SELECT a", "UPDATE t", "SELECT b"]));
            assert_eq!(message.sql().contains("restrict_nonsystem_relation_kind"), restrict_views);
            let all = through(&message, end);
            assert_eq!(message.sql().lines().count(), all, "{}", message.sql());
            assert_eq!(answers_after(message, all), [vec!["a"], vec![], vec!["b"]]);
        }
    }
}

#[test]
fn a_transaction_that_fails_has_the_answers_before_the_failure() {
    let message =
        || Message::one_transaction(&preamble(TransactionMode::Read, true), statements(&["SELECT a", "SELECT b"]));
    let answered_first = through(&message(), "SELECT a;");
    assert_eq!(answers_after(message(), answered_first), [["a"]]);
    assert_eq!(answers_after(message(), answered_first - 1), Vec::<Vec<String>>::new());
}

#[test]
fn a_separate_transaction_has_an_answer_once_it_is_committed() {
    let message = || {
        let groups = statements(&["SELECT a", "SELECT b"]).into_iter().map(|statement| vec![statement]);
        Message::separate_transactions(&preamble(TransactionMode::Write, false), groups)
    };
    let sql = message().sql();
    assert_eq!(sql.matches("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;").count(), 2, "{sql}");
    assert_eq!(sql.matches("COMMIT;").count(), 2, "{sql}");
    assert_eq!(answers_after(message(), sql.lines().count()), [["a"], ["b"]]);
    let both_selected = through(&message(), "SELECT b;");
    assert_eq!(answers_after(message(), both_selected), [["a"]], "the second is not committed");
    let first_selected = through(&message(), "SELECT a;");
    assert_eq!(answers_after(message(), first_selected), Vec::<Vec<String>>::new(), "nor is the first");
}

#[test]
fn the_statements_of_a_group_share_a_transaction_and_an_answer() {
    let group = || statements(&["SELECT a", "SELECT b"]).into_iter().collect();
    let message = || Message::separate_transactions(&preamble(TransactionMode::Write, false), [group()]);
    let sql = message().sql();
    assert_eq!((sql.matches("BEGIN").count(), sql.matches("COMMIT;").count()), (1, 1), "{sql}");
    assert_eq!(answers_after(message(), sql.lines().count()), [["a", "b"]]);
}

#[test]
fn views_are_kept_out_from_the_minor_releases_on_that_can() {
    for (first, before) in [(130_016, 130_015), (140_013, 140_012), (150_008, 150_007), (160_004, 160_003)] {
        assert!(can_restrict_views(first) && !can_restrict_views(before), "{first}");
    }
    assert!(can_restrict_views(170_000) && can_restrict_views(180_001));
}
