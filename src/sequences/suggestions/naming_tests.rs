use super::*;

/// `table.column`, a key where it is written `table.column!`.
fn columns(names: &[&str]) -> Vec<Column> {
    let column = |name: &&str| {
        let (table, column) = name.trim_end_matches('!').split_once('.').unwrap();
        Column {
            schema: "public".to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            is_key: name.ends_with('!'),
        }
    };
    names.iter().map(column).collect()
}

fn feeds(sequence: &str, names: &[&str]) -> Option<String> {
    let columns = columns(names);
    likely_column(sequence, &columns).map(|found| format!("{}.{}", found.table, found.column))
}

#[test]
fn each_frameworks_names_are_understood() {
    let shop = ["orders.id!", "order_items.id!", "Person.Id!", "categories.id!", "foo.id!", "foo.code!", "boxes.id!"];
    for (sequence, column) in [
        ("orders_id_seq", Some("orders.id")),
        ("order_items_id_seq", Some("order_items.id")),
        ("orders_id_seq1", Some("orders.id")),
        ("orders_seq", Some("orders.id")),
        ("order_seq", Some("orders.id")),
        ("order_SEQ", Some("orders.id")),
        ("Person_SEQ", Some("Person.Id")),
        ("PersonSeq", Some("Person.Id")),
        ("PersonHiLoSequence", Some("Person.Id")),
        ("PeopleSequence", None),
        ("seq_orders", Some("orders.id")),
        ("s_orders", Some("orders.id")),
        ("category_seq", Some("categories.id")),
        ("box_seq", Some("boxes.id")),
        ("foo_id_seq", Some("foo.id")),
        ("foo_seq", None),
        ("hibernate_sequence", None),
        ("EntityFrameworkHiLoSequence", None),
        ("orders", None),
    ] {
        assert_eq!(feeds(sequence, &shop).as_deref(), column, "{sequence}");
    }
}

#[test]
fn streams_are_found_beside_the_key() {
    let synapse = [
        "events.stream_ordering!",
        "state_groups.id!",
        "device_inbox.stream_id",
        "device_lists_stream.stream_id",
        "receipts_linearized.stream_id!",
        "cache_invalidation_stream_by_instance.stream_id",
        "presence_stream.stream_id",
        "application_services_txns.txn_id!",
    ];
    for (sequence, column) in [
        ("events_stream_seq", "events.stream_ordering"),
        ("state_group_id_seq", "state_groups.id"),
        ("device_inbox_sequence", "device_inbox.stream_id"),
        ("device_lists_sequence", "device_lists_stream.stream_id"),
        ("receipts_sequence", "receipts_linearized.stream_id"),
        ("cache_invalidation_stream_seq", "cache_invalidation_stream_by_instance.stream_id"),
        ("presence_stream_sequence", "presence_stream.stream_id"),
        ("application_services_txn_id_seq", "application_services_txns.txn_id"),
    ] {
        assert_eq!(feeds(sequence, &synapse).as_deref(), Some(column), "{sequence}");
    }
}

#[test]
fn two_columns_that_fit_alike_are_no_suggestion() {
    assert_eq!(feeds("orders_seq", &["orders.id!", "Orders.id!"]), None);
}
