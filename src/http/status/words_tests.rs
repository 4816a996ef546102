use super::*;

#[test]
fn a_list_has_commas_from_three_parts_on() {
    let parts = ["a", "b", "c"].map(str::to_owned);
    let lists: Vec<String> = (0..=3).map(|length| list(&parts[..length])).collect();
    assert_eq!(lists, ["", "a", "a and b", "a, b, and c"]);
}

#[test]
fn numbers_that_no_reader_counts_are_rounded() {
    let shown = [999_999, 1_234_567, 12_345_678, 3_100_000_000].map(approximate);
    assert_eq!(shown, ["999999", "1.2 million", "12 million", "3.1 billion"]);
}

#[test]
fn a_percentage_says_100_only_when_nothing_is_left() {
    let shown = [0.0, 0.0001, 0.0099, 0.01, 0.648, 0.99999, 1.0].map(percent);
    assert_eq!(shown, ["0%", "<1%", "<1%", "1%", "64.8%", "99.9%", "100%"]);
}

#[test]
fn time_left_is_rounded_down() {
    let shown = [0.4, 1.9, 6.9, 729.0, 1500.0, 9500.0, 40_000.0].map(days);
    assert_eq!(shown, ["under 1 day", "1 day", "6 days", "729 days", "4.1 years", "26 years", "100+ years"]);
}

#[test]
fn a_reason_is_a_sentence_and_a_name_keeps_its_case() {
    assert_eq!(sentence("a privilege is missing"), "A privilege is missing.");
    assert_eq!(sentence("public.orders is locked."), "public.orders is locked.");
    assert_eq!(sentence("table: public.child"), "Table: public.child.");
    assert_eq!(sentence("is it the right one?"), "Is it the right one?");
    assert_eq!(sentence("evil\u{202e}"), "evil\\u{202e}.");
}

#[test]
fn a_quoted_part_may_contain_a_period() {
    assert_eq!(table_of("public.orders.id"), "public.orders");
    assert_eq!(table_of("\"a.b\".\"c.d\".\"e.f\""), "\"a.b\".\"c.d\"");
    assert_eq!(split_schema("\"a.b\".t_id_seq"), ("\"a.b\".", "t_id_seq"));
    assert_eq!(split_schema("lonely"), ("", "lonely"));
}

#[test]
fn words_are_found_without_regard_to_case() {
    assert!(contains_word("public.\"Orders\"", "orders") && !contains_word("public.orders", "ordersx"));
    assert!(contains_word("ÄPFEL", "äpfel") && contains_word("a\u{202e}b", "\\u{202e}"));
    assert!(contains_word("x", "") && !contains_word("", "x"));
}
