//! The four tiles.

use super::icons::icon;
use super::parts::{line, number};
use crate::http::status::model::tiles::Tile;
use crate::state::HOURS;
use maud::{Markup, html};

/// Of the drawing; the stylesheet stretches it.
const HEIGHT: f64 = 32.0;
const STEP: usize = 5;

pub fn render(tiles: &[Tile], now: f64) -> Markup {
    html! {
        section .tiles aria-label="The last 24 hours" {
            @for tile in tiles {
                div id=(tile.id) data-live class={ "panel tile" @if let Some(level) = tile.level { " " (level.class()) } } {
                    h2 { (tile.label) @if tile.is_daily { " " span { "24 h" } } }
                    p .big {
                        @if let Some(level) = tile.level { (icon(level.icon())) }
                        @match tile.number {
                            Some(0) => { "0" }
                            Some(value) => { (number(value)) }
                            None => { span .quiet { "–" } }
                        }
                    }
                    figure { (spark(tile)) }
                    p .sub { (line(&tile.sub, now)) }
                }
            }
        }
    }
}

/// A bar an hour; zero is a line, unknown an empty box, and the current hour is pale because it is not over.
fn spark(tile: &Tile) -> Markup {
    let most = tile.hours.iter().flatten().max().copied().unwrap_or(0).max(1);
    let is_known = tile.number.is_some();
    html! {
        svg .spark viewBox="0 0 120 32" preserveAspectRatio="none" role="img" aria-label=(tile.hours_label) {
            @if !is_known {
                rect .none x="0.5" y="1" width="118" height="30" {}
            } @else {
                @let unknown = tile.hours.iter().take_while(|hour| hour.is_none()).count();
                @if unknown > 0 { rect .none x="0.5" y="24" width=(unknown * STEP - 2) height="7.5" {} }
                @for (index, hour) in tile.hours.iter().enumerate() {
                    @let x = index * STEP;
                    @match hour {
                        None => {}
                        Some(0) => { rect .zero x=(x) y="31" width="4" height="1" {} }
                        Some(value) => {
                            @let height = (*value as f64 / most as f64 * (HEIGHT - 2.0)).max(2.0);
                            rect class=[class(index, tile)] x=(x) y=(format!("{:.1}", HEIGHT - height)) width="4" height=(format!("{height:.1}")) {}
                        }
                    }
                }
            }
        }
    }
}

fn class(index: usize, tile: &Tile) -> Option<&'static str> {
    match (index + 1 == HOURS, tile.level.is_some()) {
        (true, true) => Some("hot"),
        (true, false) => Some("now"),
        (false, _) => None,
    }
}
