use super::super::{Cli, Command};
use super::*;

fn read(arguments: &[&str]) -> Result<CutoverArguments, clap::Error> {
    let cli = Cli::read(["pgmedic", "cutover"].iter().chain(arguments))?;
    match cli.command {
        Some(Command::Cutover(arguments)) => Ok(arguments),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_databases_are_named_and_all_else_may_be_left_out() {
    let arguments = read(&["--from", "postgres://u@old/app", "--to=host=new dbname=app"]).unwrap();
    assert_eq!((arguments.from.as_str(), arguments.to.as_str()), ("postgres://u@old/app", "host=new dbname=app"));
    assert_eq!((arguments.headroom, arguments.watch, arguments.yes), (None, false, false));
    for missing in [&["--from", "postgres://old"][..], &["--to", "postgres://new"], &[]] {
        assert_eq!(read(missing).unwrap_err().exit_code(), 2, "{missing:?}");
    }
}

#[test]
fn schemas_are_mapped_as_sql_writes_them() {
    let map = |text: &str| read(&["--from", "a", "--to", "b", "--map", text]).map(|arguments| arguments.map);
    assert_eq!(map("App=app_v2").unwrap(), [("app".to_owned(), "app_v2".to_owned())]);
    assert_eq!(map("\"A=b\"=\"C\"").unwrap(), [("A=b".to_owned(), "C".to_owned())]);
    for wrong in ["app", "=b", "a=", "a.b=c", "a=\"b"] {
        let error = map(wrong).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{wrong}");
        assert!(error.to_string().contains("OLD_SCHEMA=NEW_SCHEMA"), "{error}");
    }
}

#[test]
fn a_connection_string_anywhere_else_is_refused_without_being_repeated() {
    for arguments in [
        &["postgres://u:hunter2@h/d"][..],
        &["--from", "a", "--to", "b", "postgres://u:hunter2@h/d"],
        &["--map", "postgres://u:hunter2@h/d"],
    ] {
        let error = read(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
