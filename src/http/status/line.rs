//! A line of text of which some parts are more than text: names, numbers, points in time.

#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Text(String),
    /// What the eye looks for.
    Strong(String),
    /// The name of a relation, with its schema.
    Name(String),
    /// A point in time, shown as its distance from now.
    Ago(f64),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line(Vec<Piece>);

impl Line {
    pub fn new(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }

    pub fn text(self, text: impl Into<String>) -> Self {
        self.and(Piece::Text(text.into()))
    }

    pub fn strong(self, text: impl Into<String>) -> Self {
        self.and(Piece::Strong(text.into()))
    }

    pub fn name(self, name: &str) -> Self {
        self.and(Piece::Name(name.to_owned()))
    }

    pub fn ago(self, at: f64) -> Self {
        self.and(Piece::Ago(at))
    }

    fn and(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// As a reader sees it at this time.
    #[cfg(test)]
    pub fn at(&self, now: f64) -> String {
        let words = self.0.iter().map(|piece| match piece {
            Piece::Text(text) | Piece::Strong(text) | Piece::Name(text) => text.clone(),
            Piece::Ago(at) => format!("{} ago", super::time::roughly(now - at)),
        });
        words.collect()
    }
}
