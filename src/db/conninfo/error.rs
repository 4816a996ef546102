//! Why a connection string cannot be used. No error repeats a value that could be a piece of a password.

use std::path::PathBuf;

/// Why a connection string cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    #[error("it must be a URL such as postgres://user@host/database, or parameters such as host=db1 dbname=app")]
    Form,
    #[error("it holds a space, a line break or a control character (percent-encode it, a space is %20)")]
    Whitespace,
    #[error("it holds a zero byte")]
    Nul,
    #[error("its port must be a number from 1 to 65535 (percent-encode / ? # @ : in a password)")]
    Port,
    #[error("its host is missing (for a socket: postgres:///database?host=/run/postgresql&user=…)")]
    EmptyHost,
    #[error("its host cannot be read (percent-encode / ? # @ : in a password)")]
    Host,
    #[error("it holds @ after the host (percent-encode / ? # @ : in a password)")]
    Stray,
    #[error("it holds a percent sign that two hexadecimal digits do not follow (a percent sign itself is %25)")]
    Percent,
    #[error("one of its parts is not UTF-8 once percent-decoded")]
    NotUtf8,
    #[error("a quote in it is not closed")]
    Quote,
    #[error("it has a parameter without = and a value")]
    NoValue,
    #[error("it names {hosts} hosts and {others} {what}; expected one for each host")]
    Count { hosts: usize, others: usize, what: &'static str },
    #[error("its parameter {0} is unknown; remove it")]
    Unknown(String),
    #[error("its parameter {name} must be {expected}")]
    Value { name: &'static str, expected: &'static str },
    #[error("its parameter {name} asks for what pgmedic cannot do: {instead}")]
    Unsupported { name: String, instead: &'static str },
    #[error("the variable {variable} asks for what pgmedic cannot do: {instead}")]
    UnsupportedVariable { variable: &'static str, instead: &'static str },
    #[error("it names the service {name}, which {} does not define", files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" or "))]
    NoService { name: String, files: Vec<PathBuf> },
    #[error("the service file {}: {problem}", path.display())]
    ServiceFile { path: PathBuf, problem: String },
}

impl ConninfoError {
    /// The same, where the parameter stands in a variable.
    pub fn of_variable(self, variable: &'static str) -> Self {
        match self {
            Self::Unsupported { instead, .. } => Self::UnsupportedVariable { variable, instead },
            other => other,
        }
    }
}
