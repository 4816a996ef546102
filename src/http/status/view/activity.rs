//! The recent activity: the newest hour open, the older ones folded.

use super::icons::icon;
use super::parts::{clock_time, line, prose};
use crate::http::status::model::activity::{Event, HourGroup};
use crate::http::status::time::exact;
use maud::{Markup, html};

pub fn render(groups: &[HourGroup], started: f64, dropped: u64, now: f64) -> Markup {
    html! {
        section #activity aria-labelledby="h-activity" data-live {
            div .head { h2 #h-activity { "Recent activity" } p { "UTC; by hour" } }
            div .panel {
                @for (index, group) in groups.iter().enumerate() { (hour(group, index == 0, now)) }
                p .hour.quiet {
                    @if dropped > 0 { (dropped) " earlier events are in the log only. " }
                    "The agent started on " time datetime=(exact(started)) { (crate::http::status::time::day(started)) ", " (crate::http::status::time::clock(started)) } "."
                }
            }
        }
    }
}

pub fn hour(group: &HourGroup, open: bool, now: f64) -> Markup {
    html! {
        div .hour {
            @if open {
                h3 { (group.label) " " span { (group.summary) } }
                (events(&group.events, now))
            } @else {
                details id={ "hour-" (group.at as u64) } {
                    summary { (icon("fold")) (group.label) " " span { (group.summary) } }
                    (events(&group.events, now))
                }
            }
        }
    }
}

fn events(events: &[Event], now: f64) -> Markup {
    html! {
        ol .events {
            @for event in events {
                li {
                    (clock_time(event.at))
                    span class=(event.class) { (icon(event.icon)) }
                    div { (line(&event.line, now)) @if let Some(why) = &event.why { div .why { (prose(why)) } } }
                }
            }
        }
    }
}
