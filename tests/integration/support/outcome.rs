//! Output and exit code of the binary.

use serde_json::Value;
use std::process::Output;

#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8 output");
        let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {}", output.status));
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code, and panics with the whole output if it differs.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON report.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// The first database of the report.
    #[track_caller]
    pub fn database(&self) -> Value {
        self.json()["databases"][0].clone()
    }

    /// The finding of one sequence, by the name in the report.
    #[track_caller]
    pub fn sequence(&self, name: &str) -> Value {
        let found: Vec<Value> = self.database()["sequences"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|sequence| sequence["name"] == name)
            .cloned()
            .collect();
        match found.as_slice() {
            [one] => one.clone(),
            others => panic!("{} findings of {name} in\n{}\n{}", others.len(), self.stdout, self.stderr),
        }
    }
}
