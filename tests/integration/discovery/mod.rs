//! Which sequences there are, what they feed, and what of it cannot be judged.

mod directions;
mod hostile;
mod links;
mod names;
mod shared;
mod swapped;
mod temporary;
mod trees;
mod types;
mod uncounted;
mod unsupported;
