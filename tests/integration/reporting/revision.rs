//! The build script finds the revision where there is one, and a folder without any can be built all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The build script, compiled alone: it uses nothing but the standard library.
struct Script {
    folder: TempDir,
    program: PathBuf,
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("build-script");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let mut compiler = Command::new("rustc");
        compiler.args(["--edition", "2024", "-o"]).arg(&program).arg(source);
        assert!(compiler.status().unwrap().success());
        fs::create_dir(folder.path().join("source")).unwrap();
        Self { folder, program }
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    /// The revision that a build of the source folder has, and its line with the date.
    fn revision(&self, variables: &[(&str, &str)]) -> (String, String) {
        let mut script = Command::new(&self.program);
        script.env_remove("PGMEDIC_REVISION").env("CARGO_MANIFEST_DIR", self.source()).current_dir(self.source());
        let output = script.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let value = |name: &str| {
            let line = format!("cargo:rustc-env=BUILT_{name}=");
            text.lines().find_map(|known| known.strip_prefix(&line)).expect(name).to_owned()
        };
        (value("REVISION"), value("REVISION_AND_DATE"))
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).current_dir(self.source());
        assert!(git.output().unwrap().status.success(), "{arguments:?}");
    }
}

#[test]
fn the_revision_comes_from_git_from_a_variable_or_from_the_package_and_may_be_unknown() {
    let script = Script::new();
    assert_eq!(script.revision(&[]).0, "unknown", "an unpacked folder");
    let told = script.revision(&[("PGMEDIC_REVISION", "0123456789abcdef0123")]);
    assert_eq!(told, ("0123456789ab".to_owned(), "0123456789ab".to_owned()));
    assert_eq!(script.revision(&[("PGMEDIC_REVISION", "unknown")]).0, "unknown");

    let package = r#"{ "git": { "sha1": "fedcba9876543210fedc" }, "path_in_vcs": "" }"#;
    fs::write(script.source().join(".cargo_vcs_info.json"), package).unwrap();
    assert_eq!(script.revision(&[]).0, "fedcba987654");

    script.git(&["init", "-q"]);
    script.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    let (revision, with_date) = script.revision(&[]);
    assert!(revision.len() == 12 && revision != "fedcba987654", "{revision}");
    assert!(with_date.starts_with(&format!("{revision} of 20")), "{with_date}");
}
