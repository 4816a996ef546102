//! One sequence: from the catalog's row to the plan of its repair.
//!
//! | file | does |
//! |---|---|
//! | `model.rs`, `feed.rs`, `quoted_column.rs`, `catalog_reader.rs`, `feed_row.rs`, `feed_source.rs`, `row_fields.rs`, `column_type.rs`, `default_expression.rs` | what the catalog says: the sequence and its links |
//! | `link_rules.rs` | which links count |
//! | `members.rs` | the partitions and children of a table that are read one by one |
//! | `allocator.rs` | which ids an application makes from one value |
//! | `position.rs` | the arithmetic: next value, limit, lag, target |
//! | `judgement/` | pass it, hold it or leave it alone, in value numbers alone |
//! | `probe.rs`, `probe_part.rs`, `block/` | the statements that read the state and the furthest ids, and what lies ahead |
//! | `computed_column.rs`, `repeatable_default.rs` | the statement that asks whether the ids of the next values are taken, where they are computed |
//! | `observation.rs`, `ahead.rs` | the answers of the probes, merged, and judged |
//! | `plan.rs`, `hold_reason.rs`, `widening.rs`, `reasons.rs`, `held_reasons.rs` | by which method, or why not |
//! | `advance.rs` | the statement of an advance |
//! | `inline.rs` | all of it for one sequence, on a connection of the caller's |
//!
//! Data flows down this list.

pub mod advance;
pub mod ahead;
pub mod allocator;
pub mod block;
pub mod catalog_reader;
pub mod column_type;
pub mod computed_column;
pub mod default_expression;
pub mod feed;
pub mod feed_row;
pub mod feed_source;
pub mod held_reasons;
pub mod hold_reason;
pub mod inline;
pub mod judgement;
pub mod limits;
pub mod link_rules;
pub mod members;
pub mod model;
pub mod observation;
pub mod plan;
pub mod position;
pub mod probe;
pub mod probe_part;
pub mod quoted_column;
pub mod reasons;
pub mod repeatable_default;
pub mod row_fields;
pub mod widening;

pub use hold_reason::HoldReason;
pub use model::{FeedReport, Link, Method};
