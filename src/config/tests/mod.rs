//! Loads files and variables, and checks the settings or the error.

mod databases;
mod errors;
mod fuzz;
mod layers;
mod secrets;
mod servers;
mod sessions;
mod webhook;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A configuration in a temporary folder.
struct Scene {
    folder: TempDir,
    environment: Vec<(String, String)>,
    file: bool,
}

/// No file and no variables.
fn bare() -> Scene {
    Scene { folder: tempfile::tempdir().unwrap(), environment: Vec::new(), file: false }
}

/// A file with this text, and `DATABASE_URL` for its database.
fn file(text: &str) -> Scene {
    let scene = bare().beside("pgmedic.toml", text);
    Scene { file: true, ..scene }.variable("DATABASE_URL", "postgres://u@localhost/app")
}

/// Only variables, and `DATABASE_URL` for the database.
fn variable(name: &str, value: &str) -> Scene {
    bare().variable("DATABASE_URL", "postgres://u@localhost/app").variable(name, value)
}

impl Scene {
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another file in the same folder.
    fn beside(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        let file = self.file.then(|| self.path("pgmedic.toml"));
        let environment = self.environment.iter().cloned().collect();
        Settings::load(file.as_deref(), &environment)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap()
    }

    /// The error's text, with the folder left out.
    fn error(&self) -> String {
        let error = self.load().unwrap_err().to_string();
        assert!(error.lines().count() <= 2, "{error}");
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[track_caller]
fn assert_says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "{word:?} is missing in: {error}");
    }
}
