//! Runs every command of the guides, in order, and compares the output with the guide.

mod blue_green;
mod ci;
mod multi_master;
mod restore;
mod walk;

pub use walk::{Guide, complete_server};

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The guides that have a test.
const WALKED: [&str; 5] = ["after-a-restore", "blue-green", "in-ci", "logical-replication-cutover", "multi-master"];

#[test]
fn every_guide_is_walked_through_and_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides");
    let names: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "README")
        .collect();
    assert_eq!(names, WALKED.map(str::to_owned).into());
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for name in names {
        assert!(index.contains(&format!("({name}.md)")), "{name} is not listed");
    }
}

/// Every link in a guide leads to a file that exists.
#[test]
fn every_link_of_a_guide_leads_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.starts_with("https://") {
                assert!(folder.join(file).exists(), "{}: {link}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "{seen}");
}
