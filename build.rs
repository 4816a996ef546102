//! Tells the binary what it was built from: the revision and its date, the target, the compiler.
//!
//! The revision comes from `PGMEDIC_REVISION` where that is set (the image has no git folder), else from git, else from
//! the file that `cargo package` adds. A source folder without any of them is built as `unknown`.

use std::env;
use std::path::Path;
use std::process::Command;

/// Characters of a revision that are shown, as git shortens it in a large repository.
const SHOWN: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PGMEDIC_REVISION");
    let (revision, date) = from_variable().or_else(from_git).or_else(from_package).unwrap_or_default();
    let shown: String = revision.chars().take(SHOWN).collect();
    let shown = if shown.is_empty() { "unknown" } else { &shown };
    set("REVISION", shown);
    set("REVISION_AND_DATE", &if date.is_empty() { shown.to_owned() } else { format!("{shown} of {date}") });
    set("TARGET", &env::var("TARGET").unwrap_or_default());
    set("PROFILE", &env::var("PROFILE").unwrap_or_default());
    let compiler = env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"])).unwrap_or_default();
    // Such as `rustc 1.94.0 (4a4ef493e 2026-03-02)`.
    set("RUSTC", &compiler.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
}

/// Makes a value known to `env!`.
fn set(name: &str, value: &str) {
    // Cargo sets it for `cargo run` and `cargo test` too, where a name with pgmedic's prefix would be taken for a setting.
    println!("cargo:rustc-env=BUILT_{name}={value}");
}

/// The revision that the build was told; its date is not known.
fn from_variable() -> Option<(String, String)> {
    let revision = env::var("PGMEDIC_REVISION").ok()?;
    let known = !revision.is_empty() && revision != "unknown" && revision.bytes().all(|byte| byte.is_ascii_graphic());
    known.then(|| (revision, String::new()))
}

/// The commit that is checked out, and its date.
fn from_git() -> Option<(String, String)> {
    let manifest = env::var("CARGO_MANIFEST_DIR").ok()?;
    // A folder inside the repository of another project has that project's revision.
    if !Path::new(&manifest).join(".git").exists() {
        return None;
    }
    // Changed by each commit and each checkout.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = output("git", &["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let line = output("git", &["log", "-1", "--format=%H %cs"])?;
    line.split_once(' ').map(|(revision, date)| (revision.to_owned(), date.to_owned()))
}

/// What `cargo package` writes beside the manifest: the commit as JSON.
fn from_package() -> Option<(String, String)> {
    let path = Path::new(&env::var("CARGO_MANIFEST_DIR").ok()?).join(".cargo_vcs_info.json");
    let text = std::fs::read_to_string(path).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let revision = rest.split('"').nth(1)?;
    Some((revision.to_owned(), String::new()))
}

/// The first line that a program prints, where it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}
