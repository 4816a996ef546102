use super::*;

/// What a reader copies.
fn copied(markup: &Markup) -> String {
    let html = markup.0.as_str();
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[test]
fn a_number_is_in_groups_and_is_copied_without_spaces() {
    let shown = number(1_391_004_822_i64);
    assert_eq!(shown.0, "<span class=\"n\">1<span>391</span><span>004</span><span>822</span></span>");
    for value in [0_i64, 7, 658, -5, 1000, -48_213, i64::MAX, i64::MIN] {
        assert_eq!(copied(&number(value)), value.to_string());
    }
    assert_eq!(number(658).0, "658");
    assert_eq!(number(-48_213).0, "<span class=\"n\">-48<span>213</span></span>");
}

#[test]
fn numbers_of_a_sentence_are_in_groups_and_digits_of_a_name_are_not() {
    let text = "The next value is 48213, up to 2147483647. Not t_2024.id, 2024-01-02, x2000000000 or 1.5000";
    let shown = prose(text).0;
    assert!(shown.contains("48<span>213</span>") && shown.contains("<span>647</span></span>."), "{shown}");
    assert_eq!(shown.matches("class=\"n\"").count(), 2, "{shown}");
    assert_eq!(copied(&prose(text)), text);
}

#[test]
fn zero_and_unknown_differ() {
    assert_eq!((copied(&counted(Some(0))), copied(&counted(None))), ("0".to_owned(), "?".to_owned()));
}

#[test]
fn a_name_is_text_and_breaks_after_its_parts() {
    let shown = name("public.order_events").0;
    let wanted = "<bdi class=\"name\"><span class=\"schema\">public.</span><wbr>order_<wbr>events</bdi>";
    assert_eq!(shown, wanted);
    assert!(!name("<script>\u{202e}").0.contains("<script>"));
}
