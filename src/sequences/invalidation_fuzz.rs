//! Any payload: every role that may connect may notify any text.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::proptest_config::cases;

/// As PostgreSQL lets them through: any text of up to 8000 bytes.
fn payload() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c]{1,2}(\\.[a-c])?",
        1 => " ?\"[^\0]{1,40}\"(\\.\"[^\0]{1,40}\")? ?",
        1 => "\\PC{0,40}",
        1 => "[a\"]{0,70}(\\.[a\"]{0,70}){0,3}",
        1 => (0..8000_usize, any::<char>()).prop_map(|(length, c)| String::from_iter(vec![c; length / c.len_utf8()])),
    ]
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn any_payloads_are_few_names_or_everything(payloads in vec(payload(), 0..50)) {
        let mut doubt = Invalidation::default();
        for said in &payloads {
            doubt.add(said);
        }
        prop_assert_eq!(doubt.is_empty(), payloads.is_empty());
        let names: BTreeSet<&str> = payloads.iter().map(|said| said.trim()).collect();
        match doubt {
            Invalidation::Named(doubted) => {
                // Nothing that was said is forgotten, and none of it takes room.
                prop_assert_eq!(doubted.iter().map(String::as_str).collect::<BTreeSet<_>>(), names);
                prop_assert!(doubted.len() <= MOST_NAMES);
                prop_assert!(doubted.iter().all(|name| name.len() <= 2 * (2 * 63 + 2) + 1));
            }
            Invalidation::All => {
                let nameless = names.iter().any(|name| name.parse::<RelationRef>().is_err());
                prop_assert!(nameless || names.len() > MOST_NAMES);
            }
        }
    }
}
