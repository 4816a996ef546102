//! The layout of the code: every arrow of CONTRIBUTING.md's map points down, and no files form a circle.

mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use uses::uses;

/// The files of the workspace's crates, by module path, with what each uses of the others.
type Arrows = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

const CRATES: [(&str, &str); 4] = [
    ("pgmedic", "src"),
    ("pgmedic-core", "crates/pgmedic-core/src"),
    ("pgmedic-login", "crates/pgmedic-login/src"),
    ("pgmedic-testserver", "crates/pgmedic-testserver/src"),
];

#[test]
fn every_arrow_between_rooms_points_down_the_map() {
    let map = map(&fs::read_to_string("CONTRIBUTING.md").unwrap());
    let arrows = arrows();
    assert!(arrows.len() > 100, "only {} files were read", arrows.len());
    assert_eq!(broken(&map, &arrows), Vec::<String>::new());
}

#[test]
fn no_files_form_a_circle() {
    assert_eq!(circles(&arrows()), Vec::<Vec<String>>::new());
}

/// The floor of each room, from the block of the map; 0 is the top.
fn map(contributing: &str) -> BTreeMap<String, usize> {
    let block = contributing.split("<!-- rooms -->").nth(1).expect("the map of rooms");
    let lines = block.lines().filter(|line| line.starts_with("    "));
    lines
        .enumerate()
        .flat_map(|(floor, line)| line.split_whitespace().map(move |room| (room.to_owned(), floor)))
        .collect()
}

/// The room of a file: a crate, or a folder or file right below `src/`.
fn room(path: &[String]) -> String {
    match path {
        [home, first, ..] if home == "pgmedic" => first.clone(),
        [home, ..] if home != "pgmedic" => home.clone(),
        _ => "lib".to_owned(),
    }
}

fn broken(map: &BTreeMap<String, usize>, arrows: &Arrows) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, targets) in arrows {
        for to in targets {
            let (above, below) = (room(from), room(to));
            if above == "lib" || below == "lib" || above == below {
                continue;
            }
            let floors = (map.get(&above), map.get(&below));
            if !matches!(floors, (Some(above), Some(below)) if above < below) {
                broken.push(format!("{} uses {}: {floors:?}", from.join("::"), to.join("::")));
            }
        }
    }
    broken
}

/// Sets of files each of which leads to every other one. That a `mod.rs` names its own files is no arrow.
fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let mut reached: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for file in arrows.keys() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![file]);
        while let Some(next) = open.pop() {
            let own = |to: &&Vec<String>| to.starts_with(next);
            for to in arrows.get(next).into_iter().flatten().filter(|to| !own(to)) {
                if seen.insert(to) {
                    open.push(to);
                }
            }
        }
        reached.insert(file, seen);
    }
    let leads = |from: &Vec<String>, to: &Vec<String>| reached.get(from).is_some_and(|seen| seen.contains(to));
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for file in arrows.keys().filter(|file| leads(file, file)) {
        let others = arrows.keys().filter(|other| leads(file, other) && leads(other, file));
        circles.insert(others.map(|path| path.join("::")).collect());
    }
    circles.into_iter().collect()
}

fn arrows() -> Arrows {
    let mut sources = BTreeMap::new();
    for (name, folder) in CRATES {
        read(Path::new(folder), &[name.to_owned()], &mut sources);
    }
    let file_of =
        |path: &[String]| (0..=path.len()).rev().map(|end| path[..end].to_vec()).find(|p| sources.contains_key(p));
    let targets = |path: &Vec<String>, source: &String| -> BTreeSet<Vec<String>> {
        uses(source, path).iter().filter_map(|used| file_of(used)).filter(|file| file != path).collect()
    };
    sources.iter().map(|(path, source)| (path.clone(), targets(path, source))).collect()
}

/// Adds the sources below `folder`, without files of unit tests.
fn read(folder: &Path, above: &[String], sources: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" || name.ends_with("_tests") || name.ends_with("_fuzz") {
            continue;
        }
        let module = match name.as_str() {
            "mod" | "lib" => above.to_vec(),
            _ => [above, &[name]].concat(),
        };
        if path.is_dir() {
            read(&path, &module, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(arrows: &[(&str, &str)]) -> Arrows {
        let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<String>>();
        let mut example = Arrows::new();
        for (from, to) in arrows {
            example.entry(path(from)).or_default().insert(path(to));
            example.entry(path(to)).or_default();
        }
        example
    }

    #[test]
    fn an_arrow_upwards_or_from_an_unknown_room_is_broken() {
        let map = map("<!-- rooms -->\n    agent\n    db\n<!-- rooms -->\n");
        let down = example(&[("pgmedic::agent::cycle", "pgmedic::db")]);
        assert!(broken(&map, &down).is_empty());
        let up = example(&[("pgmedic::db::url", "pgmedic::agent")]);
        assert_eq!(broken(&map, &up).len(), 1);
        let unknown = example(&[("pgmedic::attic", "pgmedic::db")]);
        assert_eq!(broken(&map, &unknown).len(), 1);
    }

    #[test]
    fn a_circle_is_found_and_a_room_that_lists_its_files_is_none() {
        let circle = example(&[("pgmedic::a", "pgmedic::b"), ("pgmedic::b", "pgmedic::a")]);
        assert_eq!(circles(&circle), [["pgmedic::a", "pgmedic::b"]]);
        let listed = example(&[("pgmedic::a", "pgmedic::a::b"), ("pgmedic::a::b", "pgmedic::a")]);
        assert!(circles(&listed).is_empty());
    }
}
