//! What a report says of one sequence, in few words.

use super::Outcome;
use serde_json::{Value, json};

impl Outcome {
    /// The finding of this sequence has at least these fields.
    #[track_caller]
    pub fn shows(&self, sequence: &str, expected: Value) -> &Self {
        let found = self.sequence(sequence);
        for (field, value) in expected.as_object().expect("fields of a finding") {
            assert_eq!(&found[field], value, "{field} of {found:#}");
        }
        self
    }

    /// The finding's repair has at least these fields.
    #[track_caller]
    pub fn repair(&self, sequence: &str, expected: Value) -> &Self {
        let found = self.sequence(sequence);
        for (field, value) in expected.as_object().expect("fields of a repair") {
            assert_eq!(&found["repair"][field], value, "{field} of {found:#}");
        }
        self
    }

    /// The finding's reason.
    #[track_caller]
    pub fn reason(&self, sequence: &str) -> String {
        text(&self.sequence(sequence)["reason"])
    }

    /// The reason of the finding's repair.
    #[track_caller]
    pub fn repair_reason(&self, sequence: &str) -> String {
        text(&self.sequence(sequence)["repair"]["reason"])
    }

    /// The names of all sequences in the first database's report, in its order.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let database = self.database();
        let sequences = database["sequences"].as_array().expect("a list of sequences");
        sequences.iter().map(|sequence| text(&sequence["name"])).collect()
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A feed as the report has it.
pub fn feed(column: &str, link: &str) -> Value {
    json!({ "column": column, "link": link })
}

/// The statement that a reason ends with, such as a `GRANT`.
#[track_caller]
pub fn fix<'a>(reason: &'a str, begins: &str) -> &'a str {
    let start = reason.find(begins).unwrap_or_else(|| panic!("no {begins} in: {reason}"));
    let statement = &reason[start..];
    statement.split([';', ',']).next().unwrap_or(statement)
}
