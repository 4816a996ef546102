//! The number of random cases in property tests.

use proptest::test_runner::Config;

/// A configuration with this many cases, unless `PROPTEST_CASES` sets the number, as `make fuzz` does.
pub fn cases(number: u32) -> Config {
    // Shrink less than by default: each attempt loads a whole configuration.
    let config = Config { max_shrink_iters: 2000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { Config { cases: number, ..config } }
}
