//! What is seen of each sequence, and what of it could not be, with the fix.

mod bounded;
mod changes;
mod edges;
mod exhausted;
mod locks;
mod members;
mod privileges;
mod read_only;
mod slow;
mod touched;
