//! The page as HTML: pure functions of the model.
//!
//! | file | what is in it |
//! |---|---|
//! | `page.rs`, `one_sequence.rs` | the page of all databases, the page of one sequence |
//! | `document.rs` | what both have: head, bar, headline, footer |
//! | `parts.rs`, `icons.rs` | numbers, names, badges, points in time; the icons |
//! | `tiles.rs`, `cards.rs`, `databases.rs`, `sequences.rs`, `activity.rs`, `stores.rs` | a section each |
//! | `servers.rs`, `database_rows.rs`, `dots.rs` | the rows of servers and of databases; the map of databases |
//! | `quiet.rs` | what a standby shows, and an agent that starts |

mod activity;
mod cards;
mod database_rows;
mod databases;
mod document;
mod dots;
mod icons;
mod one_sequence;
mod page;
mod parts;
mod quiet;
mod sequences;
mod servers;
mod stores;
mod tiles;

pub use one_sequence::{render as render_sequence, render_unknown as render_unknown_sequence};
pub use page::render;
