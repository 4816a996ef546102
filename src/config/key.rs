//! A key, and the type of its value.

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub value: KeyType,
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum KeyType {
    /// `[name]`
    Table(&'static [Key]),
    /// `[[name]]`, any number of times. Only the file can hold these.
    Tables(&'static [Key]),
    Bool,
    Integer,
    Float,
    Duration,
    Text,
    /// Text that is never shown.
    Secret,
    List,
    /// Text, a whole number, true or false.
    Scalar,
    /// Text, or a list of texts.
    Texts,
    /// A table with any keys; each value is a scalar or a list of them.
    Conditions,
}

impl KeyType {
    /// Describes such a value; error messages put it after "expected".
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Tables(_) => "tables, each under its own [[…]] header",
            Self::Bool => "true or false",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Duration => "a duration with its unit, such as \"100ms\" or \"5s\"",
            Self::Text => "text in quotes",
            Self::Secret => "a connection URL in quotes",
            Self::List => "a list of texts, such as [\"public.*\"]",
            Self::Scalar => "text in quotes, a whole number, true or false",
            Self::Texts => "text in quotes, or a list of texts",
            Self::Conditions => "columns with their values, such as { kind = [\"web\", \"api\"] }",
        }
    }
}
