//! What a server says of itself at the start.

use super::transaction::can_restrict_views;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The first major version whose `statement_timeout` counts for each statement of a message by itself.
const OLDEST_SERVER: u32 = 130_000;

/// What the server said of itself at the start.
#[derive(Debug, Clone, Default)]
pub struct ServerInfo {
    /// Such as `15.18`.
    pub version: String,
    /// The role that the statements run as, quoted for SQL.
    pub role: String,
    /// It may do anything, and so may whatever code it runs.
    pub superuser: bool,
    /// It can be told to read no view and no foreign table.
    pub(super) can_restrict_views: bool,
    /// Why nothing may be written here: a replica, or read only by setting.
    pub read_only: Option<&'static str>,
}

impl ServerInfo {
    /// From the answer to [`HELLO`].
    ///
    /// # Errors
    ///
    /// When it is no answer of a server's that is new enough.
    pub(super) fn read(answer: Option<&PgRow>) -> Result<Self, String> {
        let (server, number) =
            answer.and_then(read_hello).ok_or_else(|| "it does not answer as a PostgreSQL server does".to_owned())?;
        if number < OLDEST_SERVER {
            let found = server.version;
            return Err(format!("PostgreSQL {found} is too old; pgmedic needs 13 or newer"));
        }
        Ok(Self { can_restrict_views: can_restrict_views(number), ..server })
    }
}

/// Asks for it.
pub(super) const SERVER_INFO_SQL: &str = "SELECT current_setting('server_version'), current_setting('server_version_num'), \
     quote_ident(current_user), pg_is_in_recovery()::text, current_setting('default_transaction_read_only'), \
     current_setting('is_superuser')";

fn read_hello(row: &PgRow) -> Option<(ServerInfo, u32)> {
    let text = |index: usize| row.try_get::<String, _>(index).ok();
    let read_only = match (text(3)?.as_str(), text(4)?.as_str()) {
        ("true", _) => Some("the server is a replica"),
        (_, "on") => Some("default_transaction_read_only is on"),
        _ => None,
    };
    // Distributions append their own package version after a space.
    let version = text(0)?.split_whitespace().next()?.to_owned();
    let server =
        ServerInfo { version, role: text(2)?, superuser: text(5)? == "on", can_restrict_views: false, read_only };
    Some((server, text(1)?.parse().ok()?))
}
