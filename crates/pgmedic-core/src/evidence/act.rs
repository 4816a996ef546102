//! What a text's statements do to ids and sequences.

use super::StatementKind;
use super::cursor::Cursor;
use super::moves::{restarts, setvals, truncate};
use super::tokens::{Token, lex};
use super::writes::{copy, insert, merge, update};

/// A relation as a statement names it: folded, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameRef {
    pub schema: Option<String>,
    pub name: String,
}

/// The columns for which a statement has explicit values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Columns(Vec<String>),
    /// By their places in the table, from 1.
    Places(Vec<usize>),
    All,
}

/// Something that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// By an INSERT, UPDATE, MERGE or COPY.
    Write {
        kind: StatementKind,
        table: NameRef,
        written: Written,
    },
    /// `setval` of a sequence that the text names.
    Setval(NameRef),
    /// `setval` of the sequence of a column that the text names.
    SetvalOfColumn {
        table: NameRef,
        column: String,
    },
    /// `setval` of a sequence that the text does not tell.
    SetvalOfUnknown,
    RestartSequence(NameRef),
    RestartColumn {
        table: NameRef,
        column: String,
    },
    Truncate {
        tables: Vec<NameRef>,
        cascade: bool,
    },
}

/// WITH lists within WITH lists that are looked at.
const MOST_NESTED: u32 = 8;

/// What the statements of `text` do. `cut` says that the text may go on.
///
/// Code that a text only defines or describes (functions, views, `DO`, `EXPLAIN`, `PREPARE`) is not looked at.
pub fn acts(text: &str, cut: bool) -> Vec<Act> {
    let Some(lexed) = lex(text) else { return Vec::new() };
    let last = lexed.statements.len().saturating_sub(1);
    let mut acts = Vec::new();
    for (index, tokens) in lexed.statements.iter().enumerate() {
        if defines_statements(tokens) {
            // The semicolons that follow may be within the body.
            break;
        }
        statement(Cursor::new(tokens, (cut || lexed.cut) && index == last), &mut acts);
    }
    acts
}

/// `CREATE FUNCTION … BEGIN ATOMIC …; …; END`.
fn defines_statements(tokens: &[Token]) -> bool {
    let atomic = |pair: &[Token]| pair[0].is_word("begin") && pair[1].is_word("atomic");
    tokens.first().is_some_and(|first| first.is_word("create")) && tokens.windows(2).any(atomic)
}

fn statement(cursor: Cursor<'_>, acts: &mut Vec<Act>) {
    let Some(first) = cursor.peek() else { return };
    let Token::Word(word) = first else {
        if first.is_symbol('(') {
            acts.extend(setvals(cursor));
        }
        return;
    };
    match word.as_str() {
        "select" | "values" | "with" | "insert" | "update" | "delete" | "merge" => {
            writes(cursor, MOST_NESTED, acts);
            acts.extend(setvals(cursor));
        }
        "copy" => acts.extend(copy(cursor)),
        "alter" => acts.extend(restarts(cursor)),
        "truncate" => acts.extend(truncate(cursor)),
        _ => {}
    }
}

/// The statement itself, and those in its WITH list, down to so many levels.
fn writes(mut cursor: Cursor<'_>, levels: u32, acts: &mut Vec<Act>) {
    if levels == 0 {
        return;
    }
    if cursor.word("with") {
        cursor.word("recursive");
        loop {
            if cursor.identifier().is_none() {
                return;
            }
            cursor.parenthesis();
            if !cursor.word("as") {
                return;
            }
            cursor.word("not");
            cursor.word("materialized");
            let Some(inside) = cursor.parenthesis() else { return };
            writes(inside, levels - 1, acts);
            if !cursor.symbol(',') {
                break;
            }
        }
    }
    let Some(Token::Word(word)) = cursor.peek() else { return };
    match word.as_str() {
        "insert" => acts.extend(insert(cursor)),
        "update" => acts.extend(update(cursor)),
        "merge" => acts.extend(merge(cursor)),
        _ => {}
    }
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
