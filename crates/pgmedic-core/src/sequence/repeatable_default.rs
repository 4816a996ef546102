//! Defaults that can be computed again for another value of the sequence: what they make of each value follows from it alone,
//! or from it and the time, and nothing in them acts.

/// `nextval`, by its OID in PostgreSQL's `pg_proc.dat`, like the following.
const NEXTVAL: u32 = 1574;
/// Functions that compute and do no more. Others read files, run statements or wait, also among PostgreSQL's own.
const HARMLESS: &[u32] = &[
    480, 714, 1781, 482, 652, 1287, 3812, // int8 to int4, int2, numeric, float8, float4, oid, money
    481, 314, 1740, 754, 313, 1782, 1779, 1744, 1783, // among the other integers and numeric
    1703, 668, 669, // the lengths of numeric, character, character varying
    1258, 2003, 2004, 3058, 401, // || and concat, character to text
    873, 874, 879, 880, 870, 871, 877, 883, 936, 937, 3060, 3061, // lpad, rpad, lower, upper, substr, left, right
    1772, 1773, 1774, 1770, 2049, 2089, 2090, // to_char and to_hex
    3539, 3540, 2311, // format, md5
    462,  // the negative of int8
    463, 464, 465, 466, 945, 947, 1396, // int8 and int8
    1274, 1275, 1276, 1277, 1278, 1279, 1280, 1281, 837, 838, 839, 840, 841, 942, 943, 948, // int8 and int4, int2
    1904, 1905, 1906, 1908, 1909, // the bits of int8
    141, 177, 181, 1724, 1725, 1726, 1727, 1728, 1729, // int4 and numeric
    1299, 2647, 2648, 1174, 1178, 2024, 2027, 2028, 2029, 1159, // the time, and its conversions
    1171, 1384, 2021, 6199, 6202, 6203, 1217, 2020, // parts of it
];
/// Nodes of an expression that compute and do no more.
const NODES: [&str; 8] =
    ["FUNCEXPR", "OPEXPR", "CONST", "RELABELTYPE", "COERCEVIAIO", "SQLVALUEFUNCTION", "COALESCE", "COALESCEEXPR"];
/// Of the values of SQL that depend on the session, those up to `LOCALTIMESTAMP` tell the time; the others who asks.
const LAST_TIME: u32 = 8;
/// Objects with a lower OID are PostgreSQL's.
const FIRST_USER_OID: u32 = 16_384;

/// Whether a default, by its stored form (`pg_node_tree`), draws one value and can be computed again for another.
pub fn is_repeatable(tree: &str) -> bool {
    let tree = without_domain(tree);
    let functions: Vec<Option<u32>> = numbers(tree, ":funcid ").chain(numbers(tree, ":opfuncid ")).collect();
    let drawn = functions.iter().filter(|oid| **oid == Some(NEXTVAL)).count();
    let types =
        [":consttype ", ":funcresulttype ", ":opresulttype ", ":resulttype ", ":coalescetype ", " :type ", ":opno "];
    drawn == 1
        && nodes(tree).all(|node| NODES.contains(&node))
        && functions.iter().flatten().filter(|oid| **oid != NEXTVAL).all(|oid| HARMLESS.contains(oid))
        && functions.iter().all(Option::is_some)
        && types.iter().flat_map(|label| numbers(tree, label)).all(|oid| oid.is_some_and(|oid| oid < FIRST_USER_OID))
        && numbers(tree, "{SQLVALUEFUNCTION :op ").all(|op| op.is_some_and(|op| op <= LAST_TIME))
}

/// The expression that is coerced to a column's domain without being told to; the whole of any other.
fn without_domain(tree: &str) -> &str {
    tree.strip_prefix("{COERCETODOMAIN :arg ")
        .and_then(|inner| inner.rsplit_once(" :resulttype "))
        .filter(|(_, end)| end.contains(" :coercionformat 2 "))
        .map_or(tree, |(argument, _)| argument)
}

fn nodes(tree: &str) -> impl Iterator<Item = &str> {
    tree.split('{').skip(1).map(|rest| rest.split(' ').next().unwrap_or_default())
}

/// The number after each `label`; none for what is no number.
fn numbers<'a>(tree: &'a str, label: &'a str) -> impl Iterator<Item = Option<u32>> + 'a {
    tree.split(label).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "{FUNCEXPR :funcid 1574 :funcresulttype 20 :args ({CONST :consttype 2205 :constvalue 4 [ 0 64 0 0 0 \
                        0 0 0 ]}) :location 32}";

    fn call(function: u32) -> String {
        format!("{{FUNCEXPR :funcid {function} :funcresulttype 25 :args ({NEXT}) :location -1}}")
    }

    #[test]
    fn casts_and_what_is_put_before_a_number_can_be_computed_again() {
        assert!(is_repeatable(NEXT));
        assert!(is_repeatable(&call(482)));
        let text =
            format!("{{COERCEVIAIO :arg {NEXT} :resulttype 1043 :resultcollid 100 :coerceformat 2 :location -1}}");
        assert!(is_repeatable(&text));
        let constant = "{CONST :consttype 25 :constvalue 5 [ 20 0 0 0 65 ]}";
        let joined = format!("{{OPEXPR :opno 654 :opfuncid 1258 :opresulttype 25 :args ({constant} {text})}}");
        assert!(is_repeatable(&joined));
        let domain = |format| {
            format!(
                "{{COERCETODOMAIN :arg {joined} :resulttype 16390 :resulttypmod -1 :coercionformat {format} :location -1}}"
            )
        };
        assert!(is_repeatable(&domain(2)));
        assert!(!is_repeatable(&domain(1)), "its text names the domain, whose checks run functions");
        let year = "{SQLVALUEFUNCTION :op 0 :type 1082 :typmod -1 :location 498}";
        assert!(is_repeatable(&format!("{{OPEXPR :opno 654 :opfuncid 1258 :opresulttype 25 :args ({year} {text})}}")));
    }

    #[test]
    fn what_acts_or_draws_otherwise_is_not_computed_again() {
        assert!(!is_repeatable("{CONST :consttype 20 :constvalue 4 [ 1 0 0 0 ]}"), "draws nothing");
        assert!(!is_repeatable(&format!("{{OPEXPR :opno 684 :opfuncid 463 :opresulttype 20 :args ({NEXT} {NEXT})}}")));
        assert!(!is_repeatable(&call(2626)), "pg_sleep");
        assert!(!is_repeatable(&call(16_400)), "a user's function");
        let operator = format!("{{OPEXPR :opno 16400 :opfuncid 463 :opresulttype 20 :args ({NEXT})}}");
        assert!(!is_repeatable(&operator), "a user's operator");
        let typed = format!("{{COERCEVIAIO :arg {NEXT} :resulttype 16400 :coerceformat 2 :location -1}}");
        assert!(!is_repeatable(&typed), "the input function of a user's type");
        let who = "{SQLVALUEFUNCTION :op 10 :type 19 :typmod -1 :location 498}";
        assert!(!is_repeatable(&format!("{{OPEXPR :opno 654 :opfuncid 1258 :opresulttype 25 :args ({who} {NEXT})}}")));
        assert!(!is_repeatable(&format!("{{CASEEXPR :casetype 20 :args ({NEXT})}}")));
    }
}
