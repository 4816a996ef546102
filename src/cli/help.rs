//! Usage, and how each help page ends: examples that a test runs as they stand, exit codes, where output goes.
//!
//! Each text is a list of sections, a title and indented lines each, from which the manual pages are made too.

pub(super) const USAGE: &str = "\
pgmedic [OPTIONS]          run as an agent, and repair, until SIGTERM
       pgmedic --once [OPTIONS]   one pass: repair, print the report, exit
       pgmedic --dry-run …        the same, and change nothing
       pgmedic COMMAND";

pub(super) const PGMEDIC: &str = "\
Examples:
  export DATABASE_URL=postgres://me@localhost/app    # or --config FILE
  pgmedic --once --dry-run                   # what is behind; changes nothing
  pgmedic --once                             # repair it
  pgmedic --once --approve public.orders_id_seq
  pgmedic --once --headroom 1000             # before writers move here
  pgmedic --once --format json | jq .summary
  pgmedic --once --dry-run --format nagios   # one line for Nagios and Icinga
  pgmedic --once --textfile pgmedic.prom     # for node_exporter
  pgmedic --once --database app --verbose    # lists the healthy sequences too
  pgmedic --config pgmedic.toml              # the agent

Exit codes of --once:
  0  all sequences healthy, or repaired
  1  the work could not be completed: unreachable database, failed repair
  2  bad usage or configuration
  3  problems remain: drift seen in a dry run, held, exhausted or unreadable;
     or no sequence was found
  With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

Output:
  Reports go to stdout, logs to stderr. Without a configuration file
  DATABASE_URL names the database.";

#[cfg(feature = "demo")]
pub(super) const DEMO: &str = "\
Examples:
  pgmedic demo            # the story, in about ten seconds
  pgmedic demo --serve    # the status page, until Ctrl-C";

pub(super) const CUTOVER: &str = "\
Examples:
  pgmedic cutover --from \"$OLD\" --to \"$NEW\"
  pgmedic cutover --from \"$OLD\" --to \"$NEW\" --headroom 1000    # the gate
  pgmedic cutover --from \"$NEW\" --to \"$OLD\" --headroom 1000    # the way back
  pgmedic cutover --from \"$OLD\" --to \"$NEW\" --format json | jq .verdict

Beside writers that go on, until SIGINT or SIGTERM:
  pgmedic cutover --from \"$OLD\" --to \"$NEW\" --headroom 1000 --watch

Exit codes:
  0  ready: every sequence of NEW is beyond everything that OLD handed out,
     and what OLD wrote has arrived where NEW has a subscription; what --yes
     confirmed is in the notes
  1  the work could not be completed: a database out of reach, a failed move
  2  bad usage, or refused: swapped, the same database twice, NEW a replica
  3  not ready: a sequence is missing, held, unreadable, defined differently or
     cannot spare the headroom, a column draws from another one, a subscription
     does not receive, or OLD does not publish a table with a sequence

Output:
  Reports go to stdout, logs to stderr. A password on the command line is seen
  by every user of this machine: use a password file or a service.";

pub(super) const HISTORY: &str = "\
Examples:
  pgmedic history                          # the newest 50 of each database
  pgmedic history public.orders_id_seq
  pgmedic history 'public.*' --limit 200
  pgmedic history --format json | jq '.databases[].entries[]'

Exit codes:
  0  printed
  1  a log could not be read: the database is out of reach, or it has no
     pgmedic.repair_log, which pgmedic sql install creates
  2  bad usage or configuration

Output:
  The newest entry first. The agent keeps entries for 30 days.";

pub(super) const CHECK_CONFIG: &str = "\
Examples:
  pgmedic check-config --config pgmedic.toml
  PGMEDIC_LOG__LEVEL=debug pgmedic check-config    # overrides the file

Exit codes:
  0  the configuration is valid
  2  it is not: the error names the line, what was found, what was expected";

pub(super) const GRANTS: &str = "\
Examples:
  pgmedic grants --role pgmedic
  pgmedic grants --role pgmedic > grants.sql    # run it as an administrator
  pgmedic grants --database app                 # one database only";

pub(super) const PRESETS: &str = "\
Examples:
  pgmedic presets
  pgmedic presets --format json | jq -r '.[].name'";

pub(super) const SQL: &str = "\
Examples:
  pgmedic sql install | psql \"$DATABASE_URL\"
  pgmedic sql uninstall | psql \"$DATABASE_URL\"";

pub(super) const SQL_FOLLOW: &str = "\
Examples:
  pgmedic sql follow user_sessions.session_id | psql \"$DATABASE_URL\"
  pgmedic sql follow accounts.id --max-id 999999999 | psql \"$DATABASE_URL\"
  pgmedic sql follow --all --always | psql \"$DATABASE_URL\"  # with replication
  pgmedic sql follow --all --remove | psql \"$DATABASE_URL\"";

pub(super) const SQL_INSTALL: &str = "\
Examples:
  pgmedic sql install | psql \"$DATABASE_URL\"
  pgmedic sql install --owner shop --grant shop_app > install.sql";

pub(super) const SQL_UNINSTALL: &str = "\
Examples:
  pgmedic sql uninstall | psql \"$DATABASE_URL\"";

pub(super) const HEALTHCHECK: &str = "\
Examples:
  pgmedic healthcheck
  pgmedic healthcheck --config pgmedic.toml    # for its http.listen";

pub(super) const COMPLETIONS: &str = "\
Examples:
  pgmedic completions bash > pgmedic.bash    # or zsh, fish, elvish, powershell
  eval \"$(pgmedic completions bash)\"         # for this shell only";

pub(super) const MAN: &str = "\
Examples:
  pgmedic man > pgmedic.1
  pgmedic man --folder .    # pgmedic.1, pgmedic-grants.1 and so on";

/// The sections of such a text: title and lines, without the indent.
pub(super) fn sections(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    text.split("\n\n").filter_map(|section| {
        let (title, lines) = section.split_once(":\n")?;
        Some((title, lines.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect()))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_line_is_broken_by_a_terminal_of_80_columns() {
        for line in include_str!("help.rs").lines().take_while(|line| !line.contains("fn sections")) {
            let shown = line.replace("\\\"", "\"");
            assert!(line.starts_with("//") || shown.chars().count() < 80, "{line}");
        }
    }
}
