//! Every claim of docs/security.md has a test that shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a file")
}

/// The claims, and what is to show each of them.
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

/// The integration tests, as this very program lists them.
fn listed() -> Vec<String> {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["--list", "--format", "terse"]).output().expect("its list");
    let list = String::from_utf8(output.stdout).expect("UTF-8");
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// Whether the library has this test: some file of its module, or of one around it, holds the function.
fn is_in_the_library(path: &str) -> bool {
    let (modules, test) = path.rsplit_once("::").expect("a module");
    let modules: Vec<&str> = modules.split("::").collect();
    let folder = |depth: usize| root().join("src").join(modules[..depth].join("/"));
    let files = (0..=modules.len()).rev().flat_map(|depth| {
        let last = modules[depth.saturating_sub(1)];
        // Its own file, or one beside it that its parent names: `url.rs` and `url_tests.rs`.
        let named = modules.get(depth).map(|next| folder(depth).with_file_name(format!("{last}_{next}.rs")));
        [Some(folder(depth).with_extension("rs")), Some(folder(depth).join("mod.rs")), named]
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
            let exists = match name.strip_prefix("pgmedic::") {
                Some(path) => is_in_the_library(path),
                None if name.contains("::") => listed.contains(&name),
                None => steps.contains(&name),
            };
            assert!(exists, "{claim}: there is no {name}");
        }
    }
}

#[test]
fn a_test_of_the_library_is_found_by_its_path_only() {
    assert!(is_in_the_library(
        "db::conninfo::tests::a_zero_byte_and_a_broken_percent_sign_are_refused_wherever_they_stand"
    ));
    assert!(is_in_the_library("config::tests::fuzz::any_duration"));
    assert!(!is_in_the_library("config::tests::fuzz::any_nonsense"));
    assert!(!is_in_the_library("sessions::tests::any_duration"));
}
