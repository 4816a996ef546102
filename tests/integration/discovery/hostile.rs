//! Settings and objects that would change the result of an unqualified query.

use crate::support::Database;
use serde_json::json;

/// Each of these shadows a built-in object for roles that have `public` first in the search path. It raises an error,
/// or returns a wrong result.
const SHADOWS: &str = "
    CREATE FUNCTION public.wrong(text) RETURNS integer LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the wrong %', $1; END $$;
    CREATE FUNCTION public.eq_int(int, int) RETURNS boolean LANGUAGE sql AS $$ SELECT wrong('= of int') = 1 $$;
    CREATE FUNCTION public.eq_oid(oid, oid) RETURNS boolean LANGUAGE sql AS $$ SELECT wrong('= of oid') > 0 $$;
    CREATE FUNCTION public.eq_char(\"char\", \"char\") RETURNS boolean LANGUAGE sql AS $$ SELECT wrong('= of char') > 0 $$;
    CREATE FUNCTION public.eq_name(name, name) RETURNS boolean LANGUAGE sql AS $$ SELECT wrong('= of name') > 0 $$;
    CREATE FUNCTION public.cat(\"char\", text) RETURNS text LANGUAGE sql AS $$ SELECT wrong('||')::text $$;
    CREATE FUNCTION public.cat(text, text) RETURNS text LANGUAGE sql AS $$ SELECT wrong('||')::text $$;
    CREATE FUNCTION public.minus(numeric, numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT wrong('-')::numeric $$;
    CREATE FUNCTION public.mod(numeric, numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT wrong('mod')::numeric $$;
    CREATE FUNCTION public.div(numeric, numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT wrong('div')::numeric $$;
    CREATE FUNCTION public.nextval(regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT wrong('nextval')::bigint $$;
    CREATE FUNCTION public.setval(regclass, bigint, boolean) RETURNS bigint LANGUAGE sql AS
        $$ SELECT wrong('setval')::bigint $$;
    CREATE FUNCTION public.quote_ident(text) RETURNS text LANGUAGE sql AS $$ SELECT wrong('quote_ident')::text $$;
    CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE sql AS $$ SELECT wrong('quote_ident')::text $$;
    CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT wrong('setting')::text $$;
    CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
    CREATE FUNCTION public.generate_series(integer, integer) RETURNS SETOF integer LANGUAGE sql AS $$ SELECT 99999 $$;
    CREATE FUNCTION public.has_column_privilege(oid, smallint, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE FUNCTION public.row_security_active(oid) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
    CREATE FUNCTION public.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
    CREATE AGGREGATE public.max(integer) (SFUNC = pg_catalog.int4smaller, STYPE = integer);
    CREATE AGGREGATE public.max(bigint) (SFUNC = pg_catalog.int8smaller, STYPE = bigint);
    CREATE OPERATOR public.= (LEFTARG = int, RIGHTARG = int, PROCEDURE = public.eq_int);
    CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, PROCEDURE = public.eq_oid);
    CREATE OPERATOR public.= (LEFTARG = \"char\", RIGHTARG = \"char\", PROCEDURE = public.eq_char);
    CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, PROCEDURE = public.eq_name);
    CREATE OPERATOR public.|| (LEFTARG = \"char\", RIGHTARG = text, PROCEDURE = public.cat);
    CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, PROCEDURE = public.cat);
    CREATE OPERATOR public.- (LEFTARG = numeric, RIGHTARG = numeric, PROCEDURE = public.minus);
    CREATE TABLE public.pg_class (oid oid, relname name);
    CREATE TABLE public.pg_sequence (seqrelid oid);
    CREATE TABLE public.pg_depend (objid oid);
    CREATE DOMAIN public.int8 AS text; CREATE DOMAIN public.regclass AS text; CREATE DOMAIN public.\"numeric\" AS text;
";

/// Two sequences that are behind: one needs an advance, the other a leap with its closer reading and a declared link.
const DRIFT: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.near (id serial PRIMARY KEY); INSERT INTO app.near SELECT pg_catalog.generate_series(1, 7);
    CREATE SEQUENCE app.far_seq INCREMENT 3;
    CREATE TABLE app.far (id bigint PRIMARY KEY); INSERT INTO app.far SELECT pg_catalog.generate_series(1, 61, 3);
    INSERT INTO app.far VALUES (90);
";

const SETTINGS: &str = "
    [sequences]
    advance_limit = 10
    [[sequences.feeds]]
    sequence = 'app.far_seq'
    column = 'app.far.id'
    allocator = 'residue'
";

async fn is_repaired(database: &mut Database) {
    let outcome = database.once_with(SETTINGS, &[]).exits(0);
    outcome.shows("app.near_id_seq", json!({ "max_id": 7, "lag": 7 }));
    outcome.repair("app.near_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 8 }));
    outcome.shows("app.far_seq", json!({ "max_id": 61, "lag": 21 }));
    outcome.repair("app.far_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 64 }));
    let (near, far) = ("SELECT pg_catalog.nextval('app.near_id_seq')", "SELECT pg_catalog.nextval('app.far_seq')");
    assert_eq!((database.number(near).await, database.number(far).await), (8, 64));
}

#[tokio::test]
async fn nothing_that_shadows_a_built_in_is_ever_called() {
    let mut database = Database::new().await;
    database.sql(DRIFT).await;
    database.sql(SHADOWS).await;
    database.sql(&format!("ALTER DATABASE {} SET search_path = public, pg_catalog", database.name)).await;
    // The control: an unqualified call uses the shadowing function.
    let mut careless = database.connect().await;
    let error = sqlx::raw_sql("SELECT nextval('app.near_id_seq'::pg_catalog.regclass)").execute(&mut careless).await;
    assert!(error.unwrap_err().to_string().contains("the wrong nextval"));
    is_repaired(&mut database).await;
}

#[tokio::test]
async fn a_roles_own_search_path_changes_nothing() {
    let mut database = Database::new().await;
    let role = database.role("bent");
    database.sql(DRIFT).await;
    database.sql(SHADOWS).await;
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET search_path = public, pg_catalog;
             ALTER ROLE {role} SET standard_conforming_strings = off"
        ))
        .await;
    let outcome = database.once_with_as(&role, SETTINGS, &[]).exits(0);
    outcome.shows("app.near_id_seq", json!({ "verdict": "behind", "max_id": 7 }));
    outcome.repair("app.near_id_seq", json!({ "outcome": "repaired", "next_value": 8 }));
}

#[tokio::test]
async fn no_default_of_a_database_changes_what_is_found_or_done() {
    let settings = [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "standard_conforming_strings = off",
        "backslash_quote = off",
        "escape_string_warning = on",
        "quote_all_identifiers = on",
        "search_path = ''",
        "row_security = on",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 1",
        "DateStyle = 'German'",
        "bytea_output = 'escape'",
        "enable_seqscan = off",
        "enable_indexscan = off",
        "jit = on",
        "jit_above_cost = 0",
        "plan_cache_mode = force_generic_plan",
        "xmlbinary = hex",
        "client_min_messages = debug5",
        "transform_null_equals = on",
        "array_nulls = off",
        "debug_print_parse = on",
        "synchronize_seqscans = off",
        "constraint_exclusion = on",
    ];
    let mut database = Database::new().await;
    database.sql(DRIFT).await;
    for setting in settings {
        database.sql(&format!("ALTER DATABASE {} SET {setting}", database.name)).await;
    }
    is_repaired(&mut database).await;
}

#[tokio::test]
async fn planning_a_read_runs_no_strangers_function_as_a_superuser() {
    let mut database = Database::new().await;
    let role = database.role("stranger");
    database
        .sql(&format!(
            "CREATE ROLE {role}; CREATE SCHEMA m AUTHORIZATION {role}; CREATE TABLE public.told (what text);
             GRANT INSERT ON public.told TO PUBLIC;
             SET ROLE {role};
             CREATE FUNCTION m.tell() RETURNS int LANGUAGE plpgsql VOLATILE AS
                 $$ BEGIN PERFORM set_config('search_path', 'm, pg_catalog', false); RETURN 1; END $$;
             CREATE FUNCTION m.evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
                 $$ BEGIN RETURN m.tell(); END $$;
             CREATE TABLE m.t (id serial PRIMARY KEY);
             INSERT INTO m.t VALUES (7);
             CREATE INDEX ON m.t ((m.evil(0)));
             RESET ROLE"
        ))
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("m.t_id_seq", json!({ "verdict": "unreadable" }));
    assert!(outcome.reason("m.t_id_seq").contains("runs functions that belong to others"));
    // The table's owner may read it, because the functions are the owner's.
    database.sql(&format!("ALTER ROLE {role} LOGIN")).await;
    let outcome = database.once_as(&role, &[]).exits(0);
    outcome.repair("m.t_id_seq", json!({ "outcome": "repaired", "next_value": 8 }));
}

#[tokio::test]
async fn a_superusers_own_functions_in_an_index_are_no_hindrance() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE FUNCTION public.half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
             CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7); CREATE INDEX ON t (public.half(id))",
        )
        .await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 8 }));
}
