//! The parameters that frameworks, drivers, poolers and providers add, and their names for libpq's.

/// Who has them, and which have no effect here. Their names are compared without case.
const FOREIGN: [(&str, &str); 14] = [
    (
        "Settings of the server, which lib/pq, pgx and node-postgres take as parameters: pgmedic sets those that it needs",
        "statement_timeout lock_timeout transaction_timeout idle_in_transaction_session_timeout idle_session_timeout
         timezone datestyle intervalstyle search_path work_mem maintenance_work_mem extra_float_digits bytea_output
         client_min_messages log_statement synchronous_commit standard_conforming_strings
         default_transaction_isolation default_transaction_deferrable plan_cache_mode jit geqo tcp_keepalives_idle
         tcp_keepalives_interval tcp_keepalives_count",
    ),
    (
        "Prisma",
        "schema pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size sslaccept sslidentity
         single_use_connections max_idle_connection_lifetime",
    ),
    (
        "Rails, Sequel",
        "adapter pool max_connections min_connections max_age keepalive timeout checkout_timeout idle_timeout
         reaping_frequency prepared_statements statement_limit encoding min_messages schema_search_path variables
         advisory_locks max_threads insert_returning database_tasks migrations_paths schema_dump seeds query_cache
         use_metadata_table connection_retries retry_deadline replica postgis_extension",
    ),
    (
        "pgx, lib/pq, GORM, go-pg, bun",
        "pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime pool_max_conn_idle_time
         pool_max_conn_lifetime_jitter pool_health_check_period pool_ping_timeout default_query_exec_mode
         statement_cache_capacity description_cache_capacity statement_cache_mode min_read_buffer_size
         binary_parameters disable_prepared_binary_result prefer_simple_protocol min_idle_conns max_conn_age
         read_timeout write_timeout dial_timeout krbspn",
    ),
    (
        "SQLAlchemy, asyncpg, pg8000, Tortoise, encode/databases",
        "prepared_statement_cache_size prepared_statement_name_func command_timeout async_fallback pool_pre_ping
         pool_recycle pool_use_lifo pool_reset_on_return max_overflow echo echo_pool isolation_level executemany_mode
         executemany_batch_page_size use_native_hstore use_insertmanyvalues max_cached_statement_lifetime
         max_cacheable_statement_size max_inactive_connection_lifetime max_queries minsize maxsize min_size
         tcp_keepalive",
    ),
    (
        "Django, django-environ, dj-database-url",
        "conn_max_age conn_health_checks atomic_requests autocommit disable_server_side_cursors server_side_binding
         test_name engine time_zone",
    ),
    (
        "node-postgres, postgres.js, Knex, Sequelize, TypeORM, Drizzle, Bun",
        "uselibpqcompat max min query_timeout connection_timeout idleTimeoutMillis connectionTimeoutMillis
         idleTimeout connectionTimeout maxLifetime maxLifetimeSeconds maxUses max_lifetime max_pipeline backoff
         prepare fetch_types debug keep_alive allowExitOnIdle keepAlive keepAliveInitialDelayMillis
         acquireConnectionTimeout dialect logging synchronize",
    ),
    ("Vercel, Supabase", "workaround supa"),
    (
        "JDBC",
        "currentSchema prepareThreshold preparedStatementCacheQueries preparedStatementCacheSizeMiB preferQueryMode
         loginTimeout socketTimeout connectTimeout sslResponseTimeout gssResponseTimeout tcpKeepAlive tcpNoDelay
         reWriteBatchedInserts stringtype sslfactory sslfactoryarg sslhostnameverifier sslpasswordcallback
         pemKeyAlgorithm autosave binaryTransfer binaryTransferEnable binaryTransferDisable cleanupSavepoints
         defaultRowFetchSize adaptiveFetch adaptiveFetchMinimum adaptiveFetchMaximum assumeMinServerVersion
         protocolVersion readOnly readOnlyMode logUnclosedConnections logServerErrorDetail loggerLevel loggerFile
         escapeSyntaxCallMode hostRecheckSeconds cancelSignalTimeout databaseMetadataCacheFields
         databaseMetadataCacheFieldsMiB disableColumnSanitiser quoteReturningIdentifiers allowEncodingChanges
         unknownLength hideUnprivilegedObjects maxResultBuffer maxSendBufferSize sendBufferSize receiveBufferSize
         xmlFactoryFactory groupStartupParameters localSocketAddress convertBooleanToNumeric jaasLogin
         jaasApplicationName kerberosServerName sspiServiceClass useSpnego gssUseDefaultCreds queryTimeout",
    ),
    (
        "Cloud SQL, AlloyDB, Azure and AWS, as plugins of JDBC",
        "socketFactory socketFactoryArg cloudSqlInstance cloudSqlRefreshStrategy ipTypes enableIamAuth
         alloydbInstanceName alloydbEnableIAMAuth alloydbIpType authenticationPluginClassName azure.clientId
         wrapperPlugins wrapperDialect failoverMode",
    ),
    (
        "R2DBC, Spring, Quarkus, Vert.x",
        "initialSize maxSize minIdle maxIdleTime maxLifeTime maxAcquireTime maxCreateConnectionTime maxValidationTime
         acquireRetry backgroundEvictionInterval validationQuery validationDepth statementTimeout lockWaitTimeout
         autodetectExtensions compatibilityMode fetchSize forceBinary preferAttachedBuffers noticeLogLevel
         errorResponseLogLevel hostRecheckTime cachePreparedStatements pipeliningLimit maximumPoolSize minimumIdle",
    ),
    (
        "Npgsql, ODBC",
        "pooling minPoolSize maxPoolSize minimumPoolSize maximumPoolSize connectionIdleLifetime
         connectionPruningInterval connectionLifetime commandTimeout internalCommandTimeout cancellationTimeout
         trustServerCertificate checkCertificateRevocation includeErrorDetail includeFailedBatchedCommand
         noResetOnClose maxAutoPrepare autoPrepareMinUsages persistSecurityInfo logParameters enlist multiplexing
         writeCoalescingBufferThresholdBytes readBufferSize writeBufferSize socketReceiveBufferSize
         socketSendBufferSize keepAlive tcpKeepAliveTime tcpKeepAliveInterval arrayNullabilityMode
         loadTableComposites serverCompatibilityMode searchPath integratedSecurity kerberosServiceName includeRealm
         clientEncoding driver provider",
    ),
    (
        "sqlx, Ecto, Laravel",
        "statement-cache-capacity pool_size pool_count queue_target queue_interval ip_version
         show_sensitive_data_on_connection_error charset prefix prefix_indexes strict sticky",
    ),
    ("Doctrine, Symfony", "serverVersion default_dbname keepReplica keepSlave instancename persistent version"),
];

/// The names under which drivers have libpq's parameters.
const ALIASES: [(&str, &str); 24] = [
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
    ("channelBinding", "channel_binding"),
    ("requireAuth", "require_auth"),
    ("sslNegotiation", "sslnegotiation"),
    ("sslCert", "sslcert"),
    ("sslKey", "sslkey"),
    ("sslPassword", "sslpassword"),
    ("unix_sock", "unix_socket"),
    ("unixSocketPath", "unix_socket"),
    ("unixSocket", "unix_socket"),
    ("assume_role", "role"),
];

/// Libpq's name of the parameter, where this is another one for it.
pub fn own_name(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name)
}

/// Whether a framework, driver, pooler or provider has this parameter, without effect here. golang-migrate's begin with `x-`.
pub fn is_foreign(name: &str) -> bool {
    name.starts_with("x-")
        || FOREIGN.iter().flat_map(|(_, names)| names.split_whitespace()).any(|known| known.eq_ignore_ascii_case(name))
}
