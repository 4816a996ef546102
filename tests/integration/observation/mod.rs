//! What a report contains about each sequence: its state, or why it could not be read, with the fix.

mod bounded;
mod changes;
mod edges;
mod exhausted;
mod extremes;
mod locks;
mod members;
mod privileges;
mod read_only;
mod slow;
mod touched;
mod trusted;
mod vacuumed;
