//! Which ids a column can hold, by its type.

use super::position::ColumnRange;

/// The ids a column of this base type can hold, and whether it is `numeric`; none when it holds no whole numbers.
/// OIDs: `pg_type.dat`; a numeric's precision and scale in its modifier: `src/backend/utils/adt/numeric.c`.
pub fn column_type(type_oid: i64, modifier: i32) -> Option<(ColumnRange, bool)> {
    match (type_oid, modifier) {
        (21, _) => Some((ColumnRange::INT2, false)),
        (23, _) => Some((ColumnRange::INT4, false)),
        (20, _) => Some((ColumnRange::INT8, false)),
        (1700, -1) => Some((ColumnRange::INT8, true)),
        (1700, modifier) => {
            let (precision, scale) = precision_and_scale(modifier);
            // Where the scale is negative, the last digits of an id are rounded away.
            let digits = u32::try_from(precision - scale).ok().filter(|digits| scale >= 0 && *digits > 0)?;
            Some((ColumnRange::numeric(digits), true))
        }
        _ => None,
    }
}

/// The type that what is computed for a column is cast to before it is compared with the ids: one that no user's function
/// belongs to. None for others, and where the column holds fractions alone.
pub fn comparable_type(type_oid: i64, modifier: i32) -> Option<String> {
    Some(match type_oid {
        20 | 21 | 23 => "pg_catalog.int8".to_owned(),
        25 | 1043 => "pg_catalog.text".to_owned(),
        1042 => "pg_catalog.bpchar".to_owned(),
        19 => "pg_catalog.name".to_owned(),
        26 => "pg_catalog.oid".to_owned(),
        700 => "pg_catalog.float4".to_owned(),
        701 => "pg_catalog.float8".to_owned(),
        790 => "pg_catalog.money".to_owned(),
        2950 => "pg_catalog.uuid".to_owned(),
        1700 if modifier < 4 => "pg_catalog.numeric".to_owned(),
        1700 => {
            let (precision, scale) = precision_and_scale(modifier);
            (precision > scale).then(|| format!("pg_catalog.numeric({precision}, {scale})"))?
        }
        _ => return None,
    })
}

/// Of a numeric's modifier.
fn precision_and_scale(modifier: i32) -> (i32, i32) {
    let (precision, scale) = ((modifier - 4) >> 16 & 0xffff, (modifier - 4) & 0x7ff);
    // The scale is a number of 11 bits with a sign.
    (precision, if scale & 0x400 == 0 { scale } else { scale - 0x800 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_integral_types_are_columns_of_ids() {
        let numeric = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(column_type(21, -1), Some((ColumnRange::INT2, false)));
        assert_eq!(column_type(1700, -1), Some((ColumnRange::INT8, true)));
        assert_eq!(column_type(1700, numeric(5, 0)), Some((ColumnRange { min: -99_999, max: 99_999 }, true)));
        assert_eq!(column_type(1700, numeric(38, 0)), Some((ColumnRange::INT8, true)));
        assert_eq!(column_type(1700, numeric(5, 2)), Some((ColumnRange { min: -999, max: 999 }, true)));
        assert_eq!(column_type(1700, numeric(38, 10)), Some((ColumnRange::INT8, true)));
        assert_eq!(column_type(1700, numeric(2, 2)), None, "holds fractions alone");
        assert_eq!(column_type(1700, numeric(2, 5)), None, "likewise");
        assert_eq!(column_type(1700, numeric(10, -2)), None, "rounds its ids away");
        assert_eq!(column_type(25, -1), None);
    }

    #[test]
    fn a_numerics_modifier_is_part_of_its_name() {
        let numeric = |precision: i32, scale: i32| comparable_type(1700, ((precision << 16) | (scale & 0x7ff)) + 4);
        assert_eq!(numeric(10, -2).as_deref(), Some("pg_catalog.numeric(10, -2)"));
        assert_eq!(numeric(2, 2), None, "it holds fractions alone");
        assert_eq!(comparable_type(1700, -1).as_deref(), Some("pg_catalog.numeric"));
        assert_eq!(comparable_type(16_400, -1), None, "a user's type");
    }
}
