//! Merges the layers (built-in defaults, then the file, then the variables), and keeps where each value was set.

use std::collections::HashMap;
use std::path::Path;

use ::config::{Config, File as Layer, FileFormat};

use super::environment::Environment;
use super::error::{ConfigError, ConfigLocation};
use super::file::File;
use super::keys::Written;

/// The built-in defaults are the shipped default file itself, so the two cannot differ.
pub(super) const DEFAULTS: &str = include_str!("../../config/pgmedic.toml");

/// The merged layers, with the location of each setting.
pub(super) struct Layers {
    pub written: Written,
    pub locations: ConfigLocations,
}

impl Layers {
    /// Reads and merges the layers.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a key or variable is unknown or of the wrong type.
    pub(super) fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let file = file.map(File::read).transpose()?;
        let variables = environment.settings()?;

        let mut builder = Config::builder().add_source(Layer::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = &file {
            builder = builder.add_source(Layer::from_str(&file.text, FileFormat::Toml));
        }
        let mut locations = ConfigLocations::new(file);
        for setting in variables {
            builder = builder.set_override(&setting.key, setting.value).map_err(|_| locations.cannot_merge())?;
            locations.variables.insert(setting.key, setting.variable);
        }
        // Each layer has been checked, so merging cannot fail. If it fails all the same, the error does not show the
        // cause, which may contain a URL.
        let written = builder.build().and_then(Config::try_deserialize).map_err(|_| locations.cannot_merge())?;
        Ok(Self { written, locations })
    }
}

/// Finds the file position or the variable that set a key.
pub(super) struct ConfigLocations {
    file: Option<File>,
    variables: HashMap<String, String>,
}

impl ConfigLocations {
    fn new(file: Option<File>) -> Self {
        Self { file, variables: HashMap::new() }
    }

    /// The configuration file, if there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// The location where the key was set. For a missing key: where its table begins.
    pub(super) fn of(&self, key: &str) -> ConfigLocation {
        // A variable sets a list as a whole, so its items have no locations.
        let list = key.split('[').next().unwrap_or(key);
        if let Some(variable) = self.variables.get(list) {
            return ConfigLocation::Variable(variable.clone());
        }
        let Some(file) = &self.file else {
            return ConfigLocation::file(Path::new("built-in defaults"), None);
        };
        let mut path = key;
        loop {
            if let Some(position) = file.positions.get(path) {
                return ConfigLocation::file(&file.path, Some(*position));
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return ConfigLocation::file(&file.path, None),
            }
        }
    }

    /// An error about the value of a key.
    pub(super) fn invalid(
        &self,
        key: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> ConfigError {
        let key = key.into();
        ConfigError::Invalid { location: self.of(&key), key, found: found.into(), expected: expected.into() }
    }

    fn cannot_merge(&self) -> ConfigError {
        ConfigError::Invalid {
            location: ConfigLocation::file(self.file().unwrap_or(Path::new("built-in defaults")), None),
            key: String::new(),
            found: "settings that cannot be merged".to_owned(),
            expected: "settings as in the default configuration".to_owned(),
        }
    }
}
