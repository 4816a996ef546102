//! A store as the configuration would write it, to be shown.

use std::time::Duration;

use super::super::raw::{RawRevoke, RawScalar, RawStore};
use super::{Action, Encoding, ExpiryKind, Scalar, SessionStoreConfig};
use pgmedic_core::name::QuotedIdent;

impl SessionStoreConfig {
    /// In full, without its preset.
    pub(in crate::config) fn raw(&self) -> RawStore {
        let spelled = |name: &str| QuotedIdent(name).to_string();
        let text = |duration: Duration| humantime::format_duration(duration).to_string();
        let meaning = |kind: ExpiryKind| self.meanings.iter().find(move |meaning| meaning.kind == kind);
        let column = |kind: ExpiryKind| meaning(kind).map(|meaning| spelled(&meaning.column));
        let timeout = |kind: ExpiryKind| meaning(kind).map(|meaning| text(meaning.timeout));
        // Named by a preset, or for max_per_user, and no end by itself.
        let newest_by = self.meanings.iter().all(|meaning| meaning.column != self.newest_by);
        RawStore {
            name: Some(self.name.clone()),
            database: self.database.clone(),
            preset: None,
            table: Some(self.table.to_string()),
            expires_at: column(ExpiryKind::ExpiresAt),
            last_activity: column(ExpiryKind::LastActivity),
            idle_timeout: timeout(ExpiryKind::LastActivity),
            created_at: column(ExpiryKind::CreatedAt)
                .or_else(|| (newest_by && self.max_per_user.is_some()).then(|| spelled(&self.newest_by))),
            absolute_timeout: timeout(ExpiryKind::CreatedAt),
            encoding: Some(self.encoding.word().to_owned()),
            time_zone: match &self.encoding {
                Encoding::Timestamp { time_zone } => Some(time_zone.clone()),
                _ => None,
            },
            action: matches!(self.action, Action::Delete).then(|| "delete".to_owned()),
            revoke: match &self.action {
                Action::Delete => None,
                Action::Revoke { column, value } => Some(RawRevoke {
                    column: Some(spelled(column)),
                    value: value.clone().map(|value| match value {
                        Scalar::Switch(switch) => RawScalar::Switch(switch),
                        Scalar::Whole(number) => RawScalar::Whole(number),
                        Scalar::Text(text) => RawScalar::Text(text),
                    }),
                }),
            },
            user: self.user.as_deref().map(spelled),
            max_per_user: self.max_per_user.map(i64::from),
            schedule: Some(self.schedule.clone()),
            batch_size: Some(self.batch_size.into()),
            grace_period: Some(text(self.grace_period)),
            max_ended_ratio: Some(self.max_ended_ratio),
            guard_min_sessions: Some(self.guard_min_sessions.into()),
            sweep_timeout: Some(text(self.sweep_timeout)),
        }
    }
}
