//! The secret of a session. The client holds it; the database holds only its hash.

use sha2::{Digest, Sha256};
use std::fmt;

/// 256 bits cannot be guessed.
const BYTES: usize = 32;

/// The secret of a new session, as 64 hexadecimal digits. It is stored nowhere: give it to the client, or it is lost.
///
/// It does not implement `Display`, and `Debug` does not show it.
pub struct Token(String);

impl Token {
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
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

/// SHA-256 of a token's text, in hexadecimal digits. A salt or a slow hash would add nothing to a random token, and
/// looking up by hash leaks no timing.
pub(super) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use crate::session_store::token::*;

    #[test]
    fn a_token_has_256_bits_and_debug_does_not_show_it() {
        let token = Token::generate().unwrap();
        assert_eq!(token.expose().len(), 64);
        assert_ne!(token.expose(), Token::generate().unwrap().expose());
        assert_eq!(format!("{token:?}"), "Token(hidden)");
    }

    /// The example of FIPS 180-4.
    #[test]
    fn the_hash_is_sha_256_in_lower_case_hexadecimal_digits() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
