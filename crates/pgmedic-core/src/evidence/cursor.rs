//! Reads the tokens of one statement from left to right.

use super::act::NameRef;
use super::tokens::Token;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub rest: &'a [Token],
    /// What follows the last token is not known.
    pub cut: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a [Token], cut: bool) -> Self {
        Self { rest, cut }
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.rest.first()
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Takes the next token if it is this word.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_word(word));
        if found {
            self.next();
        }
        found
    }

    /// Takes these words, all or none.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let before = *self;
        let all = words.iter().all(|word| self.word(word));
        if !all {
            *self = before;
        }
        all
    }

    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if found {
            self.next();
        }
        found
    }

    /// A name of one part, as PostgreSQL stores it.
    pub(super) fn identifier(&mut self) -> Option<&'a str> {
        match self.peek()? {
            Token::Word(name) | Token::Quoted(name) => {
                self.next();
                Some(name)
            }
            _ => None,
        }
    }

    /// The name of a relation, with its schema or without.
    pub(super) fn relation(&mut self) -> Option<NameRef> {
        let mut name = NameRef { schema: None, name: self.identifier()?.to_owned() };
        while self.symbol('.') {
            name = NameRef { schema: Some(name.name), name: self.identifier()?.to_owned() };
        }
        Some(name)
    }

    /// A relation after `ONLY`, before a star, or plain.
    pub(super) fn inherited_relation(&mut self) -> Option<NameRef> {
        let only = self.word("only");
        let parenthesis = only && self.symbol('(');
        let name = self.relation()?;
        if parenthesis && !self.symbol(')') {
            return None;
        }
        self.symbol('*');
        Some(name)
    }

    /// What is within the parentheses that begin here, and whether they are closed.
    pub(super) fn parenthesis(&mut self) -> Option<Cursor<'a>> {
        if !self.symbol('(') {
            return None;
        }
        let inside = self.rest;
        let mut depth = 1_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Symbol('(' | '[') => depth += 1,
                Token::Symbol(')' | ']') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let length = inside.len() - self.rest.len() - 1;
                return Some(Cursor::new(&inside[..length], false));
            }
        }
        Some(Cursor::new(inside, true))
    }

    /// The parts between commas that stand in no parentheses. Of a cut text the last part is left out.
    pub(super) fn list(self) -> Vec<&'a [Token]> {
        let mut parts = Vec::new();
        let (mut depth, mut start) = (0_usize, 0);
        for (index, token) in self.rest.iter().enumerate() {
            match token {
                Token::Symbol('(' | '[') => depth += 1,
                Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
                Token::Symbol(',') if depth == 0 => {
                    parts.push(&self.rest[start..index]);
                    start = index + 1;
                }
                _ => {}
            }
        }
        if !self.cut {
            parts.push(&self.rest[start..]);
        }
        parts
    }

    /// Up to the first of `words` that stands in no parentheses, and without it; what it leaves begins with that word.
    pub(super) fn until(&mut self, words: &[&str]) -> Cursor<'a> {
        let all = self.rest;
        let mut depth = 0_usize;
        let end = all.iter().position(|token| {
            match token {
                Token::Symbol('(' | '[') => depth += 1,
                Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
                Token::Word(word) if depth == 0 => return words.contains(&word.as_str()),
                _ => {}
            }
            false
        });
        let (before, rest) = all.split_at(end.unwrap_or(all.len()));
        self.rest = rest;
        Cursor::new(before, self.cut && end.is_none())
    }
}
