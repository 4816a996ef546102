//! Tests of the judgement as a whole: its rules one by one, the simulator's scenarios, and random tables.

mod look;
mod play;
mod rows;
mod scenario;
mod scenarios;
