//! Pages of a believable day, rendered from made-up states, for the pictures in the documents and to look at after a change.
//!
//! `make pictures` sets `PGMEDIC_SAMPLE_PAGES` to a folder for them. Without it, the test only renders them.

mod day;
mod fleet;
mod incident;

use super::assets::Links;
use super::model::test_support::{checked, refused, snapshot, standby};
use super::model::{PageLinks, Snapshot};
use super::search_query::SearchQuery;
use super::view;
use crate::config::PageLink;
use crate::state::DatabaseState;
use day::{shop, with_a_day, with_history};
use fleet::fleet;
use incident::incident;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Links to elsewhere, and to the other agent.
fn linked(snapshot: Snapshot) -> Snapshot {
    let link = |name: &str, url: &str| PageLink { name: name.to_owned(), url: url.to_owned() };
    let elsewhere = vec![
        link("Grafana", "https://grafana.example/d/pgmedic-overview"),
        link("On call", "https://wiki.example/databases/on-call"),
    ];
    let agents = vec![link("pgmedic-1", "http://pgmedic-1.example:9847/")];
    Snapshot { links: Arc::new(PageLinks { elsewhere, agents }), ..snapshot }
}

#[test]
fn every_state_of_a_believable_day_is_rendered() {
    let calm = || with_history(snapshot([("app", with_a_day(checked(shop(0)), 2))]), ["app"; 3]);
    let pages = [
        ("calm", calm(), ""),
        ("incident", linked(incident()), ""),
        ("fleet", linked(fleet(8)), ""),
        ("fleet-list", fleet(8), "server=pg-03&databases=2"),
        ("fleet-of-one", fleet(1), ""),
        ("standby", linked(snapshot([("app", standby()), ("shop", standby())])), ""),
        ("starting", snapshot([("app", DatabaseState::default())]), ""),
        ("empty", snapshot([("app", checked(Vec::new()))]), ""),
        ("unreachable", snapshot([("legacy", refused(61))]), ""),
    ];
    let folder = std::env::var_os("PGMEDIC_SAMPLE_PAGES");
    for (name, snapshot, query) in pages {
        let html = view::render(&snapshot, 1, &SearchQuery::read(query)).into_string();
        assert!(html.starts_with("<!DOCTYPE html>") && html.len() < 150_000, "{name}: {} bytes", html.len());
        if let Some(folder) = &folder {
            let folder = Path::new(folder);
            fs::create_dir_all(folder.join("assets")).unwrap();
            fs::write(folder.join(format!("{name}.html")), html).unwrap();
            let links = Links::new();
            for (link, text) in [
                (links.stylesheet, include_str!("../assets/status.css")),
                (links.script, include_str!("../assets/status.js")),
            ] {
                fs::write(folder.join(link.split('?').next().unwrap()), text).unwrap();
            }
        }
    }
}
