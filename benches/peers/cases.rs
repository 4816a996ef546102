//! The ways of drifting that every tool meets, and three more of which users should know. A case differs from the plain
//! serial column in one thing only.

/// A sequence, the columns that it feeds, and how it comes to where a tool finds it.
pub struct Case {
    pub name: &'static str,
    /// As SQL writes it.
    pub sequence: &'static str,
    pub feeds: &'static [Feed],
    /// What an earlier owner of the database left: goes into the template.
    pub setup: &'static str,
    /// What a session does that stays connected, before the drift.
    pub held: &'static str,
    /// What a restore or an import did, or whoever deleted rows.
    pub drift: &'static str,
    /// The last value that a source in order would have given out.
    pub last: i64,
    pub aim: Aim,
}

/// What a good tool leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Every insert succeeds.
    Repaired,
    /// It says that it cannot help: no id is left.
    Said,
}

/// Names as they are, without SQL's quotes.
pub struct Feed {
    pub table: &'static str,
    pub column: &'static str,
}

const fn id_of(table: &'static str) -> Feed {
    Feed { table, column: "id" }
}

/// The ten ways of drifting come first.
pub const DRIFTS: usize = 10;

pub const CASES: [Case; 13] = [
    Case {
        name: "serial",
        sequence: "public.user_sessions_id_seq",
        feeds: &[id_of("user_sessions")],
        setup: "CREATE TABLE user_sessions (id serial PRIMARY KEY)",
        held: "",
        drift: "INSERT INTO user_sessions SELECT generate_series(1, 695);
                SELECT setval('user_sessions_id_seq', 658, false)",
        last: 695,
        aim: Aim::Repaired,
    },
    Case {
        name: "identity",
        sequence: "public.customers_id_seq",
        feeds: &[id_of("customers")],
        setup: "CREATE TABLE customers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        held: "",
        drift: "INSERT INTO customers OVERRIDING SYSTEM VALUE SELECT generate_series(1, 40)",
        last: 40,
        aim: Aim::Repaired,
    },
    Case {
        name: "default, sequence not owned",
        sequence: "public.ticket_no",
        feeds: &[id_of("tickets")],
        setup: "CREATE SEQUENCE ticket_no;
                CREATE TABLE tickets (id bigint PRIMARY KEY DEFAULT nextval('ticket_no'))",
        held: "",
        drift: "INSERT INTO tickets SELECT generate_series(1, 75)",
        last: 75,
        aim: Aim::Repaired,
    },
    Case {
        name: "descending",
        sequence: "public.drafts_id_seq",
        feeds: &[id_of("drafts")],
        setup: "CREATE TABLE drafts (id serial PRIMARY KEY);
                ALTER SEQUENCE drafts_id_seq INCREMENT -1 MINVALUE -2147483648 MAXVALUE -1 START -1 RESTART",
        held: "",
        drift: "INSERT INTO drafts SELECT generate_series(-60, -1);
                SELECT setval('drafts_id_seq', -20)",
        last: -60,
        aim: Aim::Repaired,
    },
    // One residue a node: the ids that end in 7 came from another one.
    Case {
        name: "increment 10, one offset a node",
        sequence: "public.events_id_seq",
        feeds: &[id_of("events")],
        setup: "CREATE TABLE events (id serial PRIMARY KEY);
                ALTER SEQUENCE events_id_seq INCREMENT 10 START 3 RESTART",
        held: "",
        drift: "INSERT INTO events SELECT generate_series(3, 1003, 10) UNION ALL SELECT generate_series(7, 2007, 10)",
        last: 1003,
        aim: Aim::Repaired,
    },
    // The furthest id is neither in the owner's table nor in the last one.
    Case {
        name: "three tables on one sequence",
        sequence: "public.cats_id_seq",
        feeds: &[id_of("cats"), id_of("dogs"), id_of("hens")],
        setup: "CREATE TABLE cats (id serial PRIMARY KEY);
                CREATE TABLE dogs (id integer PRIMARY KEY DEFAULT nextval('cats_id_seq'));
                CREATE TABLE hens (id integer PRIMARY KEY DEFAULT nextval('cats_id_seq'))",
        held: "",
        drift: "INSERT INTO cats SELECT generate_series(1, 100);
                INSERT INTO dogs SELECT generate_series(201, 300);
                INSERT INTO hens SELECT generate_series(101, 200)",
        last: 300,
        aim: Aim::Repaired,
    },
    Case {
        name: "CACHE 50, a session holds values",
        sequence: "public.uploads_id_seq",
        feeds: &[id_of("uploads")],
        setup: "CREATE TABLE uploads (id serial PRIMARY KEY);
                ALTER SEQUENCE uploads_id_seq CACHE 50",
        held: "INSERT INTO uploads DEFAULT VALUES",
        drift: "INSERT INTO uploads SELECT generate_series(2, 500)",
        last: 500,
        aim: Aim::Repaired,
    },
    Case {
        name: "bigint sequence, integer column, 47 ids left",
        sequence: "public.readings_id_seq",
        feeds: &[id_of("readings")],
        setup: "CREATE SEQUENCE readings_id_seq;
                CREATE TABLE readings (id integer PRIMARY KEY DEFAULT nextval('readings_id_seq'));
                ALTER SEQUENCE readings_id_seq OWNED BY readings.id",
        held: "",
        drift: "INSERT INTO readings SELECT generate_series(2147483501, 2147483600);
                SELECT setval('readings_id_seq', 2147483590)",
        last: 2_147_483_600,
        aim: Aim::Repaired,
    },
    Case {
        name: "not called yet, at 1, and id 1 is there",
        sequence: "public.settings_id_seq",
        feeds: &[id_of("settings")],
        setup: "CREATE TABLE settings (id serial PRIMARY KEY)",
        held: "",
        drift: "INSERT INTO settings VALUES (1)",
        last: 1,
        aim: Aim::Repaired,
    },
    Case {
        name: "name with spaces, quotes, upper case",
        sequence: r#"public."User ""Guest"" Log_Log Id_seq""#,
        feeds: &[Feed { table: r#"User "Guest" Log"#, column: "Log Id" }],
        setup: r#"CREATE TABLE "User ""Guest"" Log" ("Log Id" serial PRIMARY KEY)"#,
        held: "",
        drift: r#"INSERT INTO "User ""Guest"" Log" SELECT generate_series(1, 50)"#,
        last: 50,
        aim: Aim::Repaired,
    },
    Case {
        name: "the same without quotes",
        sequence: r#"public."User Guest Log_Log Id_seq""#,
        feeds: &[Feed { table: "User Guest Log", column: "Log Id" }],
        setup: r#"CREATE TABLE "User Guest Log" ("Log Id" serial PRIMARY KEY)"#,
        held: "",
        drift: r#"INSERT INTO "User Guest Log" SELECT generate_series(1, 50)"#,
        last: 50,
        aim: Aim::Repaired,
    },
    // No drift: whoever was given one of the ids 61 to 100 may still hold it.
    Case {
        name: "in order, newest rows deleted",
        sequence: "public.tokens_id_seq",
        feeds: &[id_of("tokens")],
        setup: "CREATE TABLE tokens (id serial PRIMARY KEY)",
        held: "INSERT INTO tokens SELECT nextval('tokens_id_seq') FROM generate_series(1, 100)",
        drift: "DELETE FROM tokens WHERE id > 60",
        last: 100,
        aim: Aim::Repaired,
    },
    Case {
        name: "no id left in an integer column",
        sequence: "public.visits_id_seq",
        feeds: &[id_of("visits")],
        setup: "CREATE TABLE visits (id serial PRIMARY KEY)",
        held: "",
        drift: "INSERT INTO visits SELECT generate_series(2147483600, 2147483647);
                SELECT setval('visits_id_seq', 2147483620)",
        last: 2_147_483_647,
        aim: Aim::Said,
    },
];
