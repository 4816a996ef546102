//! Arbitrary queries.

use proptest::prelude::*;

use super::*;
use crate::proptest_config::cases;

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn any_query_is_a_question_whose_link_asks_the_same(
        query in prop_oneof!["\\PC{0,60}",
            "((q|database|status|sort|dir|page|attention|databases)=(%[0-9a-f]{2}|[a-z0-9+&]){0,20}&?){0,6}",
            "q=[%a\u{202e}]{0,400}"],
    ) {
        let question = SearchQuery::read(&query);
        prop_assert!(question.page >= 1 && question.text.chars().count() <= LONGEST);
        prop_assert!(!question.text.contains(char::is_control));
        let link = question.link("sequences");
        prop_assert!(link.is_ascii() && !link.contains(|c: char| "<>\"' ".contains(c) || c.is_control()), "{link}");
        let again = link.strip_suffix("#sequences").unwrap_or_default();
        prop_assert_eq!(SearchQuery::read(again.strip_prefix('?').unwrap_or_default()), question);
    }
}
