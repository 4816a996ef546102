//! The secret that a client holds, of which the database holds only a hash.

use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// 256 bits: nobody finds one by trying.
const BYTES: usize = 32;

/// A fresh session's secret, as 64 hexadecimal digits. It is nowhere else: what is not handed to the client is lost.
///
/// It neither implements `Display` nor shows itself in `Debug`.
pub struct Token(String);

impl Token {
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// The secret itself, for the client's cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// SHA-256 of a token's text, in hexadecimal digits. The token has all the entropy there is, so neither salt nor a
/// slow hash would add anything; and looking up by hash gives no timing away.
pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::session_store::token::*;

    #[test]
    fn a_token_has_256_bits_and_hides_itself() {
        let token = Token::generate().unwrap();
        assert_eq!(token.expose().len(), 64);
        assert_ne!(token.expose(), Token::generate().unwrap().expose());
        assert_eq!(format!("{token:?}"), "Token(hidden)");
    }

    /// FIPS 180-4's own example.
    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
