//! When the configuration that the agent works by was accepted.

use super::{EVERY_SECOND, orders};
use crate::support::Agent;
use nix::sys::signal::Signal;

const ACCEPTED: &str = "pgmedic_config_last_reload_successful";
const WHEN: &str = "pgmedic_config_last_reload_success_timestamp_seconds";

#[tokio::test]
async fn the_time_of_the_last_accepted_configuration_is_shown() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let at_start = agent.wait_until(WHEN, |when| when > 0.0);
    agent.edit(|text| text + "nonsense = true\n");
    agent.signal(Signal::SIGHUP);
    agent.wait_until(ACCEPTED, |accepted| accepted == 0.0);
    assert_eq!(agent.metric(WHEN), Some(at_start), "the old one stays");
    agent.edit(|text| text.replace("nonsense = true\n", ""));
    agent.signal(Signal::SIGHUP);
    agent.wait_until(ACCEPTED, |accepted| accepted == 1.0);
    assert!(agent.metric(WHEN) > Some(at_start));
    agent.stop();
}
