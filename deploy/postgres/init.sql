-- The incident: session ids up to 695, while the sequence is at 658. psql runs this when the server is created.

-- The application's role, which owns the tables.
CREATE ROLE app NOLOGIN;
GRANT CREATE ON SCHEMA public TO app;
SET ROLE app;

CREATE TABLE user_sessions (
    session_id serial PRIMARY KEY,
    user_id integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO user_sessions (session_id, user_id) SELECT id, id % 50 FROM generate_series(1, 695) AS id;
SELECT setval('user_sessions_session_id_seq', 658, false);

-- Does what a restore does: inserts rows with explicit ids.
CREATE PROCEDURE restore_some_sessions() LANGUAGE sql AS $$
    INSERT INTO user_sessions (session_id, user_id)
    SELECT top.id + step, 7 FROM (SELECT max(session_id) AS id FROM user_sessions) AS top, generate_series(1, 38) AS step;
$$;

RESET ROLE;

-- The agent's role, with the privileges that it needs here. `pgmedic grants` prints them for your own database.
\set password `cat "${PGMEDIC_PASSWORD_FILE:-/secrets/pgmedic.password}"`
CREATE ROLE pgmedic LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE :"DBNAME" TO pgmedic;
GRANT USAGE ON SCHEMA public TO pgmedic;
GRANT SELECT ON user_sessions TO pgmedic;
GRANT SELECT, USAGE ON SEQUENCE user_sessions_session_id_seq TO pgmedic;
