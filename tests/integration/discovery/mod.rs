//! Which sequences are found, which columns they feed, and which of them cannot be judged.

mod computed;
mod directions;
mod hostile;
mod links;
mod names;
mod same_links;
mod shared;
mod swapped;
mod temporary;
mod trees;
mod types;
mod uncounted;
mod unsupported;
