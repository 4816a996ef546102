//! The server's version and state, and the connected role.

use super::transaction::can_restrict_views;
use pgmedic_core::{Reason, ReasonKind, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The first major version whose `statement_timeout` applies to each statement of a message separately.
const OLDEST_SERVER: u32 = 130_000;

/// What is asked once, when a connection is opened.
#[derive(Debug, Clone, Default)]
pub struct ServerInfo {
    /// Such as `15.18`.
    pub version: String,
    /// The connected role, quoted for SQL.
    pub role: String,
    /// The role is a superuser, and so all code that it runs has every right.
    pub superuser: bool,
    /// The server has a setting that forbids reading views and foreign tables.
    pub(super) can_restrict_views: bool,
    /// pgaudit writes the whole message into the log for each of its statements.
    pub is_audited: bool,
    /// No changes are made here but the primary's.
    pub is_replica: bool,
    /// Why nothing can be written here: the server is a replica, or read only by setting.
    pub read_only: Option<&'static str>,
}

impl ServerInfo {
    /// From the first row of the answer to [`server_info_sql`].
    ///
    /// # Errors
    ///
    /// When the answer cannot be read, or the server is too old.
    pub(super) fn read(answer: Option<&PgRow>) -> Result<Self, Reason> {
        let (server, number) = answer
            .and_then(read_row)
            .ok_or_else(|| Reason::new(ReasonKind::WrongServer, "it does not answer as a PostgreSQL server does"))?;
        if number < OLDEST_SERVER {
            let found = server.version;
            let text = format!("PostgreSQL {found} is too old; pgmedic needs 13 or newer");
            return Err(Reason::new(ReasonKind::WrongServer, text));
        }
        Ok(Self { can_restrict_views: can_restrict_views(number), ..server })
    }
}

/// The query whose row [`ServerInfo::read`] reads.
pub(super) fn server_info_sql() -> String {
    fill_sql::<&str>(include_str!("server_info.sql"), &[])
}

fn read_row(row: &PgRow) -> Option<(ServerInfo, u32)> {
    let text = |column: &str| row.try_get::<String, _>(column).ok();
    let is_replica = text("in_recovery")? == "true";
    let read_only = match (is_replica, text("read_only")?.as_str()) {
        (true, _) => Some("the server is a replica"),
        (_, "on") => Some("default_transaction_read_only is on"),
        _ => None,
    };
    // Distributions append the version of their package after a space.
    let version = text("version")?.split_whitespace().next()?.to_owned();
    let superuser = text("superuser")? == "on";
    let is_audited = text("audit")? != "none";
    let role = text("role")?;
    let server = ServerInfo { version, role, superuser, can_restrict_views: false, is_audited, is_replica, read_only };
    Some((server, text("version_number")?.parse().ok()?))
}
