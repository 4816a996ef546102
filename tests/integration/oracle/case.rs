//! A random sequence and the ids in its columns. All values are near each other, and often near the limit of a type, so
//! that a few dozen values of `nextval` are enough.

use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write as _;

/// The largest distance between the sequence's position and an id, in values.
const NEAR: i128 = 70;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    SmallInt,
    Integer,
    BigInt,
    Numeric,
    /// `numeric(5)`: up to 99999.
    Numeric5,
}

impl Type {
    fn sql(self) -> &'static str {
        match self {
            Self::SmallInt => "smallint",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Numeric => "numeric",
            Self::Numeric5 => "numeric(5)",
        }
    }

    pub fn smallest(self) -> i128 {
        match self {
            Self::Numeric | Self::Numeric5 => -self.largest(),
            _ => -self.largest() - 1,
        }
    }

    pub fn largest(self) -> i128 {
        match self {
            Self::SmallInt => 32_767,
            Self::Integer => 2_147_483_647,
            Self::BigInt => 9_223_372_036_854_775_807,
            Self::Numeric => 10_i128.pow(30),
            Self::Numeric5 => 99_999,
        }
    }
}

/// The value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    Whole(i128),
    /// This number plus one half.
    Half(i128),
    NotANumber,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub kind: Type,
    pub ids: Vec<Id>,
    indexed: bool,
}

#[derive(Debug, Clone)]
pub struct Case {
    kind: Type,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    start: i64,
    /// The arguments of `setval`. `None` if the sequence was never used.
    state: Option<(i64, bool)>,
    pub columns: Vec<Column>,
}

/// An id, relative to the sequence.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// An id in the sequence's residue class, this many steps from its position.
    Own(i64),
    Near(i128),
    /// An id beyond a bound of the sequence.
    Above(i128),
    Below(i128),
    Half(i128),
    NotANumber,
    /// An id beyond the bounds of every sequence.
    Huge(bool),
}

pub fn any_case() -> impl Strategy<Value = Case> {
    let sequence = (
        select(vec![Type::SmallInt, Type::Integer, Type::BigInt]),
        prop_oneof![4 => -100..100_i128, 6 => select(edges())],
        prop_oneof![
            3 => Just(1), 2 => Just(-1), 3 => 2..12_i64, 3 => -12..-1_i64,
            1 => select(vec![32, -32, 1 << 40, i64::MAX, i64::MIN])
        ],
        // The distance of the bounds from the anchor. `None`: the type's limit.
        (proptest::option::of(0..60_i128), proptest::option::of(0..60_i128)),
        prop_oneof![3 => Just(1), 2 => select(vec![2, 5, 20])],
    );
    let state = (-NEAR..NEAR, prop_oneof![1 => Just(None), 6 => any::<bool>().prop_map(Some)]);
    let columns = proptest::collection::vec(any_column(), 1..3);
    (sequence, state, columns).prop_map(|((kind, anchor, increment, bounds, cache), (offset, called), columns)| {
        let inside = |value: i128| value.clamp(kind.smallest(), kind.largest());
        let anchor = inside(anchor);
        let min = inside(bounds.0.map_or(kind.smallest(), |below| anchor - below)).min(kind.largest() - 1);
        let max = inside(bounds.1.map_or(kind.largest(), |above| anchor + above)).max(min + 1);
        let position = (anchor + offset).clamp(min, max);
        let columns = columns.into_iter().map(|column| column.place(position, increment, min, max)).collect();
        let [min, max, start] = [min, max, position].map(|value| i64::try_from(value).unwrap());
        let state = called.map(|called| (start, called));
        Case { kind, increment, min, max, cache, start, state, columns }
    })
}

fn edges() -> Vec<i128> {
    let kinds = [Type::SmallInt, Type::Integer, Type::BigInt, Type::Numeric5];
    kinds.iter().flat_map(|kind| [kind.smallest(), kind.largest()]).collect()
}

/// A column of this type with ids at these places.
#[derive(Debug, Clone)]
struct Sketch {
    kind: Type,
    places: Vec<Place>,
    indexed: bool,
}

fn any_column() -> impl Strategy<Value = Sketch> {
    let place = prop_oneof![
        6 => (-8..40_i64).prop_map(Place::Own),
        4 => (-NEAR..NEAR).prop_map(Place::Near),
        1 => (1..40_i128).prop_map(Place::Above),
        1 => (1..40_i128).prop_map(Place::Below),
        1 => (-NEAR..NEAR).prop_map(Place::Half),
        1 => Just(Place::NotANumber),
        1 => any::<bool>().prop_map(Place::Huge),
    ];
    let kinds = prop_oneof![
        Just(Type::SmallInt),
        Just(Type::Integer),
        Just(Type::BigInt),
        Just(Type::Numeric),
        Just(Type::Numeric5)
    ];
    (kinds, proptest::collection::vec(place, 0..7), any::<bool>()).prop_map(|(kind, places, indexed)| Sketch {
        kind,
        places,
        indexed,
    })
}

impl Sketch {
    /// Computes the ids, without those that the column cannot hold.
    fn place(self, position: i128, increment: i64, min: i128, max: i128) -> Column {
        let kind = self.kind;
        let ids = self.places.into_iter().map(|place| match place {
            Place::Own(steps) => Id::Whole(position + i128::from(steps) * i128::from(increment)),
            Place::Near(distance) => Id::Whole(position + distance),
            Place::Above(distance) => Id::Whole(max + distance),
            Place::Below(distance) => Id::Whole(min - distance),
            Place::Half(distance) => Id::Half(position + distance),
            Place::NotANumber => Id::NotANumber,
            Place::Huge(positive) => Id::Whole(if positive { 10_i128.pow(25) } else { -10_i128.pow(25) }),
        });
        let fits = |id: &Id| match id {
            Id::Whole(id) => (kind.smallest()..=kind.largest()).contains(id),
            Id::Half(_) | Id::NotANumber => kind == Type::Numeric,
        };
        let mut distinct: Vec<Id> = Vec::new();
        for id in ids.filter(fits) {
            if !distinct.contains(&id) {
                distinct.push(id);
            }
        }
        Column { kind, ids: distinct, indexed: self.indexed }
    }
}

impl Id {
    fn sql(self) -> String {
        match self {
            Self::Whole(id) => format!("'{id}'"),
            // Not written with a decimal point, because -1 plus one half is -0.5.
            Self::Half(id) => format!("'{id}'::numeric + 0.5"),
            Self::NotANumber => "'NaN'".to_owned(),
        }
    }
}

impl Case {
    pub fn ascending(&self) -> bool {
        self.increment > 0
    }

    /// The SQL that creates `public.s_<number>`, the table that it feeds, and a temporary copy of the sequence.
    pub fn sql(&self, number: usize) -> String {
        let mut sql = String::new();
        for (kind, name) in [("SEQUENCE", format!("public.s_{number}")), ("TEMP SEQUENCE", format!("copy_{number}"))] {
            let Self { kind: values, increment, min, max, cache, start, .. } = self;
            let _ = write!(
                sql,
                "CREATE {kind} {name} AS {} INCREMENT {increment} MINVALUE {min} MAXVALUE {max} START {start} \
                 CACHE {cache};",
                values.sql()
            );
            if let Some((last_value, is_called)) = self.state {
                let _ = write!(sql, "SELECT setval('{name}', '{last_value}', {is_called});");
            }
        }
        let names: Vec<String> = (0..self.columns.len()).map(|column| format!("c_{column}")).collect();
        let definitions = self.columns.iter().zip(&names);
        let definitions: Vec<String> = definitions
            .map(|(column, name)| format!("{name} {} DEFAULT nextval('public.s_{number}')", column.kind.sql()))
            .collect();
        let _ = write!(sql, "CREATE TABLE public.t_{number} ({});", definitions.join(", "));
        let _ = write!(sql, "ALTER SEQUENCE public.s_{number} OWNED BY public.t_{number}.c_0;");
        for (position, column) in self.columns.iter().enumerate() {
            // Both make inserts of taken ids fail, and the one with a WHERE clause finds none.
            let condition = if column.indexed { String::new() } else { format!("WHERE c_{position} IS NOT NULL") };
            let _ = write!(sql, "CREATE UNIQUE INDEX ON public.t_{number} (c_{position}) {condition};");
            for id in &column.ids {
                let others = (0..names.len()).map(|other| if other == position { id.sql() } else { "NULL".to_owned() });
                let values: Vec<String> = others.collect();
                let _ = write!(sql, "INSERT INTO public.t_{number} VALUES ({});", values.join(", "));
            }
        }
        sql
    }

    /// The furthest id within the sequence's bounds, in any residue class. No id beyond it matters.
    pub fn furthest_id(&self) -> Option<i128> {
        let inside = |id: &i128| (i128::from(self.min)..=i128::from(self.max)).contains(id);
        let ids = self.whole_ids().filter(inside);
        if self.ascending() { ids.max() } else { ids.min() }
    }

    pub fn whole_ids(&self) -> impl Iterator<Item = i128> {
        self.columns.iter().flat_map(|column| &column.ids).filter_map(|id| match id {
            Id::Whole(id) => Some(*id),
            Id::Half(_) | Id::NotANumber => None,
        })
    }

    /// Whether `value` is within the types of all columns, in the sequence's direction.
    pub fn storable(&self, value: i64) -> bool {
        let value = i128::from(value);
        self.columns.iter().all(|column| {
            if self.ascending() { value <= column.kind.largest() } else { value >= column.kind.smallest() }
        })
    }
}
