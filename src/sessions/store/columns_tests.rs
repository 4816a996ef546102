use super::is_now;

#[test]
fn only_the_bare_current_time_is_one() {
    for now in [
        "CURRENT_TIMESTAMP",
        "now()",
        "(now())::timestamp without time zone",
        "LOCALTIMESTAMP",
        "CURRENT_DATE",
        "('now'::text)::timestamp with time zone",
        "timezone('utc'::text, now())",
        "date_trunc('second'::text, now())",
        "((EXTRACT(epoch FROM now()) * (1000)::numeric))::bigint",
    ] {
        assert!(is_now(now), "{now}");
    }
    for other in
        ["(now() + '01:00:00'::interval)", "NULL::timestamp with time zone", "timezone('utc'::text, '2020'::text)"]
    {
        assert!(!is_now(other), "{other}");
    }
}
