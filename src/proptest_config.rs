//! How many random cases a test takes.

use proptest::test_runner::Config;

/// As many as take a second or two, unless `PROPTEST_CASES` says otherwise: `make fuzz` does.
pub fn cases(number: u32) -> Config {
    // A failure's first case is as good as its smallest, where each loads a configuration.
    let config = Config { max_shrink_iters: 2000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { Config { cases: number, ..config } }
}
