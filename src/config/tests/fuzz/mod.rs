//! Any input gives settings that `check-config` prints and that load again, or one clear error; never a secret.

mod input;
mod lines;
mod urls;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::schema::env_keys;
use super::*;
use crate::proptest_config::cases;
use input::{CANARY, SECRET, bytes, file_of, one_key, soup, text};

/// Checks that the error is short, has no control characters, and contains no secret.
fn is_clear(error: &ConfigError) -> Result<String, TestCaseError> {
    let said = error.to_string();
    for shown in [&said, &format!("{error:?}"), &format!("{error:#?}")] {
        prop_assert!(!shown.contains(CANARY), "{shown}");
    }
    prop_assert!(said.chars().count() < 1500, "{} characters: {said:.200}", said.len());
    prop_assert!(!said.contains(char::is_control), "{said:?}");
    Ok(said)
}

/// Checks that the redacted settings contain no secret and load again as the same settings.
fn comes_back(settings: &Settings) -> Result<(), TestCaseError> {
    let shown = settings.redacted_toml();
    for shown in [&shown, &format!("{settings:?}"), &format!("{settings:#?}")] {
        prop_assert!(!shown.contains(CANARY), "{shown}");
    }
    let again = file(&shown).load();
    let again = again.map_err(|error| TestCaseError::fail(format!("{error}\n{shown}")))?;
    prop_assert_eq!(again.redacted_toml(), shown);
    prop_assert_eq!(&again.sequences, &settings.sequences);
    prop_assert_eq!(&again.sessions, &settings.sessions);
    prop_assert_eq!((&again.http, &again.log), (&settings.http, &settings.log));
    let names = |settings: &Settings| settings.databases.iter().map(|database| database.name.to_string()).collect();
    let (before, after): (Vec<String>, Vec<String>) = (names(settings), names(&again));
    prop_assert_eq!(before, after);
    Ok(())
}

fn either(scene: &Scene) -> Result<Option<String>, TestCaseError> {
    match scene.load() {
        Ok(settings) => comes_back(&settings).map(|()| None),
        Err(error) => is_clear(&error).map(Some),
    }
}

/// With a URL beside it, in `u`.
fn written(text: impl AsRef<[u8]>) -> Scene {
    let scene = file("").beside("u", SECRET);
    fs::write(scene.path("pgmedic.toml"), text).unwrap();
    scene
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_bytes_as_a_file(bytes in bytes()) {
        if let Some(said) = either(&written(bytes))? {
            prop_assert!(said.contains("pgmedic.toml"), "{said}");
        }
    }

    #[test]
    fn any_pieces_of_toml(text in soup()) {
        if let Some(said) = either(&written(text))? {
            prop_assert!(said.contains("pgmedic.toml"), "{said}");
        }
    }

    #[test]
    fn any_file_that_nearly_keeps_to_the_schema(text in file_of(0..3)) {
        if let Some(said) = either(&written(text))? {
            prop_assert!(said.contains("pgmedic.toml:"), "{said}");
        }
    }

    #[test]
    fn a_wrong_value_is_found_by_file_line_and_section((section, text) in one_key()) {
        if let Some(said) = either(&written(text))? {
            let (location, what) = said.split_once(": ").unwrap_or_default();
            prop_assert!(location.contains("pgmedic.toml:"), "{said}");
            // Or a key below it, which is unknown.
            let found = what.strip_prefix("unknown key `").unwrap_or(what).starts_with(&section);
            prop_assert!(found, "{section}: {said}");
        }
    }

    #[test]
    fn any_value_of_any_variable(index in 0..env_keys().len(), value in text()) {
        let name = format!("PGMEDIC_{}", env_keys()[index].0.to_uppercase().replace('.', "__"));
        if let Some(said) = either(&variable(&name, &value))? {
            prop_assert!(said.starts_with(&name), "{said}");
        }
    }

    #[test]
    fn any_variables_at_all(
        names in vec("(PGMEDIC_|DATABASE_URL|PGMEDIC_DATABASE_URL)\\PC{0,30}", 0..3),
        values in vec(vec(any::<u8>(), 0..30), 3),
    ) {
        let set: BTreeMap<String, OsString> = names.into_iter().zip(values.into_iter().map(OsString::from_vec)).collect();
        let environment = set.into_iter().collect();
        match Settings::load(None, &environment) {
            Ok(settings) => comes_back(&settings)?,
            Err(error) => drop(is_clear(&error)?),
        }
    }

    #[test]
    fn any_duration(text in "[0-9]{1,20}( ?[a-zµ]{1,7}( [0-9]{1,4} ?[a-z]{1,2})?)?") {
        let scene = variable("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", &text);
        match scene.load() {
            Ok(settings) => {
                let timeout = settings.sequences.lock_timeout;
                prop_assert!((1..=86_400_000).contains(&timeout.as_millis()));
                prop_assert_eq!(timeout.subsec_nanos() % 1_000_000, 0);
                comes_back(&settings)?;
            }
            Err(error) => prop_assert!(is_clear(&error)?.contains("expected a duration from 1ms to 1day")),
        }
    }
}
