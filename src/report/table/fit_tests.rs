use super::*;
use crate::report::Status;

fn row() -> Row {
    let cells = [
        "repaired",
        "public.user_sessions_session_id_seq",
        "public.user_sessions.session_id",
        "658",
        "695",
        "38",
        "<0.1 %",
        "advance to 696",
    ];
    Row { status: Status::Repaired, cells: cells.map(ToOwned::to_owned) }
}

#[test]
fn every_width_has_a_table_that_fits() {
    for width in 44..160 {
        let fitted = fit(&[row()], width);
        assert!(fitted.width() <= width, "{width}: {fitted:#?}");
        let text = fitted.rows.concat().concat().replace(['\n', ' '], "");
        assert!(text.contains("public.user_sessions_session_id_seq"), "{width}: the whole name\n{text}");
    }
}

#[test]
fn columns_are_left_out_last_and_said() {
    assert_eq!(fit(&[row()], 80).left_out, []);
    assert_eq!(fit(&[row()], 60).left_out, [Column::Used]);
    assert!(fit(&[row()], 200).headings.contains(&"next value".to_owned()));
}

#[test]
fn a_very_long_name_is_shortened_in_the_middle() {
    let mut long = row();
    long.cells[1] = format!("public.{}_id_seq", "x".repeat(200));
    let fitted = fit(&[long], 80);
    assert!(fitted.width() <= 80);
    let name = fitted.rows[0][1].replace('\n', "");
    assert!(name.starts_with("public.") && name.contains('…') && name.contains("_id_seq"), "{name}");
}
