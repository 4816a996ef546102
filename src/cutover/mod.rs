//! Cutover: carries every sequence of the database in use to the one that takes over, and says whether writers may move.
//!
//! In reports and in this room, OLD is the database of `--from`, which is only read, and NEW that of `--to`.
//!
//! | file | does |
//! |---|---|
//! | `request.rs` | what is asked for: both databases, headroom, schemas with another name |
//! | `run.rs` | one run, from connecting to the verdict |
//! | `watch.rs` | keeps NEW ahead until it is stopped |
//! | `sides.rs`, `swapped.rs` | connects; refuses databases that cannot be meant |
//! | `replication.rs`, `arrival.rs`, `published.rs` | whether rows arrive: subscriptions, slots, lag, and what is published |
//! | `pairs.rs`, `definitions.rs`, `drawing.rs` | which sequence takes over from which, and how they and their columns differ |
//! | `target.rs`, `round.rs`, `carry.rs` | how far NEW has to move, and the moves |
//! | `ids.rs` | the pass over NEW: no id beyond its next values |
//! | `report.rs`, `table.rs` | the report, as JSON and as text |

mod arrival;
mod carry;
mod definitions;
mod drawing;
mod ids;
mod pairs;
mod published;
mod replication;
mod report;
mod request;
mod round;
mod run;
mod sides;
mod swapped;
mod table;
mod target;
mod watch;

pub use report::{CutoverReport, Verdict};
pub use request::{Request, SchemaMap, UnusableConnection, database};
pub use run::{Before, carry_over};
pub use table::render;
pub use watch::watch;
