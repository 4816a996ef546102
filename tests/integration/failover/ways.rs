//! The proxies that lead to the leader: HAProxy, PgBouncer and Pgpool-II, as their manuals and Patroni's describe them.

use super::cluster::Cluster;
use super::home::{free_ports, wait_for_port};

/// HAProxy, which asks each node's Patroni every second whether it is the leader, and sends connections to that one.
pub fn haproxy(cluster: &mut Cluster) -> u16 {
    let [port] = free_ports();
    let mut text = format!(
        "defaults
  mode tcp
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  timeout check 2s
listen leader
  bind 127.0.0.1:{port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions\n"
    );
    for node in &cluster.nodes {
        text += &format!("  server {} 127.0.0.1:{} check port {}\n", node.name, node.port, node.rest_port);
    }
    let config = cluster.home.write("haproxy.cfg", &text);
    let mut command = cluster.home.command("haproxy");
    cluster.home.start("haproxy.log", command.arg("-db").arg("-f").arg(config));
    wait_for_port("HAProxy", port);
    port
}

/// PgBouncer in transaction mode, which Patroni's callback leads to the node that was promoted.
pub async fn pgbouncer(cluster: &mut Cluster) -> u16 {
    let [port] = free_ports();
    let folder = cluster.home.folder("pgbouncer").display().to_string();
    let databases = |port: &str| format!("[databases]\n* = host=127.0.0.1 port={port}");
    let leader = cluster.leader().await;
    cluster.home.write("pgbouncer/databases.ini", &databases(&cluster.nodes[leader].port.to_string()));
    cluster.home.write("pgbouncer/users", "\"postgres\" \"\"\n");
    let config = cluster.home.write(
        "pgbouncer/pgbouncer.ini",
        &format!(
            "%include {folder}/databases.ini
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pidfile = {folder}/pid
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
server_login_retry = 1\n"
        ),
    );
    // Patroni appends the action, the role and the cluster's name.
    cluster.home.write(
        "on_role_change",
        &format!(
            "case $3 in master | primary) ;; *) exit 0 ;; esac
echo \"{}\" >{folder}/databases.ini
kill -HUP \"$(cat {folder}/pid)\"\n",
            databases("$1")
        ),
    );
    let mut command = cluster.home.command("pgbouncer");
    cluster.home.start("pgbouncer.log", command.arg(config));
    wait_for_port("PgBouncer", port);
    port
}

/// Pgpool-II, which asks both servers for their roles, and sends statements that only read to the replica too.
pub fn pgpool(cluster: &mut Cluster) -> u16 {
    let [port, pcp_port] = free_ports();
    let folder = cluster.home.folder("pgpool").display().to_string();
    let mut text = format!(
        "listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
pcp_listen_addresses = '127.0.0.1'
pcp_port = {pcp_port}
pcp_socket_dir = '{folder}'
pid_file_name = '{folder}/pid'
logdir = '{folder}'
backend_clustering_mode = 'streaming_replication'
load_balance_mode = on
num_init_children = 16
max_pool = 1
sr_check_period = 1
sr_check_user = 'postgres'
health_check_period = 1
health_check_timeout = 2
health_check_user = 'postgres'
auto_failback = on
auto_failback_interval = 1
search_primary_node_timeout = 0\n"
    );
    for (number, node) in cluster.nodes.iter().enumerate() {
        text += &format!(
            "backend_hostname{number} = '127.0.0.1'\nbackend_port{number} = {}\nbackend_application_name{number} = '{}'\n",
            node.port, node.name
        );
    }
    let config = cluster.home.write("pgpool/pgpool.conf", &text);
    let mut command = cluster.home.command("pgpool");
    command
        .arg("-n")
        .arg("-f")
        .arg(config)
        .args(["-F", &cluster.home.write("pgpool/pcp.conf", "").display().to_string()]);
    cluster.home.start("pgpool.log", &mut command);
    wait_for_port("Pgpool-II", port);
    port
}
