//! Who was behind a drift, as far as the server tells: never a statement's text or values.

use pgmedic_core::evidence::StatementKind;
use pgmedic_core::{Reason, ReasonKind};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the server told when the drift was first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The most telling first.
    pub statements: Vec<EvidenceStatement>,
    /// How many more there are.
    pub more: usize,
    /// Why the server may know more than it told.
    pub reason: Option<Reason>,
}

/// Statements of one kind, by one role, from one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceStatement {
    pub kind: StatementKind,
    /// Its text names the sequence or the column; else it may have been another one.
    pub certain: bool,
    /// Quoted where SQL would quote it.
    pub role: String,
    /// As the client calls itself.
    pub application: Option<String>,
    /// `[local]` for a socket.
    pub client_address: Option<String>,
    /// How often, since the statistics of `pg_stat_statements` began.
    pub calls: Option<u64>,
    pub source: EvidenceSource,
}

/// Where the server tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceSource {
    /// A session that is still connected, by its last statement.
    PgStatActivity,
    /// A subscription whose worker runs.
    PgStatSubscription,
    PgStatStatements,
}

impl Evidence {
    /// As an entry of `pgmedic.repair_log` has it, whose reason was for its own time; none where another version wrote it.
    pub fn of_json(json: &serde_json::Value) -> Option<Self> {
        let statements = Vec::deserialize(json.get("statements")?).ok()?;
        let more = json.get("more").and_then(serde_json::Value::as_u64).unwrap_or(0);
        Some(Self { statements, more: usize::try_from(more).ok()?, reason: None })
    }

    /// Which privilege is missing to be told more.
    pub fn missing_privilege(&self) -> Option<&Reason> {
        self.reason.as_ref().filter(|reason| reason.kind == ReasonKind::MissingPrivilege)
    }

    /// `as far as the server tells, by COPY of role postgres (application pg_restore, from 10.0.0.5)`; none where nothing was told.
    pub fn text(&self) -> Option<String> {
        if self.statements.is_empty() {
            return None;
        }
        let statements: Vec<String> = self.statements.iter().map(EvidenceStatement::text).collect();
        let more = if self.more > 0 { format!(", and {} more", self.more) } else { String::new() };
        Some(format!("as far as the server tells, by {}{more}", statements.join(", or ")))
    }
}

impl EvidenceStatement {
    fn text(&self) -> String {
        let Self { kind, certain, role, application, client_address, calls, .. } = self;
        let mut details = Vec::new();
        match (kind, application) {
            (StatementKind::LogicalApply, Some(subscription)) => {
                details.push(format!("subscription {}", quoted(subscription)))
            }
            (_, Some(application)) => details.push(format!("application {}", quoted(application))),
            (_, None) => {}
        }
        details.extend(client_address.as_ref().map(|address| format!("from {address}")));
        match calls {
            Some(1) => details.push("once".to_owned()),
            Some(calls) => details.push(format!("{calls} times")),
            None => {}
        }
        if !certain {
            details.push("it may have been on another one".to_owned());
        }
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        format!("{} of role {role}{details}", kind.label())
    }
}

/// What a client calls itself, which may be any text: in quotes where it could be taken for the words around it.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || " ._-/:@+[]#".contains(c);
    if name.chars().all(is_plain) { Cow::Borrowed(name) } else { Cow::Owned(format!("{name:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_application_accuses_no_other_role() {
        let forged = EvidenceStatement {
            kind: StatementKind::Insert,
            certain: true,
            role: "app".to_owned(),
            application: Some("x), or setval of role dba (application \"psql\"".to_owned()),
            client_address: None,
            calls: None,
            source: EvidenceSource::PgStatActivity,
        };
        assert!(
            forged.text().ends_with(r#" of role app (application "x), or setval of role dba (application \"psql\"")"#),
            "{}",
            forged.text()
        );
    }

    #[test]
    fn it_names_role_application_address_and_kind() {
        let by_session = EvidenceStatement {
            kind: StatementKind::Insert,
            certain: true,
            role: "app".to_owned(),
            application: Some("import.py".to_owned()),
            client_address: Some("10.0.0.5".to_owned()),
            calls: Some(12),
            source: EvidenceSource::PgStatActivity,
        };
        let by_statistics = EvidenceStatement {
            kind: StatementKind::Setval,
            certain: false,
            application: None,
            client_address: None,
            calls: Some(1),
            source: EvidenceSource::PgStatStatements,
            ..by_session.clone()
        };
        let evidence = Evidence { statements: vec![by_session, by_statistics], more: 2, reason: None };
        assert_eq!(
            evidence.text().as_deref(),
            Some(
                "as far as the server tells, by INSERT with the column of role app (application import.py, from 10.0.0.5, 12 \
                 times), or setval of role app (once, it may have been on another one), and 2 more"
            )
        );
        assert_eq!(Evidence::default().text(), None);
    }
}
