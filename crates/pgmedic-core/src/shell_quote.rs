//! Quotes arguments of the shell commands in reports.

/// Quotes a name as one argument of a shell command.
pub fn shell_quote(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
