//! Which links count, what is said of those that do not, and how the configuration declares links.

mod allocators;
mod bare;
mod drawing;
mod likely;
mod names;
mod nothing;
mod patterns;
mod shared;
mod trees;
mod trust;
