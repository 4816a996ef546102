//! What the command line takes and refuses.

use crate::cli::*;
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

fn read(arguments: &str) -> Result<Cli, clap::Error> {
    Cli::read(std::iter::once("pgmedic").chain(arguments.split_whitespace()))
}

fn refused(arguments: &str) -> clap::Error {
    let error = read(arguments).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    error
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn one_pass_takes_every_option() {
    let cli = read(
        "--once --dry-run --format json -c a.toml --database app --database shop \
         --approve public.a --approve public.b --headroom 1000 --verbose",
    )
    .unwrap();
    assert!(cli.once && cli.dry_run && cli.verbose);
    assert_eq!(cli.format, Format::Json);
    assert_eq!(cli.config.as_deref(), Some(Path::new("a.toml")));
    assert_eq!(cli.database, ["app", "shop"]);
    assert_eq!(cli.approve, ["public.a", "public.b"]);
    assert_eq!(cli.headroom, 1000);
}

#[test]
fn without_arguments_the_agent_runs() {
    let cli = read("").unwrap();
    assert!(!cli.once && !cli.dry_run && cli.command.is_none());
    assert_eq!(cli.format, Format::Table);
}

#[test]
fn a_dry_run_is_valid_without_once() {
    assert!(read("--dry-run").unwrap().dry_run);
}

#[test]
fn what_concerns_one_report_needs_once() {
    for arguments in ["--approve public.a", "--headroom 1000", "--verbose", "--format json", "--textfile a.prom"] {
        assert!(refused(arguments).to_string().contains("--once"), "{arguments}");
    }
}

#[test]
fn the_demo_is_told_or_served() {
    #[cfg(feature = "demo")]
    assert_eq!(read("demo").unwrap().command, Some(Command::Demo { serve: false }));
    #[cfg(feature = "demo")]
    assert_eq!(read("demo --serve").unwrap().command, Some(Command::Demo { serve: true }));
}

#[test]
fn the_configuration_file_is_named_before_or_after_a_subcommand() {
    for arguments in ["-c a.toml check-config", "check-config -c a.toml"] {
        let cli = read(arguments).unwrap();
        assert_eq!(cli.command, Some(Command::CheckConfig));
        assert_eq!(cli.config.as_deref(), Some(Path::new("a.toml")));
    }
}

#[test]
fn a_health_check_asks_where_the_configuration_says() {
    assert_eq!(read("-c a.toml healthcheck").unwrap().command, Some(Command::Healthcheck));
}

#[test]
fn presets_are_listed_in_either_format() {
    let format = |arguments| match read(arguments).unwrap().command {
        Some(Command::Presets { format }) => format,
        other => panic!("{other:?}"),
    };
    assert_eq!(format("presets"), ListFormat::Table);
    assert_eq!(format("presets --format json"), ListFormat::Json);
}

#[test]
fn a_subcommand_refuses_flags_that_it_would_ignore() {
    for arguments in ["--once demo", "--dry-run demo", "--database app check-config", "--once healthcheck"] {
        assert!(refused(arguments).to_string().contains("--config"), "{arguments}");
    }
}

#[test]
fn grants_are_for_a_role_and_never_for_everybody() {
    let command = |arguments| read(arguments).unwrap().command;
    assert_eq!(command("grants"), Some(Command::Grants { role: None, database: Vec::new() }));
    let medic = Command::Grants { role: Some("medic".to_owned()), database: vec!["app".to_owned()] };
    assert_eq!(command("grants --role medic --database app"), Some(medic));
    for arguments in ["grants --role public", "grants --role none", "grants --role=", "--role medic grants"] {
        refused(arguments);
    }
}

#[test]
fn sql_is_for_named_roles_and_never_for_everybody() {
    let script = |owner: Option<&str>, grant: &[&str]| {
        let grant = grant.iter().map(ToString::to_string).collect();
        Some(Command::Sql { script: SqlCommand::Install { owner: owner.map(ToOwned::to_owned), grant, agent: None } })
    };
    assert_eq!(read("sql install").unwrap().command, script(None, &[]));
    let named = read("sql install --owner shop --grant app --grant api").unwrap().command;
    assert_eq!(named, script(Some("shop"), &["app", "api"]));
    assert_eq!(read("sql uninstall").unwrap().command, Some(Command::Sql { script: SqlCommand::Uninstall }));
    for arguments in [
        "sql",
        "sql install --grant public",
        "sql install --owner none",
        "sql install --agent public",
        "--dry-run sql install",
        "sql follow",
        "sql follow id",
        "sql follow a.b.c.d",
        "sql follow --all t.id",
        "sql follow t.id --always --remove",
        "sql follow t.id --max-id 9 --remove",
        "sql follow --all --max-id 9",
        "sql follow t.id --max-id 9223372036854775808",
        "sql follow t.id --max-id 1e9",
        "sql follow t.id --max-id",
    ] {
        refused(arguments);
    }
}

#[test]
fn a_connection_url_is_refused_without_being_repeated() {
    for arguments in ["postgres://u:hunter2@h/d", "--once --database=postgres://u:hunter2@h/d"] {
        let error = refused(arguments).to_string();
        assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn unknown_words_are_bad_usage() {
    refused("--onec");
    refused("--once --format yaml");
    refused("completions tcsh");
    refused("presets --format nagios");
}

#[test]
fn a_plugin_is_recognized_in_any_spelling() {
    let asked = |arguments: &str| is_for_nagios(arguments.split_whitespace().map(OsString::from));
    assert!(asked("--once --format nagios --onec") && asked("--format=nagios"));
    assert!(!asked("--format json nagios"));
}

#[test]
fn help_names_the_exit_codes_and_the_variable() {
    let help = read("--help").unwrap_err();
    assert_eq!(help.exit_code(), 0);
    let help = help.to_string();
    for word in ["Exit codes", "  3  problems remain", "PGMEDIC_CONFIG", "DATABASE_URL"] {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        assert!(String::from_utf8(completions(shell)).unwrap().contains("check-config"));
    }
}

#[test]
fn the_first_line_of_help_says_that_it_runs_and_repairs() {
    let help = read("--help").unwrap_err().to_string();
    let first = help.lines().next().unwrap();
    assert!(first.contains("Runs until it is stopped") && first.contains("repairs"), "{first}");
    assert!(help.lines().nth(2).unwrap().contains("run as an agent, and repair"), "{help}");
}

#[test]
fn the_version_names_revision_and_build() {
    let short = read("-V").unwrap_err().to_string();
    let words: Vec<&str> = short.split_whitespace().collect();
    assert!(
        matches!(words[..], ["pgmedic", env!("CARGO_PKG_VERSION"), revision] if revision.starts_with('(')),
        "{short}"
    );
    let long = read("--version").unwrap_err().to_string();
    for part in ["revision ", "\nbuild: ", "rustc 1."] {
        assert!(long.contains(part), "{part} in {long}");
    }
}

#[test]
fn a_manual_page_is_made_of_each_command_with_its_examples() {
    let pages = man_pages().unwrap();
    let names: Vec<&str> = pages.iter().map(|page| page.file.as_str()).collect();
    for name in ["pgmedic.1", "pgmedic-grants.1", "pgmedic-sql-install.1"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert_eq!(names[0], "pgmedic.1");
    for ManPage { file, text } in pages {
        let text = String::from_utf8(text).unwrap();
        for heading in [".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES"] {
            assert!(text.contains(heading), "{file}: no {heading}\n{text}");
        }
    }
}
