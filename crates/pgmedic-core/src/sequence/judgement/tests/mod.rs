//! Tests of the judgement as a whole: its rules one by one, the simulator's scenarios, and random tables.

mod decide;
mod gather;
mod life;
mod look;
mod play;
mod properties;
mod rows;
mod scenario;
mod scenarios;
mod walk;
