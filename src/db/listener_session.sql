/* pgmedic:listen */
SET tcp_keepalives_idle = 20;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 5;
SET tcp_user_timeout = 45000;
SET client_min_messages = error;
SET statement_timeout = 5000;
SET lock_timeout = 1000;
SET idle_in_transaction_session_timeout = 10000;
SELECT pg_catalog.set_config(s.name, v.value, false)
FROM pg_catalog.pg_settings s
JOIN (VALUES ('idle_session_timeout', '45000'), ('transaction_timeout', '0')) v (name, value)
    ON s.name OPERATOR(pg_catalog.=) v.name
