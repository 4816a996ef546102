//! The page of all databases.

use super::database_rows::connections;
use super::document::{Parts, document};
use super::parts::line;
use super::{activity, cards, databases, quiet, sequences, stores, tiles};
use crate::http::status::model::Snapshot;
use crate::http::status::model::activity::groups;
use crate::http::status::model::cards::Cards;
use crate::http::status::model::headline::Headline;
use crate::http::status::model::sequences::Table;
use crate::http::status::model::tiles::tiles as tile_figures;
use crate::http::status::page_level::PageLevel;
use crate::http::status::search_query::SearchQuery;
use maud::{Markup, html};

pub fn render(snapshot: &Snapshot, revision: u64, query: &SearchQuery) -> Markup {
    let (facts, now) = (snapshot.facts(), snapshot.now);
    let headline = Headline::of(&facts, snapshot.config_accepted, now);
    let level = headline.level;
    let cards = Cards::of(snapshot, &facts, query.all_cards);
    let second = html! {
        (line(&headline.second, now))
        @if let ([_], [server]) = (facts.as_slice(), snapshot.servers.as_slice()) { " · " (connections(server)) }
    };
    let main = html! {
        @if level == PageLevel::Standby {
            (quiet::standby(&facts, &snapshot.links))
        } @else {
            (tiles::render(&tile_figures(snapshot, &facts), now))
            @if level == PageLevel::Starting { (quiet::starting(&facts)) }
            @else { (cards::render(&cards, &headline, query, now)) }
        }
        (databases::render(&facts, snapshot, query))
        @if !matches!(level, PageLevel::Standby | PageLevel::Starting) {
            (sequences::render(&Table::of(query, &facts, now), query, &facts, level == PageLevel::Healthy, now))
        }
        div .two {
            (activity::render(&groups(snapshot.history.entries(), facts.len() > 1, now), snapshot.started, snapshot.history.dropped(), now))
            (stores::render(&facts, now))
        }
    };
    let (tab, sentence) = (headline.tab.clone(), headline.sentence.clone());
    document(snapshot, revision, &headline, Parts { level, tab, sentence, second, main, home: "" })
}
