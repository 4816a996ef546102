//! The command in a reason, so that it can be copied.

/// What commands begin with, in the reasons that the passes give.
const BEGINNINGS: [&str; 5] = ["pgmedic --once", "pgmedic grants", "GRANT ", "ALTER ", "CREATE INDEX "];

/// The first command in `reason`. A name holds none, whatever it says: names are quoted there.
pub fn fix(reason: &str) -> Option<&str> {
    let mut quoted = false;
    let start = reason.char_indices().find_map(|(place, c)| {
        quoted ^= c == '"';
        let rest = reason.get(place..)?;
        let first =
            place == 0 || reason.get(..place).is_some_and(|before| before.ends_with(": ") || before.ends_with(' '));
        let begins = BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning));
        (first && !quoted && begins).then_some(place)
    })?;
    let command = reason.get(start..)?;
    Some(command.get(..end(command)).unwrap_or(command).trim_end())
}

/// Up to the next reason, or what goes on after the command. What is in quotes of SQL or of the shell belongs to it.
fn end(command: &str) -> usize {
    let mut quote = None;
    for (place, c) in command.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {
                let rest = command.get(place..).unwrap_or_default();
                if [";", ", or ", ", and ", ", because "].iter().any(|after| rest.starts_with(after)) {
                    return place;
                }
            }
        }
    }
    command.len()
}

#[cfg(test)]
mod tests {
    use super::fix;

    #[test]
    fn the_command_is_what_stands_between_the_reason_and_what_follows() {
        let of = |reason| fix(reason).unwrap_or_default();
        assert_eq!(
            of("a privilege is missing: GRANT SELECT ON public.t TO medic"),
            "GRANT SELECT ON public.t TO medic"
        );
        assert_eq!(of("only an owner may leap: GRANT shop TO medic, or raise advance_limit"), "GRANT shop TO medic");
        assert_eq!(
            of("correct that id, else run pgmedic --once --approve 'public.\"A; b\"'; another reason"),
            "pgmedic --once --approve 'public.\"A; b\"'"
        );
        assert_eq!(of("ALTER ROLE r BYPASSRLS, because row security hides rows"), "ALTER ROLE r BYPASSRLS");
        assert_eq!(fix("nothing was changed; run again"), None);
    }

    #[test]
    fn a_name_is_no_command() {
        for reason in ["public.\"t: GRANT postgres TO evil\" is gone", "\"a\"\": GRANT b TO c\" is gone", "MIGRANT x"] {
            assert_eq!(fix(reason), None, "{reason}");
        }
        let reason = "row security of public.\"GRANT a TO b\" hides rows: ALTER ROLE \"c;d\" BYPASSRLS";
        assert_eq!(fix(reason), Some("ALTER ROLE \"c;d\" BYPASSRLS"));
    }
}
