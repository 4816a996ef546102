//! Why a sweep is held or failed, as reasons with their fixes. The texts hold nothing of a session.

use super::guards::Hold;
use std::time::Duration;

use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts};

/// Why the statement failed, and what to do. The text of a trigger is left out, because it may hold a session's id.
pub fn explain_sweep_error(error: &QueryError, timeouts: Timeouts) -> Reason {
    match error {
        QueryError::PermissionDenied(message) => {
            Reason::new(ReasonKind::MissingPrivilege, message).with_fix(Fix::Command("pgmedic grants".to_owned()))
        }
        QueryError::QueryCanceled => {
            let text = format!(
                "it took longer than statement_timeout ({}); an index that begins with the column helps most, else raise \
                 sequences.statement_timeout",
                humantime::format_duration(timeouts.statement)
            );
            Reason::new(ReasonKind::StatementTimeout, text)
        }
        QueryError::LockNotAvailable => {
            let text = format!(
                "another session held a lock on the table for longer than lock_timeout ({}), or the two waited for each other",
                humantime::format_duration(timeouts.lock)
            );
            Reason::new(ReasonKind::LockNotAvailable, text)
        }
        QueryError::Server { code, message } if code == "23503" => {
            let text = format!("{message}: rows that refer to a session must be deleted with it");
            Reason::new(ReasonKind::ForeignKey, text)
        }
        // A row would be left that breaks another constraint, by ON DELETE SET NULL for example.
        QueryError::Server { code, message } if code.starts_with("23") => {
            Reason::new(ReasonKind::ForeignKey, format!("ending the session changes rows that refer to it: {message}"))
        }
        // The server's messages about syntax, names, types and resources, which hold no values.
        QueryError::Server { code, .. }
            if ["42", "53", "54", "55", "25", "40"].iter().any(|class| code.starts_with(class)) =>
        {
            error.into()
        }
        // Too long, out of range, malformed. The message may repeat a value of a row.
        QueryError::Server { code, .. } if ["22001", "22003", "22P02"].contains(&code.as_str()) => {
            let text = format!(
                "a value does not fit its column (SQLSTATE {code}); `revoke.value` must be one that the column takes, and so must \
                 those of `only`"
            );
            Reason::new(ReasonKind::Configuration, text)
        }
        QueryError::Server { code, .. } => {
            Reason::new(ReasonKind::ServerError, format!("it failed with SQLSTATE {code}"))
        }
        error => error.into(),
    }
}

/// Whether the statement may succeed when it is tried again: a lock was not available, or a concurrent change undid it.
pub fn is_transient(error: &QueryError) -> bool {
    match error {
        QueryError::LockNotAvailable => true,
        QueryError::Server { code, .. } => code == "40001",
        _ => false,
    }
}

/// Why a part of a sweep is held. `max_ended_ratio` is the configured one.
pub fn hold_reason(hold: Hold, max_ended_ratio: f64) -> Reason {
    let (kind, text) = match hold {
        Hold::NoneLeft { stale } => (
            ReasonKind::NoneLeft,
            format!("all {stale} sessions would go, and none be left: correct the configuration if that is wrong"),
        ),
        Hold::FirstSweep { ended, doubtful, all } => {
            let recent = if doubtful < ended {
                format!("; {doubtful} of them have been over for less than a day")
            } else {
                String::new()
            };
            (
                ReasonKind::FirstSweep,
                format!(
                    "the first sweep would end {ended} of {all} sessions{recent}, more than max_ended_ratio \
                     ({max_ended_ratio}) allows, as with a wrong time zone, unit or column"
                ),
            )
        }
        Hold::OverFromBirth { over, new } => (
            ReasonKind::OverFromBirth,
            format!(
                "{over} of the {new} sessions that are new since the last look were over then, more than max_ended_ratio \
                 ({max_ended_ratio}) allows, as with a wrong time zone, unit or column"
            ),
        ),
        Hold::TooManyEnded { ended, live } => (
            ReasonKind::TooManyEnded,
            format!(
                "{ended} of the {live} sessions that were live at the last look would go at once, more than \
                 max_ended_ratio ({max_ended_ratio}): find out why, a clock perhaps"
            ),
        ),
        Hold::TooManyOfOneUser { sessions } => (
            ReasonKind::TooManyOfOneUser,
            format!(
                "max_per_user would end {sessions} sessions of one user alone: correct `user` if its value stands for \
                 many, such as 0 for all who are not logged in"
            ),
        ),
        Hold::TooManySuperseded { superseded, live } => (
            ReasonKind::TooManySuperseded,
            format!(
                "max_per_user would end {superseded} of {live} live sessions, more than max_ended_ratio \
                 ({max_ended_ratio}): correct `user` if it does not say whose a session is"
            ),
        ),
    };
    Reason::new(kind, text)
}

/// That a sweep ended so many sessions and then had no time left. `left` are the sessions that are over and remain; none
/// where they were not counted.
pub fn unfinished_reason(left: Option<u64>, ended: u64, took: Duration) -> Reason {
    let (left_text, more) = match left {
        Some(left) => {
            let pace = u128::from(ended).saturating_mul(1000) / took.as_millis().max(1);
            let seconds = u128::from(left).checked_div(pace).map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX));
            let more = seconds.map_or(String::new(), |seconds| {
                format!(", about {} more at this pace", humantime::format_duration(Duration::from_secs(seconds.max(1))))
            });
            (format!("{left} sessions that are over are left"), more)
        }
        None => ("sessions that are over are left".to_owned(), String::new()),
    };
    Reason::new(ReasonKind::Unfinished, format!("{left_text} after sweep_timeout{more}: the next sweep continues"))
}

/// That a sweep came to its end and so many sessions that are over are left, though each could be ended.
pub fn locked_reason(left: u64) -> Reason {
    let text = format!(
        "{left} of the sessions that are over were locked by other transactions and are left: the next sweep continues"
    );
    Reason::new(ReasonKind::Unfinished, text)
}

/// That live sessions beyond their users' newest `max` are left because others have locked them.
pub fn locked_superseded_reason(left: u64, max: u32) -> Reason {
    let text = format!(
        "{left} of the live sessions beyond their users' newest {max} (max_per_user) were locked by other transactions and are \
         left: the next sweep continues"
    );
    Reason::new(ReasonKind::Unfinished, text)
}

/// That a column is implausible, as the reason of a hold.
pub fn implausible_hold(implausible: &Reason) -> Reason {
    Reason::new(implausible.kind, format!("{}: correct the configuration if that is wrong", implausible.text))
}

/// That all of the `stale` sessions have other values in this column than the live ones.
pub fn kinds_hold(column: &str, stale: u64) -> Reason {
    let text = format!(
        "the {stale} sessions that would end and the live ones have no value of {column} in common, so they seem to be of \
         another kind, which may have another end or none: say by `only` which rows the store is about"
    );
    Reason::new(ReasonKind::SeveralKinds, text)
}

/// The reasons for which the sweep of `store` is held as one. Its kind is the first one's. `blocks` are those that no
/// approval removes, and the fix is the first one's; else it is the command that approves the sweep. None where there are
/// none.
pub fn held_reason(blocks: &[Reason], holds: &[Reason], store: &str) -> Option<Reason> {
    let all = || blocks.iter().chain(holds);
    let kind = all().next()?.kind;
    let texts: Vec<&str> = all().map(|hold| hold.text.as_str()).collect();
    if let Some(block) = blocks.first() {
        return Some(Reason { kind, text: texts.join("; and "), fix: block.fix.clone() });
    }
    let text = format!("{}; else approve the sweep", texts.join("; and "));
    Some(Reason::new(kind, text).with_fix(Fix::approve(store)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_holds_are_one_reason_with_one_approval() {
        let holds = [Hold::NoneLeft { stale: 101 }, Hold::TooManyOfOneUser { sessions: 102 }];
        let holds = holds.map(|hold| hold_reason(hold, 0.5));
        let held = held_reason(&[], &holds, "my logins").expect("a reason");
        assert_eq!(held.kind, ReasonKind::NoneLeft);
        assert!(held.text.contains("all 101 sessions") && held.text.contains("; and max_per_user would end 102"));
        assert_eq!(held.fix, Some(Fix::Approval("pgmedic --once --approve 'my logins'".to_owned())));
        assert_eq!(held_reason(&[], &[], "my logins"), None);
    }

    /// What a row holds may be in the server's message.
    #[test]
    fn a_message_that_may_repeat_a_value_is_left_out() {
        let timeouts = Timeouts { lock: std::time::Duration::ZERO, statement: std::time::Duration::ZERO };
        for (code, kind) in [("22P02", ReasonKind::Configuration), ("P0001", ReasonKind::ServerError)] {
            let error = QueryError::Server { code: code.to_owned(), message: "hunter2".to_owned() };
            let reason = explain_sweep_error(&error, timeouts);
            assert!(reason.kind == kind && !reason.text.contains("hunter2") && reason.text.contains(code), "{reason}");
        }
    }
}
