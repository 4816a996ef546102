//! The cases: ten kinds of drift, three more that a tool should handle, and three in which it should change nothing. Each
//! differs from a plain serial column in one thing only.

/// A sequence, the columns that it feeds, and the statements that lead to the state in which a tool finds it.
pub struct Case {
    pub name: &'static str,
    /// Quoted for SQL.
    pub sequence: &'static str,
    pub feeds: &'static [Feed],
    /// Creates the tables, in the template database.
    pub setup: &'static str,
    /// Statements of a session that stays connected, before the drift.
    pub held: &'static str,
    /// Statements of a restore, an import, or a deletion of rows.
    pub drift: &'static str,
    /// The last value that a source in order would have handed out.
    pub last: i64,
    pub aim: Aim,
}

/// The expected result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Every insert succeeds.
    Repaired,
    /// The tool reports that no id is left.
    Reported,
    /// No insert fails soon, and the sequence stays as it is.
    LeftAlone,
}

/// A fed column. The names are not quoted.
pub struct Feed {
    pub table: &'static str,
    pub column: &'static str,
    /// The id that an application inserts, where the column has no default.
    pub inserted: Option<&'static str>,
}

const fn id_of(table: &'static str) -> Feed {
    column_of(table, "id")
}

const fn column_of(table: &'static str, column: &'static str) -> Feed {
    Feed { table, column, inserted: None }
}

/// The number of cases with drift. They come first in [`CASES`].
pub const DRIFTS: usize = 10;

/// The number of cases in which a sequence should stay as it is. They come last.
pub const LEFT_ALONE: usize = 3;

/// Names of the rows that do not stand for one case.
pub const DRIFTS_REPAIRED: &str = "**drifts repaired**";
pub const RIGHTLY_LEFT_ALONE: &str = "**left alone where that is right**";
pub const DUPLICATES: &str = "duplicates that a run causes beside healthy inserts";
pub const TIME_BEHIND: &str = "time for 1 000 tables, all behind, times pgmedic's";

/// The rows of the README's table, in this order. `docs/comparison.md` has a row for every case.
pub const README_ROWS: [&str; 5] =
    [DRIFTS_REPAIRED, "in order, newest rows deleted", RIGHTLY_LEFT_ALONE, DUPLICATES, TIME_BEHIND];

pub const CASES: [Case; 16] = [
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
    // Each node has one residue class. The ids that end in 7 came from another node.
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
    // The max id is neither in the table that owns the sequence nor in the last one.
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
        feeds: &[column_of(r#"User "Guest" Log"#, "Log Id")],
        setup: r#"CREATE TABLE "User ""Guest"" Log" ("Log Id" serial PRIMARY KEY)"#,
        held: "",
        drift: r#"INSERT INTO "User ""Guest"" Log" SELECT generate_series(1, 50)"#,
        last: 50,
        aim: Aim::Repaired,
    },
    Case {
        name: "the same without quotes",
        sequence: r#"public."User Guest Log_Log Id_seq""#,
        feeds: &[column_of("User Guest Log", "Log Id")],
        setup: r#"CREATE TABLE "User Guest Log" ("Log Id" serial PRIMARY KEY)"#,
        held: "",
        drift: r#"INSERT INTO "User Guest Log" SELECT generate_series(1, 50)"#,
        last: 50,
        aim: Aim::Repaired,
    },
    // No drift. The ids 61 to 100 were handed out, and a client may still hold one.
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
        aim: Aim::Reported,
    },
    // The next thousand million inserts succeed. Past the far id, half of the key is gone.
    Case {
        name: "one id far ahead",
        sequence: "public.orders_id_seq",
        feeds: &[id_of("orders")],
        setup: "CREATE TABLE orders (id serial PRIMARY KEY)",
        held: "INSERT INTO orders SELECT nextval('orders_id_seq') FROM generate_series(1, 100)",
        drift: "INSERT INTO orders VALUES (1000000000)",
        last: 100,
        aim: Aim::LeftAlone,
    },
    // The numbers of a year begin at 1.
    Case {
        name: "numbering restarted on purpose",
        sequence: "public.invoices_number_seq",
        feeds: &[column_of("invoices", "number")],
        setup: "CREATE TABLE invoices (year integer NOT NULL DEFAULT 2026, number serial, UNIQUE (year, number))",
        held: "INSERT INTO invoices (year) SELECT 2025 FROM generate_series(1, 5000);
               ALTER SEQUENCE invoices_number_seq RESTART;
               INSERT INTO invoices (year) SELECT 2026 FROM generate_series(1, 20)",
        drift: "",
        last: 20,
        aim: Aim::LeftAlone,
    },
    // As Hibernate's pooled optimizer uses it: value v stands for the ids v - 49 to v.
    Case {
        name: "block allocator",
        sequence: "public.shipments_seq",
        feeds: &[Feed { table: "shipments", column: "id", inserted: Some("nextval('shipments_seq') - 49") }],
        setup: "CREATE SEQUENCE shipments_seq INCREMENT 50;
                CREATE TABLE shipments (id bigint PRIMARY KEY)",
        held: "SELECT nextval('shipments_seq') FROM generate_series(1, 4);
               INSERT INTO shipments SELECT generate_series(1, 151)",
        drift: "",
        last: 151,
        aim: Aim::LeftAlone,
    },
];
