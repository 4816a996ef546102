use super::*;
use crate::http::status::model::Snapshot;
use crate::http::status::model::test_support::*;
use crate::report::DatabaseLabel;
use crate::state::DatabaseState;
use std::sync::Arc;

fn on(server: &str, database: &str, state: DatabaseState) -> (String, DatabaseState) {
    let label = DatabaseLabel::of_server(server, database);
    (label.to_string(), DatabaseState { discovered: Some(label), ..state })
}

fn fleet() -> Snapshot {
    let databases = [
        on("db2", "b", checked(vec![in_sync("public.a_id_seq")])),
        on("db1", "quiet", checked(vec![in_sync("public.a_id_seq")])),
        on("db1", "soon", checked(vec![running_out("public.a_id_seq")])),
        on("db1", "broken", checked(vec![behind("public.a_id_seq")])),
        ("alone".to_owned(), refused(3)),
    ];
    snapshot_of(databases)
}

#[test]
fn the_databases_of_a_server_stand_together_and_the_others_last() {
    let snapshot = fleet();
    let facts = snapshot.facts();
    let groups = groups(&facts, &[]);
    let names: Vec<_> = groups.iter().map(|group| (group.name, group.databases.len(), group.level())).collect();
    let expected =
        [(Some("db1"), 3, PageLevel::Failing), (Some("db2"), 1, PageLevel::Healthy), (None, 1, PageLevel::Unknown)];
    assert_eq!(names, expected);
    let attention: Vec<&str> = groups[0].attention().iter().map(|database| database.own_name()).collect();
    assert_eq!(attention, ["broken", "soon"]);
    assert_eq!(groups[0].at(PageLevel::Healthy).len(), 1);
    assert_eq!((groups[0].version(), groups[0].is_replica()), (Some("17.5"), Some(false)));
}

#[test]
fn a_server_is_as_old_as_the_oldest_state_that_is_shown_of_it() {
    let mut snapshot = fleet();
    let mut set = |name: &str, state: DatabaseState| {
        snapshot.databases.insert(on("db1", name, state.clone()).0, Arc::new(on("db1", name, state).1));
        let facts = snapshot.facts();
        groups(&facts, &[])[0].least_recent_check()
    };
    assert_eq!(
        set("quiet", DatabaseState { last_success: Some(NOW - 9.0), ..checked(vec![in_sync("public.a_id_seq")]) }),
        Some(NOW - 9.0)
    );
    assert_eq!(set("quiet", refused(3)), Some(NOW - 4.0), "what is not known has a card");
}

#[test]
fn a_server_has_the_connections_of_its_name() {
    let snapshot = fleet();
    let connections = ServerConnections { server: "10.0.0.7:5432".to_owned(), open: 3, standing: 1, max: 4 };
    let servers = [NamedServer { name: "db2".to_owned(), connections: Some(connections.clone()) }];
    let facts = snapshot.facts();
    let groups = groups(&facts, &servers);
    assert_eq!((groups[0].connections, groups[1].connections), (None, Some(&connections)));
}
