//! The presets, on the tables that their software's documents define.

use crate::support::{Database, pgmedic};
use serde_json::{Value, json};

/// Preset, table definition as published, the keys that it leaves open, and one row: `$at` is its time as the store
/// writes it.
struct Case {
    preset: &'static str,
    definition: &'static str,
    rest: &'static str,
    insert: &'static str,
}

const CASES: &[Case] = &[
    Case {
        preset: "connect-pg-simple",
        definition: "CREATE TABLE \"session\" (\"sid\" varchar NOT NULL COLLATE \"default\", \"sess\" json NOT NULL,
                                               \"expire\" timestamp(6) NOT NULL) WITH (OIDS=FALSE);
                     ALTER TABLE \"session\" ADD CONSTRAINT \"session_pkey\" PRIMARY KEY (\"sid\") NOT DEFERRABLE INITIALLY IMMEDIATE;
                     CREATE INDEX \"IDX_session_expire\" ON \"session\" (\"expire\")",
        rest: "time_zone = \"America/New_York\"",
        insert: "INSERT INTO session VALUES (gen_random_uuid(), '{}', $at AT TIME ZONE 'America/New_York')",
    },
    Case {
        preset: "auth.js",
        definition: "CREATE TABLE users (id SERIAL, name VARCHAR(255), PRIMARY KEY (id));
                     CREATE TABLE sessions (id SERIAL, \"userId\" INTEGER NOT NULL, expires TIMESTAMPTZ NOT NULL,
                                            \"sessionToken\" VARCHAR(255) NOT NULL, PRIMARY KEY (id))",
        rest: "",
        insert: "INSERT INTO sessions (\"userId\", expires, \"sessionToken\") VALUES (1, $at, gen_random_uuid())",
    },
    Case {
        preset: "better-auth",
        definition: "CREATE TABLE \"user\" (\"id\" text NOT NULL PRIMARY KEY);
                     CREATE TABLE \"session\" (\"id\" text NOT NULL PRIMARY KEY, \"expiresAt\" timestamptz NOT NULL,
                         \"token\" text NOT NULL UNIQUE, \"createdAt\" timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
                         \"updatedAt\" timestamptz NOT NULL, \"ipAddress\" text, \"userAgent\" text,
                         \"userId\" text NOT NULL REFERENCES \"user\" (\"id\") ON DELETE CASCADE);
                     INSERT INTO \"user\" VALUES ('u')",
        rest: "",
        insert: "INSERT INTO session VALUES (gen_random_uuid(), $at, gen_random_uuid(), now(), now(), NULL, NULL, 'u')",
    },
    Case {
        preset: "django",
        definition: "CREATE TABLE \"django_session\" (\"session_key\" varchar(40) NOT NULL PRIMARY KEY,
                         \"session_data\" text NOT NULL, \"expire_date\" timestamp with time zone NOT NULL);
                     CREATE INDEX \"django_session_expire_date_a5c62663\" ON \"django_session\" (\"expire_date\")",
        rest: "",
        insert: "INSERT INTO django_session VALUES (gen_random_uuid(), '', $at)",
    },
    Case {
        preset: "flask-session",
        definition: "CREATE TABLE sessions (id SERIAL NOT NULL, session_id VARCHAR(255), data BYTEA,
                         expiry TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (id), UNIQUE (session_id))",
        rest: "",
        insert: "INSERT INTO sessions (session_id, expiry) VALUES (gen_random_uuid(), $at AT TIME ZONE 'UTC')",
    },
    Case {
        preset: "tower-sessions",
        definition: "CREATE SCHEMA \"tower_sessions\";
                     CREATE TABLE \"tower_sessions\".\"session\" (id text primary key not null, data bytea not null,
                                                                  expiry_date timestamptz not null)",
        rest: "",
        insert: "INSERT INTO tower_sessions.session VALUES (gen_random_uuid(), '', $at)",
    },
    Case {
        preset: "rails",
        definition: "CREATE TABLE users (id bigserial PRIMARY KEY); INSERT INTO users VALUES (1);
                     CREATE TABLE \"sessions\" (\"id\" bigserial primary key, \"user_id\" bigint NOT NULL REFERENCES users,
                         \"ip_address\" character varying, \"user_agent\" character varying,
                         \"created_at\" timestamp(6) NOT NULL, \"updated_at\" timestamp(6) NOT NULL);
                     CREATE INDEX \"index_sessions_on_user_id\" ON \"sessions\" (\"user_id\")",
        rest: "absolute_timeout = \"14days\"",
        insert: "INSERT INTO sessions (user_id, created_at, updated_at)
                 VALUES (1, ($at - interval '14 days') AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')",
    },
    Case {
        preset: "activerecord-session_store",
        definition: "CREATE TABLE \"sessions\" (\"id\" bigserial primary key, \"session_id\" character varying NOT NULL,
                         \"data\" text, \"created_at\" timestamp(6) NOT NULL, \"updated_at\" timestamp(6) NOT NULL);
                     CREATE UNIQUE INDEX \"index_sessions_on_session_id\" ON \"sessions\" (\"session_id\");
                     CREATE INDEX \"index_sessions_on_updated_at\" ON \"sessions\" (\"updated_at\")",
        rest: "absolute_timeout = \"30days\"",
        insert: "INSERT INTO sessions (session_id, created_at, updated_at)
                 VALUES (gen_random_uuid(), ($at - interval '30 days') AT TIME ZONE 'UTC', now())",
    },
    Case {
        preset: "laravel",
        definition: "create table \"sessions\" (\"id\" varchar(255) not null, \"user_id\" bigint null,
                         \"ip_address\" varchar(45) null, \"user_agent\" text null, \"payload\" text not null,
                         \"last_activity\" integer not null);
                     alter table \"sessions\" add primary key (\"id\");
                     create index \"sessions_user_id_index\" on \"sessions\" (\"user_id\");
                     create index \"sessions_last_activity_index\" on \"sessions\" (\"last_activity\")",
        rest: "idle_timeout = \"2h\"",
        insert: "INSERT INTO sessions (id, payload, last_activity)
                 VALUES (gen_random_uuid(), '', extract(epoch FROM $at - interval '2 hours'))",
    },
    Case {
        preset: "lucia",
        definition: "CREATE TABLE auth_user (id TEXT NOT NULL PRIMARY KEY); INSERT INTO auth_user VALUES ('u');
                     CREATE TABLE user_session (id TEXT NOT NULL PRIMARY KEY, expires_at TIMESTAMPTZ NOT NULL,
                                                user_id TEXT NOT NULL REFERENCES auth_user(id))",
        rest: "",
        insert: "INSERT INTO user_session VALUES (gen_random_uuid(), $at, 'u')",
    },
    Case {
        preset: "supabase",
        definition: "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY);
                     INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000001');
                     CREATE TABLE auth.sessions (id uuid NOT NULL PRIMARY KEY,
                         user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE, created_at timestamptz NULL,
                         updated_at timestamptz NULL, factor_id uuid NULL, not_after timestamptz NULL,
                         refreshed_at timestamp NULL, user_agent text NULL, ip inet NULL, tag text NULL);
                     CREATE TABLE auth.refresh_tokens (id bigserial PRIMARY KEY, token varchar(255),
                         session_id uuid NULL REFERENCES auth.sessions (id) ON DELETE CASCADE);
                     CREATE INDEX sessions_not_after_idx ON auth.sessions (not_after DESC);
                     CREATE INDEX refresh_tokens_session_id_revoked_idx ON auth.refresh_tokens (session_id)",
        rest: "",
        insert: "WITH s AS (INSERT INTO auth.sessions (id, user_id, created_at, not_after)
                            VALUES (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', now(), $at) RETURNING id)
                 INSERT INTO auth.refresh_tokens (session_id) SELECT id FROM s",
    },
    Case {
        preset: "spring-session",
        definition: "CREATE TABLE SPRING_SESSION (PRIMARY_ID CHAR(36) NOT NULL, SESSION_ID CHAR(36) NOT NULL,
                         CREATION_TIME BIGINT NOT NULL, LAST_ACCESS_TIME BIGINT NOT NULL, MAX_INACTIVE_INTERVAL INT NOT NULL,
                         EXPIRY_TIME BIGINT NOT NULL, PRINCIPAL_NAME VARCHAR(100),
                         CONSTRAINT SPRING_SESSION_PK PRIMARY KEY (PRIMARY_ID));
                     CREATE UNIQUE INDEX SPRING_SESSION_IX1 ON SPRING_SESSION (SESSION_ID);
                     CREATE INDEX SPRING_SESSION_IX2 ON SPRING_SESSION (EXPIRY_TIME);
                     CREATE INDEX SPRING_SESSION_IX3 ON SPRING_SESSION (PRINCIPAL_NAME);
                     CREATE TABLE SPRING_SESSION_ATTRIBUTES (SESSION_PRIMARY_ID CHAR(36) NOT NULL,
                         ATTRIBUTE_NAME VARCHAR(200) NOT NULL, ATTRIBUTE_BYTES BYTEA NOT NULL,
                         CONSTRAINT SPRING_SESSION_ATTRIBUTES_PK PRIMARY KEY (SESSION_PRIMARY_ID, ATTRIBUTE_NAME),
                         CONSTRAINT SPRING_SESSION_ATTRIBUTES_FK FOREIGN KEY (SESSION_PRIMARY_ID)
                             REFERENCES SPRING_SESSION(PRIMARY_ID) ON DELETE CASCADE);
                     INSERT INTO spring_session VALUES ('n', 'n', 0, 0, -1, 9223372036854775807, NULL)",
        rest: "",
        insert: "WITH s AS (INSERT INTO spring_session VALUES (gen_random_uuid(), gen_random_uuid(), 0, 0, 1800,
                                extract(epoch FROM $at)::bigint * 1000, NULL) RETURNING primary_id)
                 INSERT INTO spring_session_attributes SELECT primary_id, 'a', '' FROM s",
    },
    Case {
        preset: "symfony",
        definition: "CREATE TABLE sessions (sess_id VARCHAR(128) NOT NULL PRIMARY KEY, sess_data BYTEA NOT NULL,
                                            sess_lifetime INTEGER NOT NULL, sess_time INTEGER NOT NULL);
                     CREATE INDEX sess_lifetime_idx ON sessions (sess_lifetime)",
        rest: "",
        insert: "INSERT INTO sessions VALUES (gen_random_uuid(), '', extract(epoch FROM $at), extract(epoch FROM now()))",
    },
    Case {
        preset: "scs",
        definition: "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL);
                     CREATE INDEX sessions_expiry_idx ON sessions (expiry)",
        rest: "",
        insert: "INSERT INTO sessions VALUES (gen_random_uuid(), '', $at)",
    },
    Case {
        preset: "auth.js-prisma",
        definition: "CREATE TABLE \"Session\" (\"id\" TEXT NOT NULL, \"sessionToken\" TEXT NOT NULL, \"userId\" TEXT NOT NULL,
                         \"expires\" TIMESTAMP(3) NOT NULL, CONSTRAINT \"Session_pkey\" PRIMARY KEY (\"id\"));
                     CREATE UNIQUE INDEX \"Session_sessionToken_key\" ON \"Session\"(\"sessionToken\")",
        rest: "",
        insert: "INSERT INTO \"Session\" VALUES (gen_random_uuid(), gen_random_uuid(), 'u', $at AT TIME ZONE 'UTC')",
    },
    Case {
        preset: "auth.js-drizzle",
        definition: "CREATE TABLE \"session\" (\"sessionToken\" text PRIMARY KEY NOT NULL, \"userId\" text NOT NULL,
                                               \"expires\" timestamp NOT NULL)",
        rest: "",
        insert: "INSERT INTO session VALUES (gen_random_uuid(), 'u', $at AT TIME ZONE 'UTC')",
    },
    Case {
        preset: "connect-session-knex",
        definition: "CREATE TABLE \"sessions\" (\"sid\" varchar(255), \"sess\" json NOT NULL, \"expired\" timestamptz NOT NULL,
                         CONSTRAINT \"sessions_pkey\" PRIMARY KEY (\"sid\"));
                     CREATE INDEX \"sessions_expired_index\" ON \"sessions\" (\"expired\")",
        rest: "",
        insert: "INSERT INTO sessions VALUES (gen_random_uuid(), '{}', $at)",
    },
    Case {
        preset: "connect-session-sequelize",
        definition: "CREATE TABLE \"Sessions\" (\"sid\" VARCHAR(36), \"expires\" TIMESTAMP WITH TIME ZONE, \"data\" TEXT,
                         \"createdAt\" TIMESTAMP WITH TIME ZONE NOT NULL, \"updatedAt\" TIMESTAMP WITH TIME ZONE NOT NULL,
                         PRIMARY KEY (\"sid\"))",
        rest: "",
        insert: "INSERT INTO \"Sessions\" VALUES (gen_random_uuid(), $at, '{}', now(), now())",
    },
    Case {
        preset: "grafana",
        definition: "CREATE TABLE user_auth_token (id SERIAL PRIMARY KEY, user_id BIGINT NOT NULL, auth_token VARCHAR(100) NOT NULL,
                         prev_auth_token VARCHAR(100) NOT NULL, user_agent VARCHAR(255) NOT NULL, client_ip VARCHAR(255) NOT NULL,
                         auth_token_seen BOOL NOT NULL, seen_at INTEGER NULL, rotated_at INTEGER NOT NULL,
                         created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, revoked_at INTEGER NULL)",
        rest: "idle_timeout = \"7days\"\nabsolute_timeout = \"30days\"",
        insert: "INSERT INTO user_auth_token (user_id, auth_token, prev_auth_token, user_agent, client_ip, auth_token_seen, seen_at,
                                              rotated_at, created_at, updated_at)
                 VALUES (1, gen_random_uuid(), '', '', '', true, 0, extract(epoch FROM $at - interval '7 days'),
                         extract(epoch FROM now() - interval '20 days'), extract(epoch FROM now()))",
    },
    Case {
        preset: "gitea",
        definition: "CREATE TABLE \"session\" (\"key\" CHAR(16) PRIMARY KEY, \"data\" BYTEA, \"expiry\" BIGINT)",
        rest: "idle_timeout = \"1day\"",
        insert: "INSERT INTO session VALUES (left(gen_random_uuid()::text, 16), '', extract(epoch FROM $at - interval '1 day'))",
    },
    Case {
        preset: "mattermost",
        definition: "CREATE TABLE sessions (id VARCHAR(26) PRIMARY KEY, token VARCHAR(26), createat bigint, expiresat bigint,
                         lastactivityat bigint, userid VARCHAR(26), deviceid VARCHAR(512), roles VARCHAR(256), isoauth boolean,
                         props jsonb, expirednotify boolean);
                     INSERT INTO sessions (id, createat, expiresat) VALUES ('personal', 1700000000000, 0)",
        rest: "",
        insert: "INSERT INTO sessions (id, createat, expiresat)
                 VALUES (left(gen_random_uuid()::text, 26), 1700000000000, extract(epoch FROM $at)::bigint * 1000)",
    },
    Case {
        preset: "ory-kratos",
        definition: "CREATE TABLE identities (id UUID PRIMARY KEY); INSERT INTO identities VALUES (gen_random_uuid());
                     CREATE TABLE sessions (id UUID NOT NULL PRIMARY KEY, issued_at TIMESTAMP NOT NULL DEFAULT (now()),
                         expires_at TIMESTAMP NOT NULL, authenticated_at TIMESTAMP NOT NULL,
                         identity_id UUID NOT NULL REFERENCES identities (id) ON DELETE CASCADE, created_at TIMESTAMP NOT NULL,
                         updated_at TIMESTAMP NOT NULL, token VARCHAR(39), active BOOLEAN DEFAULT false);
                     CREATE TABLE session_devices (id UUID PRIMARY KEY,
                         session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE);
                     CREATE INDEX ON session_devices (session_id)",
        rest: "",
        insert: "WITH s AS (INSERT INTO sessions (id, expires_at, authenticated_at, identity_id, created_at, updated_at)
                            SELECT gen_random_uuid(), $at AT TIME ZONE 'UTC', now(), id, now(), now() FROM identities RETURNING id)
                 INSERT INTO session_devices SELECT gen_random_uuid(), id FROM s",
    },
    Case {
        preset: "doorkeeper",
        definition: "CREATE TABLE oauth_access_tokens (id bigserial PRIMARY KEY, resource_owner_id bigint,
                         application_id bigint NOT NULL, token character varying NOT NULL, refresh_token character varying,
                         expires_in integer, scopes character varying, created_at timestamp(6) NOT NULL, revoked_at timestamp(6),
                         previous_refresh_token character varying DEFAULT '' NOT NULL);
                     INSERT INTO oauth_access_tokens (application_id, token, refresh_token, expires_in, created_at)
                     VALUES (1, 'a', 'r', 7200, '2020-01-01'), (1, 'b', NULL, NULL, '2020-01-01')",
        rest: "",
        insert: "INSERT INTO oauth_access_tokens (application_id, token, expires_in, created_at)
                 VALUES (1, gen_random_uuid(), 7200, ($at - interval '2 hours') AT TIME ZONE 'UTC')",
    },
    Case {
        preset: "keycloak-offline",
        definition: "CREATE TABLE offline_user_session (user_session_id varchar(36) NOT NULL, user_id varchar(255) NOT NULL,
                         realm_id varchar(36) NOT NULL, created_on integer NOT NULL, offline_flag varchar(4) NOT NULL, data text,
                         last_session_refresh integer DEFAULT 0 NOT NULL, broker_session_id varchar(1024),
                         version integer DEFAULT 0, PRIMARY KEY (user_session_id, offline_flag));
                     INSERT INTO offline_user_session VALUES ('online', 'u', 'r', 0, '0', NULL, 1700000000)",
        rest: "idle_timeout = \"31days\"",
        insert: "INSERT INTO offline_user_session VALUES (gen_random_uuid(), 'u', 'r', 0, '1', NULL,
                                                         extract(epoch FROM $at - interval '31 days'))",
    },
    Case {
        preset: "django-oauth-toolkit",
        definition: "CREATE TABLE oauth2_provider_accesstoken (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                         token text NOT NULL, expires timestamp with time zone NOT NULL, scope text NOT NULL,
                         application_id bigint, user_id integer, created timestamp with time zone NOT NULL,
                         updated timestamp with time zone NOT NULL);
                     CREATE TABLE oauth2_provider_refreshtoken (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                         access_token_id bigint UNIQUE REFERENCES oauth2_provider_accesstoken DEFERRABLE INITIALLY DEFERRED)",
        rest: "",
        insert: "INSERT INTO oauth2_provider_accesstoken (token, expires, scope, created, updated)
                 VALUES (gen_random_uuid(), $at, 'read', now(), now())",
    },
];

/// What `pgmedic presets --format json` lists.
fn listed() -> Vec<Value> {
    let outcome = pgmedic(&[], &["presets", "--format", "json"]).exits(0);
    outcome.json().as_array().expect("a list").clone()
}

#[tokio::test]
async fn every_preset_ends_exactly_what_is_over_on_the_published_table() {
    for case in CASES {
        let mut database = Database::new().await;
        database.sql(case.definition).await;
        let before = database.number(&format!("SELECT count(*) FROM {}", table(case.preset))).await;
        for minutes in [-600, -61, -2, 2, 61, 600] {
            // The time zone of the database session makes no difference.
            for zone in ["UTC", "Asia/Tokyo"] {
                let at = format!("(now() + interval '{minutes} minutes')");
                database.sql(&format!("SET TIME ZONE '{zone}'; {}", case.insert.replace("$at", &at))).await;
            }
        }
        let settings = format!("[[sessions]]\npreset = \"{}\"\n{}\n", case.preset, case.rest);
        let outcome = database.once_with(&settings, &[]).exits(0);
        let left = before + 6;
        // Two presets are about some of the rows only.
        let live = match case.preset {
            "doorkeeper" | "keycloak-offline" => left - 1,
            _ => left,
        };
        outcome.swept(case.preset, json!({ "expired": 6, "stale": 0, "live": live, "held": null }));
        assert_eq!(
            database.number(&format!("SELECT count(*) FROM {}", table(case.preset))).await,
            left,
            "{}",
            case.preset
        );
    }
}

fn table(preset: &str) -> String {
    let listed = listed();
    let found = listed.iter().find(|listed| listed["name"] == preset);
    found.unwrap_or_else(|| panic!("{preset} is not listed"))["table"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_list_has_every_preset_with_its_table_columns_and_meaning() {
    let listed = listed();
    let mut names: Vec<&str> = listed.iter().map(|preset| preset["name"].as_str().unwrap()).collect();
    let mut tested: Vec<&str> = CASES.iter().map(|case| case.preset).collect();
    names.sort_unstable();
    tested.sort_unstable();
    assert_eq!(names, tested);
    for preset in &listed {
        for field in ["client", "table", "meaning", "encoding"] {
            assert!(preset[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {preset}");
        }
    }
    let text = pgmedic(&[], &["presets"]).exits(0).stdout;
    for words in ["connect-pg-simple", "table = \"public.session\"", "SHOW TimeZone", "user = '\"userId\"'"] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}
