//! What every page has: its head, the bar that stays on top, the headline, the footer.

use super::cards;
use super::icons::{icon, sprite};
use super::parts::label;
use crate::build_info;
use crate::http::status::assets::Links;
use crate::http::status::model::Snapshot;
use crate::http::status::model::headline::Headline;
use crate::http::status::page_level::PageLevel;
use crate::http::status::time::{clock, exact};
use maud::{DOCTYPE, Markup, html};

/// Links elsewhere that the bar has room for; the footer has them all.
const BAR_LINKS: usize = 4;

/// What differs from page to page.
pub struct Parts {
    pub level: PageLevel,
    /// The title of the browser's tab.
    pub tab: String,
    pub sentence: String,
    /// Below the sentence.
    pub second: Markup,
    pub main: Markup,
    /// The link to the page of all databases; empty on that page, which keeps its query.
    pub home: &'static str,
}

/// The page as a whole. `whole` is the headline over all databases, whose counts are in the bar. The script replaces elements
/// with `data-live` after a change, and the cards one by one; the search form is not one of them.
pub fn document(snapshot: &Snapshot, revision: u64, whole: &Headline, parts: Parts) -> Markup {
    let links = Links::new();
    let Parts { level, tab, sentence, second, main, home } = parts;
    html! {
        (DOCTYPE)
        html lang="en" class=(level.class()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (tab) }
                link rel="icon" type="image/svg+xml" href=(links.icon);
                link rel="stylesheet" href=(links.stylesheet);
                script src=(links.script) defer {}
            }
            body data-revision=(revision) {
                a .skip href="#main" { "Skip to content" }
                (sprite())
                header .top {
                    (bar(whole, snapshot, home))
                    div #state .headline data-live { div .wrap {
                        (icon(level.icon()))
                        div { h1 #headline { (sentence) } p #second { (second) } }
                    } }
                    p #said .sr role="status" {}
                }
                main #main .wrap tabindex="-1" { (main) }
                (cards::no_answer(&snapshot.links))
                footer .foot { div .wrap {
                    span { "Read-only: nothing on this page changes a database." }
                    a href="metrics" { "Metrics" }
                    a href="api/v1/reports" { "JSON report" }
                    @for link in &snapshot.links.elsewhere { a href=(link.url) { (label(&link.name)) } }
                    @for agent in &snapshot.links.agents { a href=(agent.url) { "Page of " (label(&agent.name)) } }
                    span { "pgmedic " (build_info::VERSION) }
                } }
            }
        }
    }
}

/// Stays on top: what needs attention, and how old the page is.
fn bar(headline: &Headline, snapshot: &Snapshot, home: &str) -> Markup {
    let now = snapshot.now;
    html! {
        div #bar .bar data-live { div .wrap {
            a .brand href="./" { "pgmedic" }
            span .me { (build_info::VERSION) @if snapshot.dry_run { " · dry run: nothing is changed" } }
            @if !headline.counts.is_empty() {
                nav .counts aria-label="Needs attention" {
                    @for (level, number) in &headline.counts {
                        a href={ (home) "#attention" } {
                            (icon(level.icon())) " " (number)
                            span .word { " " (if *level == PageLevel::Decision { "to decide".to_owned() } else { level.word().to_lowercase() }) }
                        }
                    }
                }
            }
            // On a narrow screen they are in the footer alone.
            @if !snapshot.links.elsewhere.is_empty() {
                nav .elsewhere aria-label="Elsewhere" {
                    @for link in snapshot.links.elsewhere.iter().take(BAR_LINKS) { a href=(link.url) { (label(&link.name)) } }
                }
            }
            p .asof {
                span { span .utc { "As of " } time #as-of datetime=(exact(now)) { (clock(now)) span .utc { " UTC" } } }
                a #live .live href="" { "Reload to update" }
            }
        } }
    }
}
