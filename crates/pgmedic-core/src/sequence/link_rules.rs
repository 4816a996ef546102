//! Which links of a sequence count. Pure.
//!
//! The column whose values come from the sequence is the feed, by its default or its identity. Ownership alone says which
//! column's `DROP` takes the sequence along, so it counts only where nothing draws from the sequence.

use super::allocator::{Allocator, Blocks};
use super::default_expression::DefaultKind;
use super::model::{ComputedColumn, Feed, FeedProblem, FeedSource, Sequence, Suggestion, Uncounted, UncountedFeed};
use super::{FeedReport, Link};
use crate::{ColumnName, Fix, Reason, ReasonKind};

/// What the configuration states of a link, or a likely one.
#[derive(Debug, Clone, PartialEq)]
pub enum Stated {
    /// `[[sequences.feeds]]` declares it.
    Declared {
        allocator: Option<Allocator>,
        /// A pattern does, which may match sequences without such a column.
        is_pattern: bool,
        /// What different patterns state for the same link.
        contradicts: Option<String>,
        /// The table's text without the allocator, which declares this link alone.
        toml: String,
    },
    Suggested(Suggestion),
}

/// What the catalog says of one link.
#[derive(Debug)]
pub struct LinkFacts {
    pub report: FeedReport,
    /// Of the default that names the sequence, if there is one.
    pub default: Option<DefaultKind>,
    /// Where the values of an owner that does not draw from the sequence come from.
    pub elsewhere: DrawnElsewhere,
    /// What PostgreSQL knows to use the sequence, where its owner does not draw from it.
    pub used_by: Option<String>,
    /// The table's owner could move the sequence anyway.
    pub trusted: bool,
    /// The table's owner, quoted.
    pub owner: String,
    pub is_view: bool,
    /// Whether the column exists.
    pub exists: bool,
    /// Which of the stated links it is.
    pub stated: Option<usize>,
    pub source: Result<FeedSource, FeedProblem>,
    /// How its ids are computed from the values of the sequence, where that can be repeated.
    pub computed: Option<ComputedColumn>,
}

/// Where a column's values come from, if not from the sequence that it owns.
#[derive(Debug, PartialEq, Eq)]
pub enum DrawnElsewhere {
    No,
    /// From this sequence: the column is an identity column, or its default names the other one.
    Sequence(String),
    /// From a default that names no sequence. It may draw from this one all the same where it calls a function.
    Default {
        calls_function: bool,
    },
}

impl LinkFacts {
    /// Whether new values of the column come from the sequence.
    fn draws(&self) -> bool {
        self.report.link == Link::Identity
            || matches!(self.default, Some(DefaultKind::NextValue | DefaultKind::Computed))
    }

    fn is_default(&self) -> bool {
        self.report.link == Link::Default
    }
}

/// Adds `links` to their sequence: as feeds, as columns that do not count, or as notes.
pub fn settle(sequence: &mut Sequence, links: Vec<LinkFacts>, stated: &[Stated]) {
    let drawing = links
        .iter()
        .filter(|link| link.draws() && !link.is_view && (!link.is_default() || link.trusted || link.stated.is_some()))
        .count();
    if let Some(note) = two_columns_note(&links, stated) {
        sequence.rare.notes.push(note);
    }
    // Most have one; a vector that grows would take the room of four.
    sequence.feeds.reserve_exact(links.len());
    for link in links {
        match link.stated.and_then(|entry| stated.get(entry)) {
            Some(Stated::Declared { is_pattern: true, .. }) if !link.exists => {}
            Some(Stated::Declared { contradicts: Some(found), toml, .. }) => {
                let reason = contradiction(&link.report.column, found, toml);
                let source = Err(FeedProblem::Unreadable(reason));
                sequence.feeds.push(Feed { report: link.report, source });
            }
            Some(Stated::Declared { allocator, toml, is_pattern, .. }) => {
                declared(sequence, link, *allocator, toml, *is_pattern);
            }
            Some(Stated::Suggested(suggestion)) if link.report.link == Link::Declared => {
                suggested(sequence, link, suggestion);
            }
            Some(Stated::Suggested(_)) | None => catalogued(sequence, link, drawing),
        }
    }
    keep_left_over(sequence);
}

/// What likely draws from a sequence that is left over: it is not to be dropped.
fn keep_left_over(sequence: &mut Sequence) {
    let likely = sequence.rare.uncounted.iter().find(|other| matches!(other.why, Uncounted::Suggested(_)));
    let Some(column) = likely.map(|likely| likely.feed.report.column.clone()) else { return };
    for note in sequence.rare.notes.iter_mut().filter(|note| note.kind == ReasonKind::LeftOver && note.fix.is_some()) {
        note.fix = None;
        note.text = note.text.replace("; where nothing else calls nextval on it, drop it", "");
        note.text += &format!("; it is likely used for {column} now");
    }
}

/// That patterns declare two columns of one table for the sequence: one of them may be meant for other sequences.
fn two_columns_note(links: &[LinkFacts], stated: &[Stated]) -> Option<Reason> {
    let by_pattern = |link: &&LinkFacts| {
        let entry = link.stated.and_then(|entry| stated.get(entry));
        link.exists && matches!(entry, Some(Stated::Declared { is_pattern: true, .. }))
    };
    let caught: Vec<&str> = links.iter().filter(by_pattern).map(|link| &*link.report.column).collect();
    let table = |column: &str| column.parse::<ColumnName>().ok().map(|column| column.table);
    let first = caught.iter().enumerate().find_map(|(index, one)| {
        let other = caught[index + 1..].iter().find(|other| table(one).is_some() && table(one) == table(other))?;
        Some((*one, *other))
    });
    let (one, other) = first?;
    let text = format!(
        "patterns of sequences.feeds catch two columns of one table for it, {one} and {other}, and both count: correct the \
         pattern that is not meant for it"
    );
    Some(Reason::new(ReasonKind::Configuration, text))
}

/// A declared column's ids are the sequence's values, or blocks of them, because the configuration says so.
fn declared(sequence: &mut Sequence, link: LinkFacts, allocator: Option<Allocator>, toml: &str, is_pattern: bool) {
    let increment = sequence.parameters.increment;
    let must_state = !link.draws() && increment.unsigned_abs() != 1;
    let LinkFacts { report, source, computed, .. } = link;
    if let (true, None, Ok(found)) = (must_state, allocator, &source) {
        // An id at or beyond the next value is taken in every scheme but that of a residue class.
        let found = with_allocator(Ok(found.clone()), Allocator::PooledLo, increment);
        let feed = Feed { report: report.clone(), source: found };
        sequence.rare.uncounted.push(UncountedFeed { feed, why: Uncounted::Unstated });
        let source = Err(FeedProblem::Unsupported(unstated_allocator(&report.column, increment, toml, is_pattern)));
        sequence.feeds.push(Feed { report, source });
        return;
    }
    let source = match allocator {
        Some(allocator) => with_allocator(source, allocator, increment),
        None => source,
    };
    add_feed(sequence, Feed { report, source }, computed);
}

/// Adds a link that counts, and how its ids are computed where they do not compare with the values.
fn add_feed(sequence: &mut Sequence, feed: Feed, computed: Option<ComputedColumn>) {
    if let (Err(FeedProblem::Unsupported(_)), Some(computed)) = (&feed.source, computed) {
        sequence.rare.computed.push(computed);
    }
    sequence.feeds.push(feed);
}

/// Sets the allocator of a source, and the range of the values whose blocks fit.
fn with_allocator(
    mut source: Result<FeedSource, FeedProblem>,
    allocator: Allocator,
    increment: i64,
) -> Result<FeedSource, FeedProblem> {
    match &mut source {
        Ok(source) => state_allocator(source, allocator, increment),
        Err(FeedProblem::Refused { source, .. }) => state_allocator(source, allocator, increment),
        Err(FeedProblem::Unsupported(_) | FeedProblem::Unreadable(_)) => {}
    }
    source
}

fn state_allocator(source: &mut FeedSource, allocator: Allocator, increment: i64) {
    source.range = Blocks::new(allocator, increment, 0).values_that_fit(source.range);
    source.rare.stated_allocator = Some(allocator);
}

/// That the ids may be the values of a multi-master's residue class, or blocks.
fn unstated_allocator(column: &str, increment: i64, toml: &str, is_pattern: bool) -> Reason {
    // A column is declared by its names once; beside a pattern it may be.
    let replace = if is_pattern { "" } else { "; this table stands in place of the present one" };
    let text = format!(
        "the application fills {column} itself, from a sequence with INCREMENT {increment}: say which ids it makes from one \
         value by allocator = \"pooled\" (Hibernate), \"pooled_lo\", \"hilo\" (EF Core), or \"residue\" (the value alone){replace}"
    );
    Reason::new(ReasonKind::Allocator, text).with_fix(with_an_allocator(toml))
}

fn contradiction(column: &str, found: &str, toml: &str) -> Reason {
    let text = format!(
        "patterns of sequences.feeds state different allocators for {column} ({found}); declare it by its names too, which \
         comes before them"
    );
    Reason::new(ReasonKind::Configuration, text).with_fix(with_an_allocator(toml))
}

/// The table, with an allocator to choose.
fn with_an_allocator(toml: &str) -> Fix {
    Fix::Configuration(format!("{toml}allocator = \"pooled\"  # or \"pooled_lo\", \"hilo\", \"residue\"\n"))
}

fn suggested(sequence: &mut Sequence, link: LinkFacts, suggestion: &Suggestion) {
    if link.exists && link.source.is_ok() {
        let source = with_allocator(link.source, suggestion.allocator, sequence.parameters.increment);
        let feed = Feed { report: link.report, source };
        sequence.rare.uncounted.push(UncountedFeed { feed, why: Uncounted::Suggested(suggestion.clone()) });
    }
}

/// A link that the catalog records. `drawing` is how many links draw from the sequence and count.
fn catalogued(sequence: &mut Sequence, link: LinkFacts, drawing: usize) {
    let column = &link.report.column;
    if link.is_default() {
        if link.default == Some(DefaultKind::DrawsNothing) {
            return;
        }
        if link.is_view {
            sequence.rare.notes.push(view_note(column));
            return;
        }
        if !link.trusted {
            let LinkFacts { report, source, owner, computed, .. } = link;
            let source = uncomputed(&report.column, link.default, source);
            sequence.rare.computed.extend(computed.filter(|_| source.is_err()));
            let feed = Feed { report, source };
            sequence.rare.uncounted.push(UncountedFeed { feed, why: Uncounted::Untrusted { owner } });
            return;
        }
    }
    if !link.draws() {
        if drawing > 0 {
            return;
        }
        if let DrawnElsewhere::Sequence(other) = &link.elsewhere {
            sequence.rare.notes.push(left_over_note(&sequence.name, column, other, link.used_by.as_deref()));
            return;
        }
        if let DrawnElsewhere::Default { calls_function } = link.elsewhere {
            let problem = Err(FeedProblem::Unsupported(other_default(column)));
            if calls_function && link.source.is_ok() {
                let feed = Feed { report: link.report.clone(), source: link.source };
                sequence.rare.uncounted.push(UncountedFeed { feed, why: Uncounted::Owner });
            }
            sequence.feeds.push(Feed { report: link.report, source: problem });
            return;
        }
    }
    let source = uncomputed(column, link.default, link.source);
    add_feed(sequence, Feed { report: link.report, source }, link.computed);
}

/// The source, unless the default computes the ids. A column's type says more than that.
fn uncomputed(
    column: &str,
    default: Option<DefaultKind>,
    source: Result<FeedSource, FeedProblem>,
) -> Result<FeedSource, FeedProblem> {
    match (default, source) {
        (Some(DefaultKind::Computed), Ok(_) | Err(FeedProblem::Refused { .. })) => {
            let text =
                format!("the default of {column} is computed from nextval, so its ids are not the sequence's values");
            Err(FeedProblem::Unsupported(Reason::new(ReasonKind::UnsupportedColumn, text)))
        }
        (_, source) => source,
    }
}

fn view_note(column: &str) -> Reason {
    let text = format!(
        "the default of view column {column} uses it too; a view stores no ids: declare the column of the table behind it"
    );
    Reason::new(ReasonKind::IgnoredLink, text)
}

fn left_over_note(sequence: &str, column: &str, other: &str, used_by: Option<&str>) -> Reason {
    let text = format!("it is owned by {column}, which draws from {other} instead");
    if let Some(used_by) = used_by {
        return Reason::new(ReasonKind::LeftOver, format!("{text}; {used_by} uses it still"));
    }
    let text = format!("{text}; where nothing else calls nextval on it, drop it");
    Reason::new(ReasonKind::LeftOver, text).with_fix(Fix::Sql(format!("DROP SEQUENCE {sequence}")))
}

fn other_default(column: &str) -> Reason {
    let text = format!(
        "the default of {column} does not name this sequence, so its ids may be made otherwise; declare it under \
         [[sequences.feeds]] if they are the sequence's values"
    );
    Reason::new(ReasonKind::UnsupportedColumn, text)
}
