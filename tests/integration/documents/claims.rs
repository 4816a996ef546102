//! Every claim of docs/security.md names a test that exists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a file")
}

/// The claims of the page, and the names in the column "shown by".
fn claims() -> Vec<(String, Vec<String>)> {
    let page = read("docs/security.md");
    let mut claims = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        let cells: Vec<&str> =
            line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")).unwrap_or("").split(" | ").collect();
        match cells[..] {
            ["claim", "shown by"] => inside = true,
            [claim, shown] if inside => {
                let names: Vec<&str> = shown.split(", ").collect();
                let named =
                    |name: &str| name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).map(str::to_owned);
                let names: Option<Vec<String>> = names.into_iter().map(named).collect();
                claims.push((claim.to_owned(), names.unwrap_or_else(|| panic!("shown by what? {line}"))));
            }
            _ => inside &= line.starts_with('|') || line.starts_with("<!--"),
        }
    }
    claims
}

/// The integration tests, as this test binary lists them.
fn listed() -> Vec<String> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["--list", "--format", "terse"]).output().expect("its list");
    let list = String::from_utf8(output.stdout).expect("UTF-8");
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// The crates of the workspace that have unit tests, and their source folders.
const CRATES: [(&str, &str); 3] =
    [("pgmedic", "src"), ("pgmedic_core", "crates/pgmedic-core/src"), ("pgmedic_login", "crates/pgmedic-login/src")];

/// The source folder of the crate that a path begins with, and the rest of the path. `None` for an integration test.
fn unit_test(path: &str) -> Option<(&'static str, &str)> {
    let (first, rest) = path.split_once("::")?;
    let (_, source) = CRATES.into_iter().find(|(name, _)| *name == first)?;
    Some((source, rest))
}

/// Whether a crate has this unit test: a file of its module, or of a module around it, defines the function.
fn has_unit_test(source: &str, path: &str) -> bool {
    let (modules, test) = path.rsplit_once("::").expect("a module");
    let modules: Vec<&str> = modules.split("::").collect();
    let folder = |depth: usize| root().join(source).join(modules[..depth].join("/"));
    let files = (0..=modules.len()).rev().flat_map(|depth| {
        let last = modules[depth.saturating_sub(1)];
        // A `tests` module may have its file beside the parent's: `url.rs` or `url/mod.rs`, and `url_tests.rs`.
        let named = modules.get(depth).map(|next| format!("{last}_{next}.rs"));
        let beside = named.as_ref().map(|name| folder(depth).with_file_name(name));
        let inside = named.as_ref().map(|name| folder(depth).join(name));
        [Some(folder(depth).with_extension("rs")), Some(folder(depth).join("mod.rs")), beside, inside]
    });
    let holds = |path: PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("fn {test}(")));
    files.flatten().any(holds)
}

#[test]
fn every_claim_of_the_security_page_names_a_test_that_exists() {
    let (claims, listed) = (claims(), listed());
    assert!(claims.len() > 30, "{} claims", claims.len());
    let steps = read("Makefile") + &read("scripts/check-deploy");
    for (claim, names) in claims {
        for name in names {
            let exists = match unit_test(&name) {
                Some((source, path)) => has_unit_test(source, path),
                None if name.contains("::") => listed.contains(&name),
                None => steps.contains(&name),
            };
            assert!(exists, "{claim}: there is no {name}");
        }
    }
}

#[test]
fn a_unit_test_is_found_in_its_crate_and_module_only() {
    let found = |name: &str| unit_test(name).is_some_and(|(source, path)| has_unit_test(source, path));
    assert!(found(
        "pgmedic::db::conninfo::tests::a_zero_byte_and_a_broken_percent_sign_are_refused_wherever_they_stand"
    ));
    assert!(found("pgmedic::config::tests::fuzz::any_duration"));
    assert!(!found("pgmedic::config::tests::fuzz::any_nonsense"));
    assert!(!found("pgmedic::sessions::tests::any_duration"));

    let token = "session_store::token::tests::a_token_has_256_bits_and_debug_does_not_show_it";
    assert!(found(&format!("pgmedic_login::{token}")));
    assert!(!found(&format!("pgmedic::{token}")));
    assert!(unit_test("race::burnt::any").is_none(), "an integration test");
}
