//! What needs attention: a card for each finding.

use super::icons::icon;
use super::parts::{badge, label, name, prose, stable_id, styled_badge};
use crate::http::status::model::PageLinks;
use crate::http::status::model::card::{Card, FixStep, Tool};
use crate::http::status::model::cards::Cards;
use crate::http::status::model::headline::Headline;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::time::{exact, roughly, since};
use crate::http::status::words::count;
use crate::report::escape_control;
use maud::{Markup, html};

pub fn render(cards: &Cards, headline: &Headline, query: &SearchQuery, now: f64) -> Markup {
    html! {
        section #attention aria-labelledby="h-attention" {
            @if cards.shown.is_empty() {
                h2 #h-attention .sr { "Needs attention" }
                div #cards .panel.calm data-live {
                    (styled_badge("healthy", "healthy", "Nothing needs attention", true))
                    @if let Some((at, lasted)) = cards.last_failure {
                        span .quiet { "Inserts last failed until " time datetime=(exact(at)) { (since(at, now)) } ", for " (roughly(lasted)) "." }
                    }
                }
            } @else {
                div #attention-head .head data-live {
                    h2 #h-attention { "Needs attention" }
                    p { (summary(headline)) }
                }
                ul #cards .issues { @for card in &cards.shown { (one(card, now)) } }
                @if cards.more > 0 {
                    p .more { a #more href=(SearchQuery { all_cards: true, ..query.clone() }.link("attention")) {
                        (cards.more) " more: show all"
                    } }
                }
            }
        }
    }
}

/// `3 failing, 1 unknown, 1 soon, 1 decision; worst first`.
fn summary(headline: &Headline) -> String {
    let parts = headline.counts.iter().map(|(level, number)| match level {
        PageLevel::Decision => count(*number, "decision"),
        level => format!("{number} {}", level.word().to_lowercase()),
    });
    let parts: Vec<String> = parts.collect();
    if parts.len() > 1 { format!("{}; worst first", parts.join(", ")) } else { parts.concat() }
}

pub fn one(card: &Card, now: f64) -> Markup {
    let id = stable_id("card", &card.key);
    html! {
        li id=(id) class={ "panel issue " (card.level.class()) } {
            article aria-labelledby={ (id) "-t" } {
                header {
                    (badge(card.level))
                    h3 id={ (id) "-t" } { (name(&card.title)) }
                    span .place { (label(&card.place)) }
                    @if let Some(at) = card.since {
                        time .end datetime=(exact(at)) { "since " (since(at, now)) " · " (roughly(now - at)) }
                    }
                }
                div .cols {
                    dl .facts {
                        div { dt { "What" } dd { (prose(&card.what)) } }
                        @if !card.why.is_empty() {
                            div { dt { "Why" } dd { @for why in &card.why { (options_unbroken(why)) " " } } }
                        }
                        @if let Some(who) = &card.who {
                            div { dt { "Who" } dd { (prose(who)) } }
                        }
                        @if !card.names.is_empty() {
                            div { dt { "Which" } dd { details id={ (id) "-d" } {
                                summary { (icon("fold")) (count(card.names.len() as u64, "sequence")) }
                                ul .names { @for sequence in card.names.iter().take(200) { li { (name(sequence)) } } }
                            } } }
                        }
                    }
                    div .fix {
                        @for step in &card.fixes { (fix(step)) }
                        @if card.runbook.is_some() || card.page.is_some() {
                            p .links {
                                @if let Some(runbook) = card.runbook { a href={ "runbooks/" (runbook.name) } { "Runbook: " (runbook.title) } }
                                @if let Some(page) = &card.page { " " a href=(page) { "History of this sequence" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn fix(step: &FixStep) -> Markup {
    html! {
        p {
            (step.lead) ": "
            @match &step.tool {
                Tool::Psql(database, server) => {
                    "run in " b { "psql" } " on database " b { (label(database)) }
                    @if let Some(server) = server { ", server " b { (label(server)) } }
                }
                Tool::Shell => { "run in a " b { "shell" } " on the agent’s host" }
                Tool::Configuration => { "add to " b { "pgmedic.toml" } }
            }
        }
        (command(&step.command))
        @if let Some(after) = &step.after { p .after.quiet { (after) } }
    }
}

/// A command with its copy button, which only the script shows.
pub fn command(text: &str) -> Markup {
    // Its statements stand in separate lines.
    let lines: Vec<_> = text.split('\n').map(escape_control).collect();
    let shown = lines.join("\n");
    html! {
        div .code {
            pre { code { (shown) } }
            button .copy type="button" data-copy aria-label={ "Copy: " (shown) } { (icon("copy")) span { "Copy" } }
        }
    }
}

/// Keeps each option of a command in a sentence on one line.
fn options_unbroken(text: &str) -> Markup {
    html! {
        @for (index, word) in text.split(' ').enumerate() {
            @if index > 0 { " " }
            @if word.starts_with("--") { span .nowrap { (word) } } @else { (prose(word)) }
        }
    }
}

/// What the script shows when the agent does not answer.
pub fn no_answer(links: &PageLinks) -> Markup {
    html! {
        template #no-answer {
            li #card-no-answer class="panel issue idle" {
                article aria-labelledby="card-no-answer-t" {
                    header {
                        (styled_badge("idle", "stale", "No answer", false))
                        h3 #card-no-answer-t { "pgmedic" }
                        span .place { "agent on this address" }
                    }
                    div .cols {
                        dl .facts {
                            div { dt { "What" } dd { "The agent does not answer this page. It may be down, or the network between may be." } }
                            div { dt { "Why" } dd { "Not known from here. If another agent is running, it takes the lead: see its page." } }
                        }
                        div .fix {
                            p { "Check: run in a " b { "shell" } " on the agent’s host" }
                            (command("pgmedic healthcheck"))
                            p { "or, where systemd runs it" }
                            (command("systemctl status pgmedic"))
                            @if !links.agents.is_empty() {
                                p .links { @for agent in &links.agents { a href=(agent.url) { "Page of " (label(&agent.name)) } " " } }
                            }
                        }
                    }
                }
            }
        }
    }
}
