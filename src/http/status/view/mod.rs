//! The page as HTML: pure functions of the model.
//!
//! | file | what is in it |
//! |---|---|
//! | `page.rs` | the page as a whole, its bar and its footer |
//! | `parts.rs`, `icons.rs` | numbers, names, badges, points in time; the icons |
//! | `tiles.rs`, `cards.rs`, `databases.rs`, `sequences.rs`, `activity.rs`, `stores.rs` | a section each |
//! | `quiet.rs` | what a standby shows, and an agent that starts |

mod activity;
mod cards;
mod databases;
mod icons;
mod page;
mod parts;
mod quiet;
mod sequences;
mod stores;
mod tiles;

pub use page::render;
