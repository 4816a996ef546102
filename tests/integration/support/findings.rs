//! Short checks of a report's fields for one sequence.

use super::Outcome;
use serde_json::{Value, json};

impl Outcome {
    /// Checks that the finding of this sequence has at least these fields.
    #[track_caller]
    pub fn shows(&self, sequence: &str, expected: Value) -> &Self {
        let found = self.sequence(sequence);
        for (field, value) in expected.as_object().expect("fields of a finding") {
            assert_eq!(&found[field], value, "{field} of {found:#}");
        }
        self
    }

    /// Checks that the finding's repair has at least these fields.
    #[track_caller]
    pub fn repair(&self, sequence: &str, expected: Value) -> &Self {
        let found = self.sequence(sequence);
        for (field, value) in expected.as_object().expect("fields of a repair") {
            assert_eq!(&found["repair"][field], value, "{field} of {found:#}");
        }
        self
    }

    /// The finding's reason and notes, each with its fix, as the table prints them.
    #[track_caller]
    pub fn reason(&self, sequence: &str) -> String {
        let found = self.sequence(sequence);
        let notes = found["notes"].as_array().expect("a list of notes");
        let reasons: Vec<String> = std::iter::once(&found["reason"]).chain(notes).map(sentence).collect();
        reasons.join("; ")
    }

    /// The reason of the finding's repair, with its fix.
    #[track_caller]
    pub fn repair_reason(&self, sequence: &str) -> String {
        sentence(&self.sequence(sequence)["repair"]["reason"])
    }

    /// The command that the finding's reason gives.
    #[track_caller]
    pub fn fix(&self, sequence: &str) -> String {
        text(&self.sequence(sequence)["reason"]["fix"])
    }

    /// The command that the reason of the finding's repair gives.
    #[track_caller]
    pub fn repair_fix(&self, sequence: &str) -> String {
        text(&self.sequence(sequence)["repair"]["reason"]["fix"])
    }

    /// The reason for which the first database's pass could not be completed.
    #[track_caller]
    pub fn error(&self) -> String {
        sentence(&self.database()["error"])
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
    json!({ "column": column, "link": link, "followed": false })
}

/// A reason's text, and its fix where it has one.
#[track_caller]
pub fn sentence(reason: &Value) -> String {
    match &reason["fix"] {
        Value::Null => text(&reason["text"]),
        fix => format!("{}: {}", text(&reason["text"]), text(fix)),
    }
}
