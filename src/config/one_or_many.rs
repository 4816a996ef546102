//! A key whose value is one, or a list.

use serde::{Deserialize, Serialize};

use super::sessions::Scalar;

/// One value, or a list.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl OneOrMany<Scalar> {
    /// As TOML writes it.
    pub(super) fn to_toml(&self) -> String {
        let scalar = |value: &Scalar| match value {
            Scalar::Switch(switch) => switch.to_string(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Text(text) => toml::Value::String(text.clone()).to_string(),
        };
        match self {
            Self::One(value) => scalar(value),
            Self::Many(values) => format!("[{}]", values.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        }
    }
}
