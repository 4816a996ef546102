//! The parameters that frameworks, drivers, poolers and providers add, and their names for libpq's.

/// Who has them, and which have no effect here. Their names are compared without case.
const FOREIGN: [(&str, &str); 10] = [
    (
        "Prisma",
        "schema pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size sslaccept single_use_connections
         max_idle_connection_lifetime",
    ),
    (
        "Rails, Sequel",
        "adapter pool timeout checkout_timeout idle_timeout reaping_frequency prepared_statements statement_limit encoding
         min_messages schema_search_path variables advisory_locks max_threads insert_returning database_tasks",
    ),
    (
        "pgx, lib/pq",
        "pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime pool_max_conn_idle_time
         pool_max_conn_lifetime_jitter pool_health_check_period default_query_exec_mode statement_cache_capacity
         description_cache_capacity statement_cache_mode binary_parameters",
    ),
    (
        "SQLAlchemy, asyncpg",
        "prepared_statement_cache_size command_timeout async_fallback",
    ),
    (
        "Django, django-environ, dj-database-url",
        "conn_max_age conn_health_checks atomic_requests autocommit disable_server_side_cursors test_name",
    ),
    (
        "node-postgres, postgres.js, Drizzle",
        "uselibpqcompat max min idleTimeoutMillis connectionTimeoutMillis max_lifetime allowExitOnIdle keepAlive",
    ),
    ("Vercel, Supabase", "workaround supa"),
    (
        "JDBC",
        "currentSchema prepareThreshold preparedStatementCacheQueries loginTimeout socketTimeout connectTimeout tcpKeepAlive
         reWriteBatchedInserts stringtype sslfactory autosave binaryTransfer cleanupSavepoints defaultRowFetchSize
         assumeMinServerVersion readOnly logUnclosedConnections tcpNoDelay escapeSyntaxCallMode hostRecheckSeconds
         cancelSignalTimeout",
    ),
    ("sqlx, Ecto, Laravel", "statement-cache-capacity pool_size charset search_path"),
    ("Doctrine", "serverVersion"),
];

/// The names under which drivers have libpq's parameters.
const ALIASES: [(&str, &str); 14] = [
    ("ApplicationName", "application_name"),
    ("applicationName", "application_name"),
    ("gssEncMode", "gssencmode"),
    ("database", "dbname"),
    ("username", "user"),
    ("ssl-mode", "sslmode"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("ssl-cert", "sslcert"),
    ("ssl-key", "sslkey"),
    ("sslRootCert", "sslrootcert"),
    ("sslMode", "sslmode"),
    ("targetServerType", "target_session_attrs"),
    ("loadBalanceHosts", "load_balance_hosts"),
];

/// Libpq's name of the parameter, where this is another one for it.
pub fn own_name(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name)
}

/// Whether a framework, driver, pooler or provider has this parameter, without effect here.
pub fn is_foreign(name: &str) -> bool {
    FOREIGN.iter().flat_map(|(_, names)| names.split_whitespace()).any(|known| known.eq_ignore_ascii_case(name))
}
