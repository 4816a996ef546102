//! Presets: the session stores of known frameworks. Each is a file in `src/sessions/presets/`.

use serde::Deserialize;

use super::keys::WrittenStore;

/// The session store of a known framework, which defines the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The value of `preset`, and the name of its file.
    #[serde(skip)]
    pub name: &'static str,
    /// The software that writes the table.
    pub client: String,
    /// When a session expires, and which keys the configuration must add.
    pub meaning: String,
    pub(super) store: WrittenStore,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../sessions/presets/", $name, ".toml")))),*]
    };
}

const FILES: [(&str, &str); 25] = files![
    "activerecord-session_store",
    "auth.js",
    "auth.js-drizzle",
    "auth.js-prisma",
    "better-auth",
    "connect-pg-simple",
    "connect-session-knex",
    "connect-session-sequelize",
    "django",
    "django-oauth-toolkit",
    "doorkeeper",
    "flask-session",
    "gitea",
    "grafana",
    "keycloak-offline",
    "laravel",
    "lucia",
    "mattermost",
    "ory-kratos",
    "rails",
    "scs",
    "spring-session",
    "supabase",
    "symfony",
    "tower-sessions",
];

impl Preset {
    /// The preset of this name.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        FILES.iter().find(|(known, _)| *known == name).map(|(name, text)| Self::read(name, text))
    }

    /// Every name, sorted.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// Every preset, by name.
    pub fn all() -> Vec<Self> {
        FILES.iter().map(|(name, text)| Self::read(name, text)).collect()
    }

    /// The keys of `[[sessions]]` that the preset sets, with their values.
    pub fn keys(&self) -> Vec<(&'static str, &str)> {
        let store = &self.store;
        let user = store.user.as_ref().and_then(|user| user.as_slice().first());
        let keys = [
            ("table", &store.table),
            ("expires_at", &store.expires_at),
            ("last_activity", &store.last_activity),
            ("created_at", &store.created_at),
            ("encoding", &store.encoding),
            ("time_zone", &store.time_zone),
        ];
        let keys = keys.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
        keys.chain(user.map(|user| ("user", user.as_str()))).collect()
    }

    /// The keys whose values are tables, with the values as TOML writes them.
    pub fn tables(&self) -> Vec<(&'static str, String)> {
        let only = self.store.only.as_ref().map(|only| {
            let conditions: Vec<String> =
                only.iter().map(|(column, values)| format!("{column} = {}", values.to_toml())).collect();
            ("only", format!("{{ {} }}", conditions.join(", ")))
        });
        let lifetime = self.store.lifetime.as_ref().and_then(|lifetime| {
            let (column, unit) = (lifetime.column.as_ref()?, lifetime.unit.as_ref()?);
            Some(("lifetime", format!("{{ column = \"{column}\", unit = \"{unit}\" }}")))
        });
        only.into_iter().chain(lifetime).collect()
    }

    /// The preset as `pgmedic presets` prints it: client, meaning, and keys.
    pub fn to_toml_lines(&self) -> String {
        let mut text = format!("{}: {}\n  # {}\n", self.name, self.client, self.meaning);
        for (key, value) in self.keys() {
            let quote = if value.contains('"') { '\'' } else { '"' };
            text += &format!("  {key} = {quote}{value}{quote}\n");
        }
        for (key, value) in self.tables() {
            text += &format!("  {key} = {value}\n");
        }
        text
    }

    fn read(name: &'static str, text: &str) -> Self {
        #[expect(clippy::expect_used, reason = "the presets are built in, and a test reads each")]
        let preset: Self = toml::from_str(text).expect("a built-in preset is valid");
        Self { name, ..preset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_preset_is_sound_and_says_what_it_means() {
        let presets = Preset::all();
        assert_eq!(presets.len(), FILES.len());
        for preset in presets {
            assert!(!preset.client.is_empty() && !preset.meaning.is_empty(), "{}", preset.name);
            let keys: Vec<&str> = preset.keys().iter().map(|(key, _)| *key).collect();
            assert!(keys.contains(&"table") && keys.contains(&"encoding"), "{}: {keys:?}", preset.name);
            assert!(preset.store.revoke.is_none() && preset.store.schedule.is_none(), "{}", preset.name);
        }
    }

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sessions/presets");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), FILES.len());
    }
}
