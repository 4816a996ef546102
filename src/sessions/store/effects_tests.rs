use crate::sessions::store::foreign_key::is_table_of_people;

#[test]
fn a_table_of_people_is_known_by_the_last_word_of_its_name() {
    for people in ["public.users", "public.\"User\"", "app.auth_user", "public.companies", "public.orders"] {
        assert!(is_table_of_people(people), "{people}");
    }
    for other in ["public.user_sessions", "public.client_fingerprints", "public.accounts_usersession", "public.logs"] {
        assert!(!is_table_of_people(other), "{other}");
    }
}
