//! Whether a column's default is a sequence's value and nothing else.

/// Functions that leave a whole number what it is, by their OIDs in PostgreSQL's `pg_proc.dat`.
const CASTS: [&str; 13] = [
    "480", "714", "1781", // int8 to int4, int2, numeric
    "481", "314", "1740", // int4 to int8, int2, numeric
    "754", "313", "1782", // int2 to int8, int4, numeric
    "1779", "1744", "1783", // numeric to int8, int4, int2
    "1703", // numeric's own length check
];
const NEXTVAL: &str = "1574";

/// True for the stored form (`pg_node_tree`) of `nextval('…'::regclass)`, also when cast to the column's type or
/// domain. False for anything computed from it, such as `'A' || nextval(…)` or `nextval(…) * 10`.
pub fn is_plain_nextval(tree: &str) -> bool {
    let mut node = tree;
    loop {
        if let Some(rest) = node.strip_prefix("{FUNCEXPR :funcid ") {
            let Some((function, rest)) = rest.split_once(' ') else { return false };
            let Some((_, argument)) = rest.split_once(":args (") else { return false };
            if function == NEXTVAL {
                return argument.starts_with("{CONST ");
            }
            if !CASTS.contains(&function) {
                return false;
            }
            node = argument;
        } else if let Some(("{COERCETODOMAIN" | "{RELABELTYPE", argument)) = node.split_once(" :arg ") {
            node = argument;
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sequence::default_expression::is_plain_nextval;

    const NEXTVAL: &str = "{FUNCEXPR :funcid 1574 :funcresulttype 20 :funcretset false :args ({CONST :consttype 2205 \
                           :constvalue 4 [ 1 64 0 0 0 0 0 0 ]}) :location -1}";

    #[test]
    fn a_plain_nextval_is_recognized_through_casts_and_domains() {
        assert!(is_plain_nextval(NEXTVAL));
        let cast = format!("{{FUNCEXPR :funcid 480 :funcresulttype 23 :args ({NEXTVAL}) :location -1}}");
        assert!(is_plain_nextval(&cast));
        assert!(is_plain_nextval(&format!("{{COERCETODOMAIN :arg {cast} :resulttype 16390}}")));
        let sized = format!("{{FUNCEXPR :funcid 1703 :args ({{FUNCEXPR :funcid 1781 :args ({NEXTVAL})}} {{CONST }})}}");
        assert!(is_plain_nextval(&sized));
    }

    #[test]
    fn a_value_computed_from_nextval_is_not_the_sequences_own() {
        assert!(!is_plain_nextval(&format!("{{OPEXPR :opno 686 :args ({NEXTVAL} {{CONST }}) :location -1}}")));
        assert!(!is_plain_nextval(&format!("{{FUNCEXPR :funcid 77 :args ({NEXTVAL})}}")));
        let sum = format!("{{FUNCEXPR :funcid 480 :args ({{OPEXPR :opno 684 :args ({NEXTVAL} {NEXTVAL})}})}}");
        assert!(!is_plain_nextval(&sum));
        assert!(!is_plain_nextval(""));
    }
}
