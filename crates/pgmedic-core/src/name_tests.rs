use proptest::prelude::*;

use super::*;

fn table(schema: &str, name: &str) -> TableName {
    TableName { schema: schema.to_owned(), name: name.to_owned() }
}

#[test]
fn an_unquoted_name_folds_to_lower_case() {
    assert_eq!("Public.Order_No".parse(), Ok(table("public", "order_no")));
}

#[test]
fn folding_leaves_letters_beyond_ascii_alone() {
    assert_eq!("public.ÄRGER".parse(), Ok(table("public", "Ärger")));
}

#[test]
fn a_quoted_part_keeps_its_capitals_dots_and_doubled_quotes() {
    assert_eq!(r#""My.Schema"."a ""b"" c""#.parse(), Ok(table("My.Schema", r#"a "b" c"#)));
}

#[test]
fn a_mention_without_a_schema_means_any_schema() {
    let mention = |text: &str| text.parse::<RelationRef>().unwrap();
    assert!(mention("Orders").matches("public", "orders") && mention("orders").matches("shop", "orders"));
    assert!(!mention("orders").matches("public", "Orders") && !mention("\"Orders\"").matches("public", "orders"));
    assert!(mention("shop.orders").matches("shop", "orders") && !mention("shop.orders").matches("public", "orders"));
    assert!("a.b.c".parse::<RelationRef>().is_err() && "".parse::<RelationRef>().is_err());
}

#[test]
fn a_column_name_has_three_parts() {
    let column: ColumnName = r#"public."Orders".id"#.parse().unwrap();
    assert_eq!(column.table, table("public", "Orders"));
    assert_eq!(column.column, "id");
    assert_eq!(column.to_string(), r#"public."Orders".id"#);
}

#[test]
fn a_missing_schema_is_never_guessed() {
    let found = |parts| NameError::Parts { found: parts, expected: 2 };
    assert_eq!("order_no".parse::<TableName>(), Err(found(1)));
    assert_eq!("app.public.order_no".parse::<TableName>(), Err(found(3)));
    assert_eq!("orders.id".parse::<ColumnName>(), Err(NameError::Parts { found: 2, expected: 3 }));
}

#[test]
fn malformed_names_are_refused_with_what_is_wrong() {
    let refused = |text: &str| text.parse::<TableName>().unwrap_err();
    assert_eq!(refused(""), NameError::Empty);
    assert_eq!(refused("public."), NameError::Empty);
    assert_eq!(refused(".orders"), NameError::Empty);
    assert_eq!(refused(r#"public."""#), NameError::Empty);
    assert_eq!(refused(r#"public."orders"#), NameError::Quote);
    assert_eq!(refused(r#"public."orders"x"#), NameError::Quote);
    assert_eq!(refused(r#"public.or"ders""#), NameError::Quote);
    assert_eq!(refused("public.my orders"), NameError::Character(' '));
    assert_eq!(refused("public.1st"), NameError::Character('1'));
    assert_eq!(refused("public.a-b"), NameError::Character('-'));
    assert_eq!(refused("public.a; drop table x"), NameError::Character(';'));
    assert_eq!(refused("public.\"a\0b\""), NameError::Nul);
}

#[test]
fn sixty_three_bytes_are_the_limit_not_sixty_three_letters() {
    let longest = "é".repeat(31) + "x";
    assert_eq!(longest.len(), 63);
    assert_eq!(format!("public.{longest}").parse(), Ok(table("public", &longest)));
    assert_eq!(format!("public.{longest}x").parse::<TableName>(), Err(NameError::TooLong));
}

proptest! {
    #[test]
    fn every_stored_name_survives_being_written_and_read(
        schema in "[^\0]{1,15}", name in "[^\0]{1,15}", column in "[a-zA-Z0-9_.\" $]{1,63}",
    ) {
        let written = ColumnName { table: table(&schema, &name), column };
        prop_assert_eq!(written.to_string().parse(), Ok(written));
    }

    #[test]
    fn what_can_be_read_is_written_so_that_it_reads_the_same(text in "[aB\"._$1 é]{0,12}") {
        if let Ok(read) = text.parse::<TableName>() {
            prop_assert_eq!(read.to_string().parse(), Ok(read));
        }
    }
}

#[test]
fn a_name_that_the_server_quoted_has_its_two_parts_with_any_characters_in_them() {
    let parts = |quoted| stored_parts(quoted);
    let stored = |schema: &str, name: &str| (schema.to_owned(), name.to_owned());
    assert_eq!(parts("public.t_id_seq"), stored("public", "t_id_seq"));
    assert_eq!(parts(r#""a.b"."c ""d"".e""#), stored("a.b", r#"c "d".e"#));
    // A name that is no UTF-8 has a replacement character of three bytes for each byte.
    let long = "\u{fffd}".repeat(63);
    assert_eq!(parts(&format!("public.\"{long}\"")), stored("public", &long));
}
