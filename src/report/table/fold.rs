//! Many sequences with the same reason become one row and one line.

use super::super::escape::escape_control;
use super::super::{SequenceReport, Status};
use pgmedic_core::{Reason, ReasonKind};

/// From this number on, sequences with the same reason are folded.
const FOLD_FROM: usize = 6;
/// Names that the line of a fold begins with.
const NAMED: usize = 3;

/// Sequences that are shown together, each of this status.
pub(super) enum Entry<'a> {
    One(Status, &'a SequenceReport),
    Many(Status, Vec<&'a SequenceReport>),
}

/// Sequences of one status. With kinds of reasons, further sequences of the same kinds join it.
struct Group<'a> {
    status: Status,
    kinds: Option<Vec<ReasonKind>>,
    members: Vec<&'a SequenceReport>,
}

/// Groups the rows, which keep their order: a fold stands where its first sequence stood.
pub(super) fn fold<'a>(rows: &[(Status, &'a SequenceReport)]) -> Vec<Entry<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (status, sequence) in rows {
        let kinds = foldable(sequence);
        let joins = |group: &&mut Group<'_>| kinds.is_some() && group.status == *status && group.kinds == kinds;
        match groups.iter_mut().find(joins) {
            Some(group) => group.members.push(sequence),
            None => groups.push(Group { status: *status, kinds, members: vec![sequence] }),
        }
    }
    let entry = |Group { status, members, .. }: Group<'a>| match members.len() {
        FOLD_FROM.. => vec![Entry::Many(status, members)],
        _ => members.into_iter().map(|member| Entry::One(status, member)).collect(),
    };
    groups.into_iter().flat_map(entry).collect()
}

/// The kinds of its reasons, where what is to be done is the same for each sequence with them. A decision about one
/// sequence, such as an approval, keeps its row.
fn foldable(sequence: &SequenceReport) -> Option<Vec<ReasonKind>> {
    let kinds: Vec<ReasonKind> = sequence.reasons().map(|reason| reason.kind).collect();
    let is_common = |kind: &ReasonKind| {
        matches!(
            kind,
            ReasonKind::MissingPrivilege
                | ReasonKind::RowSecurity
                | ReasonKind::UntrustedCode
                | ReasonKind::Ownership
                | ReasonKind::ReadOnly
                | ReasonKind::Unlinked
                | ReasonKind::Cycle
                | ReasonKind::UnsupportedColumn
                | ReasonKind::IgnoredLink
                | ReasonKind::LockNotAvailable
                | ReasonKind::BeingVacuumed
                | ReasonKind::StatementTimeout
                | ReasonKind::MissingIndex
                | ReasonKind::NoIndex
                | ReasonKind::NoUniqueKey
                | ReasonKind::PartOfKey
                | ReasonKind::RepairDisabled
        )
    };
    let decisive = kinds.iter().any(|kind| *kind != ReasonKind::RepairDisabled);
    (decisive && kinds.iter().all(is_common)).then_some(kinds)
}

/// `44 sequences (public.a_id_seq, public.b_id_seq, public.c_id_seq and 41 more): a privilege is missing: run …`
pub(super) fn line(members: &[&SequenceReport]) -> String {
    let names: Vec<_> = members.iter().take(NAMED).map(|member| escape_control(&member.name)).collect();
    let (number, more) = (members.len(), members.len() - names.len());
    format!("{number} sequences ({} and {more} more): {}", names.join(", "), escape_control(&together(members)))
}

/// The first reason of all, and what removes it for all.
fn together(members: &[&SequenceReport]) -> String {
    let firsts: Vec<&Reason> = members.iter().filter_map(|member| member.reasons().next()).collect();
    let Some(&first) = firsts.first() else { return String::new() };
    if firsts.iter().all(|reason| *reason == first) {
        return first.to_string();
    }
    let text = match firsts.iter().all(|reason| reason.text == first.text) {
        true => first.text.clone(),
        false => format!("for each its own reason, such as: {}", first.text),
    };
    match first.kind {
        ReasonKind::MissingPrivilege | ReasonKind::Ownership => {
            format!("{text}: run pgmedic grants, and the SQL that it prints for all of them")
        }
        _ => format!("{text}; --verbose lists them"),
    }
}
