//! What a column's default does with a sequence, by its stored form (`pg_node_tree`).

/// Functions that leave a whole number what it is, by their OIDs in PostgreSQL's `pg_proc.dat`.
const CASTS: [&str; 13] = [
    "480", "714", "1781", // int8 to int4, int2, numeric
    "481", "314", "1740", // int4 to int8, int2, numeric
    "754", "313", "1782", // int2 to int8, int4, numeric
    "1779", "1744", "1783", // numeric to int8, int4, int2
    "1703", // numeric's own length check
];
const NEXTVAL: &str = "1574";
/// `setval` with two arguments and with three.
const SETVAL: [u32; 2] = [1576, 1765];
/// The cast from `text` to `regclass`, which looks the name up when the default is computed.
const TEXT_TO_REGCLASS: &str = "1079";
/// Objects with a lower OID are PostgreSQL's.
const FIRST_USER_OID: u32 = 16_384;

/// What a default that names a sequence does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultKind {
    /// It is the sequence's next value and nothing else.
    NextValue,
    /// It is computed from the next value, or by a function that may draw one.
    Computed,
    /// It draws nothing, such as `currval` or the bare name.
    DrawsNothing,
}

impl DefaultKind {
    pub fn of(tree: &str) -> Self {
        if is_plain_nextval(tree) {
            Self::NextValue
        } else if may_draw(tree) {
            Self::Computed
        } else {
            Self::DrawsNothing
        }
    }
}

/// True for the stored form of `nextval('…'::regclass)`, also when cast to the column's type or domain. False for anything
/// computed from it, such as `'A' || nextval(…)` or `nextval(…) * 10`.
fn is_plain_nextval(tree: &str) -> bool {
    nextval_argument(tree).is_some_and(|argument| argument.starts_with("{CONST "))
}

/// The name in `nextval('name'::text)`, which PostgreSQL looks up at each insert and does not record; none for any other
/// default. It may be written without a schema.
pub fn late_bound_name(tree: &str) -> Option<String> {
    let (function, mut argument) = function_call(nextval_argument(tree)?)?;
    if function != TEXT_TO_REGCLASS {
        return None;
    }
    // A varchar constant is relabeled as text.
    if let Some(("{RELABELTYPE", inner)) = argument.split_once(" :arg ") {
        argument = inner;
    }
    let (_, value) = argument.strip_prefix("{CONST ")?.split_once(":constvalue ")?;
    let (_, bytes) = value.split_once("[ ")?;
    let (bytes, _) = bytes.split_once(" ]")?;
    // Bytes are printed as signed numbers.
    let signed: Option<Vec<i16>> = bytes.split(' ').map(|byte| byte.parse().ok()).collect();
    let bytes: Vec<u8> = signed?.into_iter().map(|byte| byte.to_le_bytes()[0]).collect();
    // The length comes first: in one byte where its lowest bit is set, else in four.
    let header = if bytes.first()? & 1 == 1 { 1 } else { 4 };
    String::from_utf8(bytes.get(header..)?.to_vec()).ok()
}

/// The argument of `nextval`, where the tree is a call of it and nothing else but casts.
fn nextval_argument(tree: &str) -> Option<&str> {
    let mut node = tree;
    loop {
        if let Some((function, argument)) = function_call(node) {
            if function == NEXTVAL {
                return Some(argument);
            }
            if !CASTS.contains(&function) {
                return None;
            }
            node = argument;
        } else if let Some(("{COERCETODOMAIN" | "{RELABELTYPE", argument)) = node.split_once(" :arg ") {
            node = argument;
        } else {
            return None;
        }
    }
}

/// The function's OID, and the text from its first argument on.
fn function_call(node: &str) -> Option<(&str, &str)> {
    let (function, rest) = node.strip_prefix("{FUNCEXPR :funcid ")?.split_once(' ')?;
    Some((function, rest.split_once(":args (")?.1))
}

/// Whether a value may be drawn: by `nextval` or `setval`, or by a function or operator that is not PostgreSQL's.
fn may_draw(tree: &str) -> bool {
    oids(tree, ":funcid ").any(|oid| oid >= FIRST_USER_OID || oid.to_string() == NEXTVAL || SETVAL.contains(&oid))
        || oids(tree, ":opno ").any(|oid| oid >= FIRST_USER_OID)
}

/// The OIDs after each `label`; what is no number counts as a user's object.
fn oids<'a>(tree: &'a str, label: &'a str) -> impl Iterator<Item = u32> + 'a {
    tree.split(label).skip(1).map(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().unwrap_or(FIRST_USER_OID)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXTVAL: &str = "{FUNCEXPR :funcid 1574 :funcresulttype 20 :funcretset false :args ({CONST :consttype 2205 \
                           :constvalue 4 [ 1 64 0 0 0 0 0 0 ]}) :location -1}";

    fn is_plain(tree: &str) -> bool {
        DefaultKind::of(tree) == DefaultKind::NextValue
    }

    #[test]
    fn a_plain_nextval_is_recognized_through_casts_and_domains() {
        assert!(is_plain(NEXTVAL));
        let cast = format!("{{FUNCEXPR :funcid 480 :funcresulttype 23 :args ({NEXTVAL}) :location -1}}");
        assert!(is_plain(&cast));
        assert!(is_plain(&format!("{{COERCETODOMAIN :arg {cast} :resulttype 16390}}")));
        let sized = format!("{{FUNCEXPR :funcid 1703 :args ({{FUNCEXPR :funcid 1781 :args ({NEXTVAL})}} {{CONST }})}}");
        assert!(is_plain(&sized));
    }

    #[test]
    fn a_value_computed_from_nextval_is_not_the_sequences_own() {
        let computed = |tree: &str| DefaultKind::of(tree) == DefaultKind::Computed;
        assert!(computed(&format!("{{OPEXPR :opno 686 :args ({NEXTVAL} {{CONST }}) :location -1}}")));
        assert!(computed(&format!("{{FUNCEXPR :funcid 77 :args ({NEXTVAL})}}")));
        let sum = format!("{{FUNCEXPR :funcid 480 :args ({{OPEXPR :opno 684 :args ({NEXTVAL} {NEXTVAL})}})}}");
        assert!(computed(&sum));
        assert!(computed("{FUNCEXPR :funcid 16390 :args ({CONST :consttype 2205 })}"), "a function that may draw");
    }

    #[test]
    fn what_only_reads_the_sequence_draws_nothing() {
        let draws_nothing = |tree: &str| DefaultKind::of(tree) == DefaultKind::DrawsNothing;
        assert!(draws_nothing(
            "{FUNCEXPR :funcid 480 :args ({FUNCEXPR :funcid 1575 :args ({CONST :consttype 2205 })})}"
        ));
        assert!(draws_nothing("{CONST :consttype 2205 :constvalue 4 [ 1 64 0 0 0 0 0 0 ]}"));
        assert!(draws_nothing(""));
    }

    #[test]
    fn a_name_that_is_looked_up_at_each_insert_is_read() {
        let late = |bytes: &str| {
            format!(
                "{{FUNCEXPR :funcid 480 :args ({{FUNCEXPR :funcid 1574 :args ({{FUNCEXPR :funcid 1079 :args ({{CONST \
                 :consttype 25 :constvalue 6 [ {bytes} ]}}) :location 1}})}})}}"
            )
        };
        assert_eq!(late_bound_name(&late("24 0 0 0 115 49")).as_deref(), Some("s1"));
        assert_eq!(late_bound_name(&late("28 0 0 0 115 -61 -97")).as_deref(), Some("sß"));
        assert_eq!(late_bound_name(&late("7 115 49")).as_deref(), Some("s1"), "a short header");
        assert_eq!(late_bound_name(&late("24 0 0 0 115 -61")), None, "no UTF-8");
        assert_eq!(late_bound_name(NEXTVAL), None);
    }
}
