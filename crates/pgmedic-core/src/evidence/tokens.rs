//! The tokens of SQL text (PostgreSQL manual, Lexical Structure).

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or an unquoted name, in lower case.
    Word(String),
    /// A quoted name, without its quotes.
    Quoted(String),
    /// A string constant; none where its content depends on escapes.
    Text(Option<String>),
    /// A parameter, such as `$1`.
    Parameter,
    Number,
    Symbol(char),
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        *self == Self::Symbol(symbol)
    }
}

/// The statements of a text, as far as it reaches.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    /// Their tokens, without the semicolons.
    pub statements: Vec<Vec<Token>>,
    /// The last statement is cut off within a token.
    pub cut: bool,
}

/// The statements of `text`; none where a setting of the session decides how it is read.
pub(super) fn lex(text: &str) -> Option<Lexed> {
    let mut lexed = Lexed { statements: vec![Vec::new()], cut: false };
    let (mut rest, mut depth) = (text, 0_usize);
    loop {
        rest = match skip_space(rest) {
            Ok(rest) => rest,
            Err(Cut) => {
                lexed.cut = true;
                break;
            }
        };
        if rest.is_empty() {
            break;
        }
        let (token, after) = match token(rest) {
            Lexeme::Token(token, after) => (token, after),
            Lexeme::Cut => {
                lexed.cut = true;
                break;
            }
            Lexeme::Ambiguous => return None,
        };
        rest = after;
        match token {
            Token::Symbol('(' | '[') => depth += 1,
            Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
            Token::Symbol(';') if depth == 0 => {
                lexed.statements.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(statement) = lexed.statements.last_mut() {
            statement.push(token);
        }
    }
    Some(lexed)
}

/// The text ends within a token.
struct Cut;

enum Lexeme<'a> {
    Token(Token, &'a str),
    Cut,
    /// It is another token where `standard_conforming_strings` is off.
    Ambiguous,
}

/// What follows white space and comments, which may be nested.
fn skip_space(text: &str) -> Result<&str, Cut> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}', '\u{b}']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find(['\n', '\r']).map_or("", |end| &comment[end..]);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest).ok_or(Cut)?;
        } else {
            return Ok(rest);
        }
    }
}

fn after_comment(text: &str) -> Option<&str> {
    let (mut rest, mut depth) = (text, 0_u32);
    loop {
        let next = rest.find(['/', '*'])?;
        rest = &rest[next..];
        if let Some(after) = rest.strip_prefix("/*") {
            (rest, depth) = (after, depth + 1);
        } else if let Some(after) = rest.strip_prefix("*/") {
            (rest, depth) = (after, depth - 1);
            if depth == 0 {
                return Some(rest);
            }
        } else {
            rest = &rest[1..];
        }
    }
}

fn token(text: &str) -> Lexeme<'_> {
    let Some(first) = text.chars().next() else { return Lexeme::Cut };
    match first {
        '\'' => plain_string(&text[1..]),
        '"' => match until_quote(&text[1..], '"') {
            Some((name, after)) => Lexeme::Token(Token::Quoted(name), after),
            None => Lexeme::Cut,
        },
        '$' => dollar(text),
        '0'..='9' => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(text.len());
            Lexeme::Token(Token::Number, &text[end..])
        }
        first if begins_word(first) => word(text),
        symbol => Lexeme::Token(Token::Symbol(symbol), &text[symbol.len_utf8()..]),
    }
}

fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn word(text: &str) -> Lexeme<'_> {
    let end = text.find(|c: char| !(begins_word(c) || c.is_ascii_digit() || c == '$')).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    let word = word.to_ascii_lowercase();
    match (word.as_str(), after.strip_prefix('\'')) {
        ("e", Some(inside)) => return escape_string(inside),
        ("n", Some(inside)) => return plain_string(inside),
        ("b" | "x", Some(inside)) => {
            return until_quote(inside, '\'').map_or(Lexeme::Cut, |(_, after)| Lexeme::Token(Token::Text(None), after));
        }
        _ => {}
    }
    // Unicode escapes: what the constant or name is, is not looked at.
    if let ("u", Some(quote @ ('\'' | '"'))) =
        (word.as_str(), after.strip_prefix('&').and_then(|rest| rest.chars().next()))
    {
        return until_quote(&after[2..], quote)
            .map_or(Lexeme::Cut, |(_, after)| Lexeme::Token(Token::Text(None), after));
    }
    Lexeme::Token(Token::Word(word), after)
}

/// Up to the closing quote; two of them are one in the text.
fn until_quote(inside: &str, quote: char) -> Option<(String, &str)> {
    let (mut text, mut rest) = (String::new(), inside);
    loop {
        let (piece, after) = rest.split_once(quote)?;
        text.push_str(piece);
        match after.strip_prefix(quote) {
            Some(more) => {
                text.push(quote);
                rest = more;
            }
            None => return Some((text, after)),
        }
    }
}

fn plain_string(inside: &str) -> Lexeme<'_> {
    let mut rest = inside;
    while let Some((piece, after)) = rest.split_once('\'') {
        // A backslash before a quote ends the constant, or does not, by a setting of the session.
        if piece.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            return Lexeme::Ambiguous;
        }
        match after.strip_prefix('\'') {
            Some(more) => rest = more,
            None => break,
        }
    }
    match until_quote(inside, '\'') {
        Some((text, after)) => Lexeme::Token(Token::Text((!text.contains('\\')).then_some(text)), after),
        None => Lexeme::Cut,
    }
}

fn escape_string(inside: &str) -> Lexeme<'_> {
    let (mut rest, mut escapes) = (inside, false);
    loop {
        let Some(next) = rest.find(['\'', '\\']) else { return Lexeme::Cut };
        if rest[next..].starts_with('\\') {
            escapes = true;
            let mut after = rest[next + 1..].chars();
            if after.next().is_none() {
                return Lexeme::Cut;
            }
            rest = after.as_str();
        } else if rest[next..].starts_with("''") {
            rest = &rest[next + 2..];
        } else {
            let content = &inside[..inside.len() - rest.len() + next];
            let text = (!escapes).then(|| content.replace("''", "'"));
            return Lexeme::Token(Token::Text(text), &rest[next + 1..]);
        }
    }
}

/// A parameter, or a constant between dollar signs.
fn dollar(text: &str) -> Lexeme<'_> {
    let inside = &text[1..];
    let digits = inside.len() - inside.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 {
        return Lexeme::Token(Token::Parameter, &inside[digits..]);
    }
    let end = inside.find(|c: char| !(begins_word(c) || c.is_ascii_digit())).unwrap_or(inside.len());
    if !inside[end..].starts_with('$') {
        return Lexeme::Token(Token::Symbol('$'), inside);
    }
    let tag = &text[..end + 2];
    match text[tag.len()..].split_once(tag) {
        Some((content, after)) => Lexeme::Token(Token::Text(Some(content.to_owned())), after),
        None => Lexeme::Cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        let shown = |token: &Token| match token {
            Token::Word(word) => word.clone(),
            Token::Quoted(name) => format!("\"{name}\""),
            Token::Text(text) => format!("'{}'", text.as_deref().unwrap_or("?")),
            Token::Parameter => "$".to_owned(),
            Token::Number => "#".to_owned(),
            Token::Symbol(symbol) => symbol.to_string(),
        };
        let lexed = lex(text).unwrap();
        lexed.statements.iter().map(|tokens| tokens.iter().map(shown).collect()).collect()
    }

    #[test]
    fn constants_comments_and_quoted_names_hide_what_is_in_them() {
        let text =
            "SELECT 'a;''b' /* ; /* nested */ ; */, \"x\"\"; y\" -- ; end\n, $tag$ ; $$ ; $tag$, $1::INT; TABLE t";
        let expected = ["select", "'a;'b'", ",", "\"x\"; y\"", ",", "' ; $$ ; '", ",", "$", ":", ":", "int"];
        assert_eq!(words(text), [expected.map(ToOwned::to_owned).to_vec(), vec!["table".to_owned(), "t".to_owned()]]);
    }

    #[test]
    fn a_name_may_hold_a_dollar_sign_and_a_constant_escapes() {
        assert_eq!(words(r"a$b$c E'x\'y' n'z' U&'d\0061' x'1f' 1e5"), [["a$b$c", "'?'", "'z'", "'?'", "'?'", "#"]]);
    }

    #[test]
    fn a_text_that_ends_within_a_token_is_cut() {
        for text in ["SELECT 'a", "SELECT \"a", "SELECT /* a", "SELECT $a$ b", "SELECT E'a\\", "SELECT E'a"] {
            let lexed = lex(text).unwrap();
            assert!(lexed.cut && lexed.statements[0].len() == 1, "{text}");
        }
        assert!(!lex("SELECT 1").unwrap().cut);
    }

    #[test]
    fn a_text_that_a_setting_decides_is_not_read() {
        assert!(lex(r"SELECT 'a\', 'b'").is_none());
        assert!(lex(r"SELECT 'a\\', 'b'").is_some());
        assert!(lex(r"SELECT 'C:\temp'").is_some());
    }
}
