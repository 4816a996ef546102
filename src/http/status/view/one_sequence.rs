//! The page of one sequence, and that of one that is not known.

use super::cards;
use super::document::{Parts, document};
use super::parts::{ago, breakable, label, name, number, prose};
use super::{activity, sequences};
use crate::http::status::model::Snapshot;
use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::model::headline::Headline;
use crate::http::status::model::one_sequence::OneSequence;
use crate::http::status::model::row::days_left;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::sequence_query::SequenceQuery;
use crate::http::status::words::{days, percent};
use crate::report::escape_control;
use maud::{Markup, html};
use pgmedic_core::sequence::Link;

pub fn render(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>], revision: u64, page: &OneSequence<'_>) -> Markup {
    let now = snapshot.now;
    let row = &page.row;
    let database = SearchQuery { database: row.database.to_owned(), page: 1, ..SearchQuery::default() };
    let second = html! {
        a href="./" { "All databases" } " / "
        a href={ "./" (database.link("sequences")) } { (label(row.database)) } " / "
        (name(&row.sequence.name))
    };
    let main = html! {
        @if let Some(card) = &page.card {
            section #attention aria-labelledby="h-attention" {
                h2 #h-attention .sr { "Needs attention" }
                ul #cards .issues { (cards::one(card, now)) }
            }
        }
        section aria-labelledby="h-now" {
            div .head {
                h2 #h-now { "Now" }
                @if let Some(at) = page.checked { p #checked data-live { "checked " (ago(at, now)) } }
            }
            (figures(page, now))
        }
        section #history aria-labelledby="h-history" {
            div .head { h2 #h-history { "Recent events" } p { "as far as this agent remembers" } }
            div .panel data-live #events {
                @for group in &page.events { (activity::hour(group, true, now)) }
                @if page.events.is_empty() { p .hour.quiet { "None." } }
            }
        }
        section aria-labelledby="h-all" {
            h2 #h-all { "Everything that is logged of it" }
            p { "Run in a " b { "shell" } " on the agent’s host" }
            (cards::command(&page.history_command))
        }
        section aria-labelledby="h-check" {
            h2 #h-check { "Check it now" }
            p {
                "Run in " b { "psql" } " on database " b { (label(page.own_name)) }
                @if let Some(server) = page.server { ", server " b { (label(server)) } }
                ", after a fix or an import"
            }
            (cards::command(&page.check_statement))
        }
    };
    let whole = Headline::of(facts, snapshot.config_accepted, now);
    let tab = format!("{} {} · pgmedic", page.level.tab_symbol(), escape_control(&row.sequence.name));
    let (level, sentence) = (page.level, page.sentence.clone());
    document(snapshot, revision, &whole, Parts { level, tab, sentence, second, main, home: "./" })
}

fn figures(page: &OneSequence<'_>, now: f64) -> Markup {
    let (row, sequence) = (&page.row, page.row.sequence);
    let value = |value: Option<i64>| html! { @match value { Some(value) => { (number(value)) } None => { (sequences::missing(sequence)) } } };
    html! {
        dl #now .panel.now data-live {
            div { dt { "Status" } dd { (row.state.word()) } }
            div { dt { "Next value" } dd { (value(sequence.next_value_after_pass())) } }
            div { dt { "Max id" } dd { (value(sequence.max_id)) } }
            div { dt { "Lag" } dd { @match row.lag() { Some(lag) => { (number(lag)) } None => { (sequences::missing(sequence)) } } } }
            div { dt { "Limit" } dd { (value(sequence.limit)) } }
            div { dt { "Used" } dd { @match sequence.used_ratio { Some(ratio) => { (percent(ratio)) } None => { (sequences::missing(sequence)) } } } }
            div { dt { "Time left" } dd { @match days_left(sequence) { Some(0.0) => { "none" } Some(left) => { (days(left)) } None => { "–" } } } }
            div { dt { "Limited by" } dd { @match &sequence.limited_by { Some(what) => { (label(what)) } None => { "–" } } } }
            div { dt { "Last repair" } dd { (sequences::last_repair(row.last_repair, now)) } }
            @if let Some(rule) = &sequence.rule { div { dt { "Rule" } dd { (label(rule)) } } }
            div .wide { dt { "Feeds" } dd {
                @for (index, feed) in sequence.feeds.iter().enumerate() {
                    @if index > 0 { ", " }
                    bdi { (breakable(&escape_control(&feed.column))) }
                    " (" (link_word(feed.link)) @if feed.followed.is_some() { ", followed" } ")"
                }
                @if sequence.feeds.is_empty() { "no column that is known" }
            } }
            @for note in &sequence.notes { div .wide { dt { "Note" } dd { (prose(&note.text)) } } }
        }
    }
}

fn link_word(link: Link) -> &'static str {
    match link {
        Link::Serial => "serial",
        Link::Identity => "identity",
        Link::Default => "default",
        Link::Declared => "declared",
    }
}

/// Says that the sequence is not known, and where to look for it.
pub fn render_unknown(
    snapshot: &Snapshot,
    facts: &[DatabaseFacts<'_>],
    revision: u64,
    query: &SequenceQuery,
) -> Markup {
    let whole = Headline::of(facts, snapshot.config_accepted, snapshot.now);
    let search = SearchQuery { text: query.name.clone(), page: 1, ..SearchQuery::default() };
    let parts = Parts {
        level: PageLevel::Standby,
        tab: "Unknown sequence · pgmedic".to_owned(),
        sentence: "No such sequence is known at the moment".to_owned(),
        second: html! { (name(&query.name)) " in " (label(&query.database)) },
        main: html! {
            p .panel.calm {
                "It may have been dropped or renamed, or its database may not be checked at the moment. "
                a href={ "./" (search.link("sequences")) } { "Search for it" } "."
            }
        },
        home: "./",
    };
    document(snapshot, revision, &whole, parts)
}
