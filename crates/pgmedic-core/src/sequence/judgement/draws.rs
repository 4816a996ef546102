//! Which values of a stretch are looked at.

use super::ValueNumber;

/// Each draw is below this number.
const SPAN: i128 = 1 << 31;
/// Turns one set of draws into another for each stretch: odd, about the golden ratio of 2^32.
const TURN: i128 = 1_640_531_527;

/// Random numbers, each from 0 to 2^31 - 1, for drawing 32 values out of a stretch.
///
/// The same stretch is answered the same way each time, so a stretch that was found thin does not become dense by being
/// looked at again: keep the seed for as long as the memory of the sequence. It must not be guessable, or ids could be
/// placed where they are looked for.
///
/// A statement draws value `after + 1 + ((draw + after * 1640531527) mod 2^31) * (last - after) / 2^31` (integer
/// division) for each draw: it fits into an int8 when `after` is taken modulo 2^31 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws([u32; Draws::COUNT]);

impl Draws {
    /// Values looked at in a stretch; in one of so many values or fewer all of them are looked at.
    pub const COUNT: usize = 32;

    /// The draws that belong to a seed.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::Draws;
    ///
    /// assert_eq!(Draws::new(7), Draws::new(7));
    /// assert_ne!(Draws::new(7), Draws::new(8));
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| (split_mix(&mut state) >> 33) as u32))
    }

    /// The numbers themselves, as a statement's parameters.
    #[must_use]
    pub fn numbers(&self) -> &[u32; Self::COUNT] {
        &self.0
    }

    /// The values to look at in the stretch `after` < value <= `last`; one may come twice.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::Draws;
    ///
    /// let draws = Draws::new(7);
    /// assert!(draws.values(10, 12).eq([11, 12]), "all of a short stretch");
    /// assert_eq!(draws.values(0, 100_000).count(), 32);
    /// assert!(draws.values(0, 100_000).all(|value| (1..=100_000).contains(&value)));
    /// ```
    pub fn values(&self, after: ValueNumber, last: ValueNumber) -> impl Iterator<Item = ValueNumber> + '_ {
        let length = last - after;
        let all = length <= Self::COUNT as i128;
        let count = if all { usize::try_from(length).unwrap_or(0) } else { Self::COUNT };
        let turn = after.rem_euclid(SPAN) * TURN;
        (0..count).zip(&self.0).map(move |(nth, draw)| {
            let offset = if all { nth as i128 } else { (i128::from(*draw) + turn).rem_euclid(SPAN) * length / SPAN };
            after + 1 + offset
        })
    }
}

/// Steele, Lea and Flood's SplitMix64: spreads one seed over many numbers.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_over_the_whole_stretch() {
        let mut tenths = [0_u32; 10];
        for stretch in 0..200 {
            let after = stretch * 100_000;
            for value in Draws::new(1).values(after, after + 100_000) {
                tenths[usize::try_from((value - after - 1) / 10_000).unwrap()] += 1;
            }
        }
        assert!(tenths.iter().all(|tenth| (500..800).contains(tenth)), "{tenths:?}");
    }

    #[test]
    fn every_thirtieth_id_is_found_dense_as_often_as_chance_says() {
        // 3 or more of 32 at one in 30: 9.1 %. Draws that moved in step with the ids would find 0 or 100 %.
        let found = (0..1000).filter(|stretch| {
            let after = stretch * 90_000;
            Draws::new(3).values(after, after + 90_000).filter(|value| value % 30 == 0).count() >= 3
        });
        let found = found.count();
        assert!((40..160).contains(&found), "{found}");
    }
}
