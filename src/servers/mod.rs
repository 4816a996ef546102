//! The databases of whole servers, as `[[servers]]` tables name them.
//!
//! | file | does |
//! |---|---|
//! | `survey.rs`, `survey.sql` | asks a server for its databases and for what its statistics count in each |
//! | `activity.rs` | whether anything was done in a database since it was last visited |
//! | `discover.rs` | the databases of all servers, for commands that run once; which of them are covered |

mod activity;
mod discover;
mod survey;

pub use activity::{Activity, Baseline};
pub use discover::{Discovered, covered, discover, same_server, survey};
pub use survey::{FoundDatabase, SurveySql, read};
