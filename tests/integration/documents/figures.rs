//! `scripts/figures` inserts measured figures into the documents, or refuses the file and changes nothing.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const DOCUMENT: &str = "# Speed\n\n<!-- figures: passes -->\nold\n<!-- /figures -->\n\nThe end.\n";

/// A folder with a document that has one block for figures.
fn documents() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("docs")).unwrap();
    fs::write(root.path().join("docs/speed.md"), DOCUMENT).unwrap();
    root
}

fn insert(root: &TempDir, block: &Value) -> Output {
    let file = root.path().join("figures.json");
    let figures = json!({ "document": "speed", "machine": "2 cores", "taken": "2026-11-25", "blocks": [block] });
    fs::write(&file, figures.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/figures.py");
    Command::new("python3").arg("-B").arg(script).arg("--root").arg(root.path()).arg(file).output().unwrap()
}

fn document(root: &TempDir) -> String {
    fs::read_to_string(root.path().join("docs/speed.md")).unwrap()
}

#[test]
fn a_table_takes_the_place_of_the_one_before() {
    let root = documents();
    let block = json!({ "id": "passes", "text": "Medians.", "columns": ["pass", "s"], "rows": [["a | b", "1.4"]] });
    for _ in 0..2 {
        let output = insert(&root, &block);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            document(&root),
            "# Speed\n\n<!-- figures: passes -->\nMedians.\n\n| pass | s |\n| --- | --- |\n| a \\| b | 1.4 |\n\n\
             <sub>2026-11-25, 2 cores</sub>\n<!-- /figures -->\n\nThe end.\n"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_and_named_and_nothing_is_written() {
    for (block, said) in [
        (json!({ "id": "other", "text": "x" }), "docs/speed.md: expected exactly one line <!-- figures: other -->"),
        (json!({ "id": "passes" }), "block passes: empty; expected a text, columns and rows, or a plot"),
        (json!({ "id": "passes", "txt": "x" }), "block 0: unknown key \"txt\"; expected id, text"),
        (
            json!({ "id": "passes", "columns": ["a"], "rows": [["1", "2"]] }),
            "row 1 is [\"1\", \"2\"]; expected 1 texts",
        ),
        (json!({ "id": "passes", "columns": ["a"], "rows": [[1.4]] }), "row 1 is [1.4]; expected 1 texts"),
        (json!({ "id": "../passes", "text": "x" }), "\"id\" is \"../passes\"; expected small letters"),
    ] {
        let root = documents();
        let output = insert(&root, &block);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(said), "{said}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!(document(&root), DOCUMENT);
    }
}
