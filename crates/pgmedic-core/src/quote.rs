//! String constants for SQL text. Identifiers are quoted by the server alone, in the catalog query.

/// `text` as a string constant that does not depend on `standard_conforming_strings`
/// (PostgreSQL manual, Lexical Structure, String Constants with C-Style Escapes).
pub fn quote_literal(text: &str) -> String {
    let escape = if text.contains('\\') { "E" } else { "" };
    format!("{escape}'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use crate::quote::quote_literal;

    #[test]
    fn quotes_and_backslashes_stay_inside_the_constant() {
        assert_eq!(quote_literal("plain"), "'plain'");
        assert_eq!(quote_literal(r#""o'brien""#), r#"'"o''brien"'"#);
        assert_eq!(quote_literal(r"a\'; DROP"), r"E'a\\''; DROP'");
    }
}
