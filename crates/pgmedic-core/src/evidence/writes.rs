//! Statements that write explicit ids: INSERT, UPDATE, MERGE, COPY.

use super::cursor::Cursor;
use super::model::{Act, StatementKind, Written};
use super::tokens::Token;

/// `INSERT INTO table [AS alias] [(columns)] [OVERRIDING …] { VALUES … | query }`, where it has explicit values.
pub(super) fn insert(mut cursor: Cursor<'_>) -> Option<Act> {
    if !cursor.words(&["insert", "into"]) {
        return None;
    }
    let table = cursor.relation()?;
    if cursor.word("as") {
        cursor.identifier()?;
    }
    let written = inserted(&mut cursor)?;
    Some(Act::Write { kind: StatementKind::Insert, table, written })
}

/// What follows the table of an INSERT.
fn inserted(cursor: &mut Cursor<'_>) -> Option<Written> {
    let columns = column_list(cursor)?;
    if cursor.words(&["overriding", "user", "value"]) {
        return None;
    }
    cursor.words(&["overriding", "system", "value"]);
    if cursor.word("values") {
        let row = cursor.parenthesis()?.list();
        let explicit = row.iter().enumerate().filter(|(_, value)| is_explicit(value)).map(|(index, _)| index);
        let written = match columns {
            Some(columns) => Written::Columns(explicit.filter_map(|index| columns.get(index).cloned()).collect()),
            None => Written::Places(explicit.map(|index| index + 1).collect()),
        };
        return Some(written);
    }
    let is_query = cursor.peek().is_some_and(|token| {
        token.is_symbol('(') || ["select", "with", "table"].iter().any(|word| token.is_word(word))
    });
    // What a query draws may stand at its end, or in a subquery.
    if !is_query || cursor.cut || draws(cursor.rest) {
        return None;
    }
    // Without a list, the number of its columns is not known.
    Some(columns.map_or(Written::Places(vec![1]), Written::Columns))
}

/// The columns in parentheses; the inner value is none where there is no list.
fn column_list(cursor: &mut Cursor<'_>) -> Option<Option<Vec<String>>> {
    let begins_query = |token: &Token| {
        token.is_symbol('(') || ["select", "with", "values", "table"].iter().any(|word| token.is_word(word))
    };
    match cursor.rest {
        [open, inside, ..] if open.is_symbol('(') && !begins_query(inside) => {}
        _ => return Some(None),
    }
    let list = cursor.parenthesis()?;
    if list.cut {
        return None;
    }
    let name = |part: &[Token]| Cursor::new(part, false).identifier().map(ToOwned::to_owned);
    Some(Some(list.list().into_iter().map(name).collect::<Option<_>>()?))
}

/// Whether it is neither `DEFAULT` nor drawn from a sequence.
fn is_explicit(value: &[Token]) -> bool {
    !value.is_empty() && !draws(value) && !matches!(value, [only] if only.is_word("default"))
}

fn draws(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Word(name) | Token::Quoted(name) if name == "nextval"))
}

/// `UPDATE table … SET assignments`.
pub(super) fn update(mut cursor: Cursor<'_>) -> Option<Act> {
    if !cursor.word("update") {
        return None;
    }
    let table = cursor.inherited_relation()?;
    if !cursor.word("set") {
        cursor.word("as");
        cursor.identifier()?;
        if !cursor.word("set") {
            return None;
        }
    }
    let columns = assigned(cursor.until(&["from", "where", "returning"]));
    (!columns.is_empty()).then_some(Act::Write {
        kind: StatementKind::Update,
        table,
        written: Written::Columns(columns),
    })
}

/// The columns to which explicit values are assigned.
fn assigned(assignments: Cursor<'_>) -> Vec<String> {
    let mut columns = Vec::new();
    for part in assignments.list() {
        let mut part = Cursor::new(part, false);
        let several = part.parenthesis();
        let names: Vec<String> = match several {
            Some(list) => list
                .list()
                .into_iter()
                .filter_map(|name| Cursor::new(name, false).identifier())
                .map(Into::into)
                .collect(),
            None => part.identifier().map(ToOwned::to_owned).into_iter().collect(),
        };
        // A field or an element has more before the equals sign.
        let value = if part.symbol('=') { part.rest } else { continue };
        let mixed = several.is_some() && value.iter().any(|token| token.is_word("default"));
        if is_explicit(value) && !mixed {
            columns.extend(names);
        }
    }
    columns
}

/// `MERGE INTO table … WHEN … THEN INSERT …` or `UPDATE SET …`.
pub(super) fn merge(mut cursor: Cursor<'_>) -> Option<Act> {
    if !cursor.words(&["merge", "into"]) {
        return None;
    }
    let table = cursor.inherited_relation()?;
    let mut columns = Vec::new();
    let mut places = Vec::new();
    loop {
        cursor.until(&["then"]);
        if !cursor.word("then") {
            break;
        }
        let mut action = cursor.until(&["when", "returning"]);
        if action.word("insert") {
            match inserted(&mut action) {
                Some(Written::Columns(more)) => columns.extend(more),
                Some(Written::Places(more)) => places.extend(more),
                Some(Written::All) | None => {}
            }
        } else if action.words(&["update", "set"]) {
            columns.extend(assigned(action));
        }
    }
    let written = match (columns.is_empty(), places.is_empty()) {
        (false, _) => Written::Columns(columns),
        (true, false) => Written::Places(places),
        (true, true) => return None,
    };
    Some(Act::Write { kind: StatementKind::Merge, table, written })
}

/// `COPY table [(columns)] FROM …`.
pub(super) fn copy(mut cursor: Cursor<'_>) -> Option<Act> {
    if !cursor.word("copy") {
        return None;
    }
    let table = cursor.relation()?;
    let written = column_list(&mut cursor)?.map_or(Written::All, Written::Columns);
    cursor.word("from").then_some(Act::Write { kind: StatementKind::Copy, table, written })
}
