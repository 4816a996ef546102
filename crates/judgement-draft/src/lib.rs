//! Draft of `pgmedic_core::sequence::judgement`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod judgement;
