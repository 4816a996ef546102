//! The page as a whole.

use super::icons::{icon, sprite};
use super::parts::line;
use super::{activity, cards, databases, quiet, sequences, stores, tiles};
use crate::build_info;
use crate::http::status::assets::Links;
use crate::http::status::model::Snapshot;
use crate::http::status::model::activity::groups;
use crate::http::status::model::cards::Cards;
use crate::http::status::model::headline::Headline;
use crate::http::status::model::sequences::Table;
use crate::http::status::model::tiles::tiles as tile_figures;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::time::{clock, exact};
use maud::{DOCTYPE, Markup, html};

/// The script replaces elements with `data-live` after a change, and the cards one by one; the search form is not one of
/// them.
pub fn render(snapshot: &Snapshot, revision: u64, query: &SearchQuery) -> Markup {
    let (facts, now) = (snapshot.facts(), snapshot.now);
    let headline = Headline::of(&facts, snapshot.config_accepted, now);
    let level = headline.level;
    let cards = Cards::of(snapshot, &facts, query.all_cards);
    let links = Links::new();
    html! {
        (DOCTYPE)
        html lang="en" class=(level.class()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (headline.tab) }
                link rel="icon" type="image/svg+xml" href=(links.icon);
                link rel="stylesheet" href=(links.stylesheet);
                script src=(links.script) defer {}
            }
            body data-revision=(revision) {
                a .skip href="#main" { "Skip to content" }
                (sprite())
                header .top {
                    (bar(&headline, snapshot))
                    div #state .headline data-live { div .wrap {
                        (icon(level.icon()))
                        div { h1 #headline { (headline.sentence) } p #second {
                            (line(&headline.second, now))
                            @if let ([_], [server]) = (facts.as_slice(), snapshot.servers.as_slice()) { " · " (databases::connections(server)) }
                        } }
                    } }
                    p #said .sr role="status" {}
                }
                main #main .wrap tabindex="-1" {
                    @if level == PageLevel::Standby {
                        (quiet::standby(&facts))
                    } @else {
                        (tiles::render(&tile_figures(snapshot, &facts), now))
                        @if level == PageLevel::Starting { (quiet::starting(&facts)) }
                        @else { (cards::render(&cards, &headline, query, now)) }
                    }
                    (databases::render(&facts, &snapshot.servers, query, now))
                    @if !matches!(level, PageLevel::Standby | PageLevel::Starting) {
                        (sequences::render(&Table::of(query, &facts, now), query, &facts, level == PageLevel::Healthy, now))
                    }
                    div .two {
                        (activity::render(&groups(&snapshot.history, facts.len() > 1, now), snapshot.started, snapshot.history.dropped(), now))
                        (stores::render(&facts, now))
                    }
                }
                (cards::no_answer())
                footer .foot { div .wrap {
                    span { "Read-only: nothing on this page changes a database." }
                    a href="metrics" { "Metrics" }
                    a href="api/v1/reports" { "JSON report" }
                    span { "pgmedic " (build_info::VERSION) }
                } }
            }
        }
    }
}

/// Stays on top: what needs attention, and how old the page is.
fn bar(headline: &Headline, snapshot: &Snapshot) -> Markup {
    let now = snapshot.now;
    html! {
        div #bar .bar data-live { div .wrap {
            a .brand href="./" { "pgmedic" }
            span .me { (build_info::VERSION) @if snapshot.dry_run { " · dry run: nothing is changed" } }
            @if !headline.counts.is_empty() {
                nav .counts aria-label="Needs attention" {
                    @for (level, number) in &headline.counts {
                        a href="#attention" {
                            (icon(level.icon())) " " (number)
                            span .word { " " (if *level == PageLevel::Decision { "to decide".to_owned() } else { level.word().to_lowercase() }) }
                        }
                    }
                }
            }
            p .asof {
                span { span .utc { "As of " } time #as-of datetime=(exact(now)) { (clock(now)) span .utc { " UTC" } } }
                a #live .live href="" { "Reload to update" }
            }
        } }
    }
}
