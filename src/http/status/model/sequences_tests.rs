use super::*;
use crate::http::status::model::test_support::*;
use crate::report::SequenceReport;
use crate::state::DatabaseState;

/// The names of the rows that a query finds.
fn listed(databases: Vec<(&'static str, DatabaseState)>, query: &str) -> Vec<String> {
    let snapshot = snapshot(databases);
    let facts = snapshot.facts();
    let table = Table::of(&SearchQuery::read(query), &facts, NOW);
    let name = |row: &TableRow<'_>| match row {
        TableRow::Sequence(row) => row.sequence.name.trim_start_matches("public.").to_owned(),
        TableRow::Database(name, ..) => (*name).to_owned(),
    };
    table.rows.iter().map(name).collect()
}

fn app() -> DatabaseState {
    let used = |name: &str, ratio: f64, next: i64| SequenceReport {
        used_ratio: Some(ratio),
        next_value: Some(next),
        ..in_sync(name)
    };
    checked(vec![
        used("public.a_id_seq", 0.1, 300),
        used("public.b_id_seq", 0.6, 100),
        behind("public.c_id_seq"),
        running_out("public.d_id_seq"),
        unreadable("public.e_id_seq"),
    ])
}

#[test]
fn the_worst_comes_first_and_then_the_most_used() {
    let all = ["c_id_seq", "legacy", "e_id_seq", "d_id_seq", "b_id_seq", "a_id_seq"];
    assert_eq!(listed(vec![("app", app()), ("legacy", refused(61))], ""), all);
}

#[test]
fn a_column_orders_the_rows_in_both_directions_and_unknown_values_come_last() {
    let of = |query: &str| listed(vec![("app", app())], query);
    assert_eq!(of("sort=next")[..2], ["c_id_seq", "a_id_seq"], "largest first");
    assert_eq!(of("sort=next").last().unwrap(), "e_id_seq");
    assert_eq!(of("sort=next&dir=asc")[..2], ["d_id_seq", "b_id_seq"]);
    assert_eq!(of("sort=next&dir=asc").last().unwrap(), "e_id_seq");
    assert_eq!(of("sort=sequence"), ["a_id_seq", "b_id_seq", "c_id_seq", "d_id_seq", "e_id_seq"]);
    assert_eq!(of("sort=lag")[0], "c_id_seq");
    assert_eq!(of("sort=used")[..2], ["d_id_seq", "b_id_seq"]);
}

#[test]
fn a_filter_finds_what_its_chip_counts() {
    let databases = || vec![("app", app()), ("legacy", refused(61))];
    let snapshot = snapshot(databases());
    let facts = snapshot.facts();
    let counts = Table::of(&SearchQuery::read(""), &facts, NOW).counts;
    let wanted = FilterCounts { all: 66, failing: 1, soon: 1, unknown: 62, healthy: 2, ..FilterCounts::default() };
    assert_eq!(counts, wanted);
    assert_eq!(listed(databases(), "status=failing"), ["c_id_seq"]);
    assert_eq!(listed(databases(), "status=unknown"), ["legacy", "e_id_seq"]);
    assert_eq!(listed(databases(), "status=healthy"), ["b_id_seq", "a_id_seq"]);
    assert_eq!(listed(databases(), "status=healthy&database=legacy"), [""; 0]);
    // The counts do not depend on what is asked for.
    assert_eq!(Table::of(&SearchQuery::read("status=soon&q=x"), &facts, NOW).counts, wanted);
}

#[test]
fn a_page_past_the_end_shows_the_last_one() {
    let many: Vec<SequenceReport> = (0..61).map(|number| in_sync(&format!("public.t{number}_id_seq"))).collect();
    let snapshot = snapshot([("app", checked(many))]);
    let facts = snapshot.facts();
    let of = |query: &str| {
        let table = Table::of(&SearchQuery::read(query), &facts, NOW);
        (table.first, table.rows.len(), table.page, table.pages, table.found)
    };
    assert_eq!(of(""), (1, 25, 1, 3, 61));
    assert_eq!(of("page=3"), (51, 11, 3, 3, 61));
    assert_eq!(of("page=6000"), of("page=3"));
}

#[test]
fn a_word_finds_the_sequences_of_a_database_where_there_are_several() {
    let databases = || vec![("tenant_1", app()), ("tenant_2", app()), ("legacy", refused(61))];
    assert_eq!(listed(databases(), "q=TENANT_2").len(), 5);
    assert_eq!(listed(databases(), "q=tenant_2+b_id"), ["b_id_seq"]);
    assert_eq!(listed(databases(), "q=lega"), ["legacy"], "what cannot be checked is found too");
    assert_eq!(listed(vec![("tenant_2", app())], "q=tenant"), [""; 0]);
}
