//! A store as the configuration would write it, to be shown.

use std::time::Duration;

use super::super::name::Spelled;
use super::super::raw::{RawRevoke, RawScalar, RawStore};
use super::{Action, Encoding, Kind, Scalar, SessionStore};

impl SessionStore {
    /// In full, without its preset.
    pub(in crate::config) fn raw(&self) -> RawStore {
        let spelled = |name: &str| Spelled(name).to_string();
        let text = |duration: Duration| humantime::format_duration(duration).to_string();
        let meaning = |kind: Kind| self.meanings.iter().find(move |meaning| meaning.kind == kind);
        let column = |kind: Kind| meaning(kind).map(|meaning| spelled(&meaning.column));
        let timeout = |kind: Kind| meaning(kind).map(|meaning| text(meaning.timeout));
        // Named by a preset, or for keep_newest, and no end by itself.
        let newest_by = self.meanings.iter().all(|meaning| meaning.column != self.newest_by);
        RawStore {
            name: Some(self.name.clone()),
            database: self.database.clone(),
            preset: None,
            table: Some(self.table.to_string()),
            expires_at: column(Kind::ExpiresAt),
            last_activity: column(Kind::LastActivity),
            idle_timeout: timeout(Kind::LastActivity),
            created_at: column(Kind::CreatedAt)
                .or_else(|| (newest_by && self.keep_newest.is_some()).then(|| spelled(&self.newest_by))),
            absolute_timeout: timeout(Kind::CreatedAt),
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
            keep_newest: self.keep_newest.map(i64::from),
            schedule: Some(self.schedule.clone()),
            batch: Some(self.batch.into()),
            grace: Some(text(self.grace)),
            max_fraction: Some(self.max_fraction),
            guard_floor: Some(self.guard_floor.into()),
            sweep_timeout: Some(text(self.sweep_timeout)),
        }
    }
}
