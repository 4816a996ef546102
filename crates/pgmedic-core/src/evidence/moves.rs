//! Statements that move a sequence: setval, RESTART, TRUNCATE … RESTART IDENTITY.

use super::cursor::Cursor;
use super::model::{Act, NameRef};
use super::tokens::Token;
use crate::name::{NamePart, split};

/// Every call of `setval` that the statement makes in any case.
pub(super) fn setvals(cursor: Cursor<'_>) -> Vec<Act> {
    let tokens = cursor.rest;
    let called = |index: usize| {
        let (name, open) = (&tokens[index], tokens.get(index + 1)?);
        let is_name = matches!(name, Token::Word(name) | Token::Quoted(name) if name == "setval");
        if !is_name || !open.is_symbol('(') || !is_expression(&tokens[..index]) {
            return None;
        }
        let inside = Cursor::new(&tokens[index + 1..], cursor.cut).parenthesis()?;
        let arguments = inside.list();
        // The name of a table with a list of its columns, such as an alias, is followed by AS or has no such arguments.
        let first = arguments.first().filter(|_| arguments.len() > 1 || inside.cut)?;
        Some(set_sequence(first))
    };
    (0..tokens.len()).filter_map(called).collect()
}

/// Whether an expression that is always evaluated can follow these tokens.
fn is_expression(before: &[Token]) -> bool {
    let number = |word: &str| before.iter().filter(|token| token.is_word(word)).count();
    if number("case") > number("end") {
        return false;
    }
    match before {
        [.., schema, dot] if dot.is_symbol('.') => match &before[..before.len() - 2] {
            rest if schema.is_word("pg_catalog") || *schema == Token::Quoted("pg_catalog".to_owned()) => {
                is_expression(rest)
            }
            _ => false,
        },
        [.., Token::Word(word)] => ["select", "from", "all", "distinct", "returning"].contains(&word.as_str()),
        [.., Token::Symbol(symbol)] => !matches!(symbol, '.' | ')' | ']'),
        _ => false,
    }
}

/// The sequence that the first argument of `setval` names.
fn set_sequence(argument: &[Token]) -> Act {
    let (value, cast) = match argument {
        [value, first, second, cast @ ..] if first.is_symbol(':') && second.is_symbol(':') => (Some(value), cast),
        [value] => (Some(value), &[][..]),
        _ => (None, argument),
    };
    if let Some(Token::Text(Some(name))) = value
        && (cast.is_empty() || is_regclass(cast))
    {
        return relation(name).map_or(Act::SetvalOfUnknown, Act::Setval);
    }
    serial_sequence(argument).unwrap_or(Act::SetvalOfUnknown)
}

fn is_regclass(cast: &[Token]) -> bool {
    match cast {
        [name] => name.is_word("regclass"),
        [schema, dot, name] => schema.is_word("pg_catalog") && dot.is_symbol('.') && name.is_word("regclass"),
        _ => false,
    }
}

/// `pg_get_serial_sequence('table', 'column')`, whose second argument is not folded.
fn serial_sequence(argument: &[Token]) -> Option<Act> {
    let mut cursor = Cursor::new(argument, false);
    cursor.word("pg_catalog");
    cursor.symbol('.');
    if !cursor.word("pg_get_serial_sequence") {
        return None;
    }
    match cursor.parenthesis()?.rest {
        [Token::Text(Some(table)), comma, Token::Text(Some(column))] if comma.is_symbol(',') => {
            Some(Act::SetvalOfColumn { table: relation(table)?, column: column.clone() })
        }
        _ => None,
    }
}

/// A name in a constant, as the server would read it.
fn relation(text: &str) -> Option<NameRef> {
    let stored = |part: NamePart| if part.quoted { part.text } else { part.text.to_ascii_lowercase() };
    let mut parts: Vec<String> = split(text).ok()?.into_iter().map(stored).collect();
    let name = parts.pop()?;
    Some(NameRef { schema: parts.pop(), name })
}

/// `ALTER SEQUENCE name … RESTART`, and the same of identity columns by `ALTER TABLE`.
pub(super) fn restarts(mut cursor: Cursor<'_>) -> Vec<Act> {
    cursor.word("alter");
    if cursor.word("sequence") {
        cursor.words(&["if", "exists"]);
        let name = cursor.relation();
        return name.filter(|_| restarts_in(cursor.rest)).map(Act::RestartSequence).into_iter().collect();
    }
    if !cursor.word("table") {
        return Vec::new();
    }
    cursor.words(&["if", "exists"]);
    let Some(table) = cursor.inherited_relation() else { return Vec::new() };
    let restarted = |action: &[Token]| {
        let mut action = Cursor::new(action, false);
        if !action.word("alter") {
            return None;
        }
        action.word("column");
        let column = action.identifier()?.to_owned();
        let other = action.rest.iter().any(|token| token.is_word("type") || token.is_word("using"));
        (!other && restarts_in(action.rest)).then(|| Act::RestartColumn { table: table.clone(), column })
    };
    cursor.list().into_iter().filter_map(restarted).collect()
}

/// Whether the word is an option, and not a name.
fn restarts_in(options: &[Token]) -> bool {
    options.iter().enumerate().any(|(index, token)| {
        let before = index.checked_sub(1).and_then(|index| options.get(index));
        let is_name = before.is_some_and(|before| {
            before.is_symbol('.') || ["by", "to", "schema"].iter().any(|word| before.is_word(word))
        });
        // `GENERATED BY DEFAULT RESTART` has DEFAULT in between.
        token.is_word("restart") && !is_name
    })
}

/// `TRUNCATE [TABLE] tables RESTART IDENTITY [CASCADE]`.
pub(super) fn truncate(mut cursor: Cursor<'_>) -> Option<Act> {
    cursor.word("truncate");
    cursor.word("table");
    let mut tables = Vec::new();
    loop {
        tables.push(cursor.inherited_relation()?);
        if !cursor.symbol(',') {
            break;
        }
    }
    cursor.words(&["restart", "identity"]).then(|| Act::Truncate { tables, cascade: cursor.word("cascade") })
}
