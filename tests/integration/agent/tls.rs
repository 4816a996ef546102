//! TLS between the agent and its server: the sslmode is enforced, and each error names its fix.

use super::{EVERY_SECOND, fill, leader, repairs};
use crate::support::{Agent, Authority, Certificate, Database, install, pgmedic, tls_server};
use pgmedic_testserver::{ServerOptions, TestServer};
use std::path::Path;
use std::process::Command;

/// The address that the server listens on.
const HERE: &str = "127.0.0.1";

fn url(server: &TestServer, database: &Database, parameters: &str) -> String {
    format!("{}?{parameters}", server.tcp_url(&database.name).unwrap())
}

fn verify(mode: &str, authority: &Authority) -> String {
    format!("sslmode={mode}&sslrootcert={}", authority.file().display())
}

async fn orders(server: &TestServer) -> Database {
    fill(Database::on(server).await).await
}

/// A pass by this URL that must reach the database.
#[track_caller]
fn works(url: &str, variables: &[(&str, &str)]) {
    pgmedic(&[variables, &[("DATABASE_URL", url)]].concat(), &["--once"]).exits(0);
}

/// The error of a pass by this URL that must not reach the database.
#[track_caller]
fn refused(url: &str, variables: &[(&str, &str)]) -> String {
    let outcome = pgmedic(&[variables, &[("DATABASE_URL", url)]].concat(), &["--once", "--format", "json"]).exits(1);
    outcome.error()
}

#[track_caller]
fn says(error: &str, what: &str, fix: &str) {
    assert!(error.contains("TLS failed") && error.contains(what) && error.contains(fix), "{error}");
}

#[tokio::test]
async fn the_agent_checks_the_servers_certificate_and_all_its_connections_are_encrypted() {
    let authority = Authority::new("company");
    let server = tls_server(&authority.certify(HERE), &authority);
    let mut database = orders(&server).await;
    let url = url(&server, &database, &verify("verify-full", &authority));
    works(&url, &[]);
    let agent = Agent::start_at(&url, &database, EVERY_SECOND);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    agent.logs("listening for NOTIFY pgmedic");
    repairs(&mut database).await;
    database
        .wait_until(
            "SELECT count(*) >= 1 AND bool_and(ssl) AND bool_and(version LIKE 'TLSv1.%')
             FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'pgmedic'",
        )
        .await;
    agent.stop();
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused_with_the_fix() {
    let (authority, other) = (Authority::new("company"), Authority::new("another"));
    let mut server = tls_server(&authority.certify(HERE), &authority);
    let database = orders(&server).await;
    let full = url(&server, &database, &verify("verify-full", &authority));

    let unknown = url(&server, &database, &verify("verify-full", &other));
    says(&refused(&unknown, &[]), "UnknownIssuer", "sslrootcert");
    says(&refused(&url(&server, &database, "sslmode=verify-full"), &[]), "UnknownIssuer", "sslrootcert");

    show(&mut server, &authority.certify("db.internal"));
    let error = refused(&full, &[]);
    says(&error, "not valid for", "host name");
    assert!(error.contains("db.internal"), "{error}");
    works(&url(&server, &database, &verify("verify-ca", &authority)), &[]);
    says(&refused(&url(&server, &database, &verify("verify-ca", &other)), &[]), "UnknownIssuer", "sslrootcert");

    show(&mut server, &authority.certify_until(HERE, 2020));
    for mode in ["verify-full", "verify-ca"] {
        says(&refused(&url(&server, &database, &verify(mode, &authority)), &[]), "xpired", "dates");
    }
    // Encrypts without checking the certificate.
    works(&url(&server, &database, "sslmode=require"), &[]);
}

fn show(server: &mut TestServer, certificate: &Certificate) {
    install(server, certificate);
    server.restart().unwrap();
}

/// As PostgreSQL's manual makes them (Secure TCP/IP Connections with SSL, Creating Certificates).
fn by_the_manual(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_certificate_that_the_tls_library_does_not_read_is_named_with_the_line_that_makes_a_better_one() {
    let folder = tempfile::tempdir().unwrap();
    let new_key = ["req", "-new", "-nodes", "-subj", "/CN=localhost"];
    by_the_manual(folder.path(), &[&new_key[..], &["-out", "root.csr", "-keyout", "root.key"]].concat());
    let extensions = ["-days", "3650", "-extfile", "/etc/ssl/openssl.cnf", "-extensions", "v3_ca"];
    let root = ["x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-out", "root.crt"];
    by_the_manual(folder.path(), &[&root[..], &extensions].concat());
    by_the_manual(folder.path(), &[&new_key[..], &["-out", "server.csr", "-keyout", "server.key"]].concat());
    let sign = ["x509", "-req", "-in", "server.csr", "-days", "365", "-CA", "root.crt", "-CAkey", "root.key"];
    by_the_manual(folder.path(), &[&sign[..], &["-CAcreateserial", "-out", "server.crt"]].concat());
    let file = |name: &str| folder.path().join(name);
    let files =
        |name: &str| Certificate { certificate: file(&format!("{name}.crt")), key: file(&format!("{name}.key")) };
    let authority = Authority::new("company");
    let mut server = tls_server(&authority.certify(HERE), &authority);
    let database = orders(&server).await;
    // A certificate authority's own certificate.
    show(&mut server, &files("root"));
    let own_root = format!("sslmode=verify-ca&sslrootcert={}", file("root.crt").display());
    let better = "openssl x509 -req -in server.csr -days 365 -CA root.crt -CAkey root.key";
    says(&refused(&url(&server, &database, &own_root), &[]), "CA:TRUE", better);
    // Older versions of OpenSSL write version 1, where no extension is asked for; newer ones write version 3.
    show(&mut server, &files("server"));
    let require = url(&server, &database, "sslmode=require");
    let text =
        Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(file("server.crt")).output().unwrap();
    if String::from_utf8_lossy(&text.stdout).contains("Version: 1") {
        says(&refused(&require, &[]), "X.509 version 1", better);
        // The server accepts TLS only, so the fault of the certificate is what is said.
        says(&refused(&url(&server, &database, "sslmode=prefer"), &[]), "X.509 version 1", better);
        let hba = server.data_dir().join("pg_hba.conf");
        std::fs::write(&hba, "local all all trust\nhost all all 127.0.0.1/32 trust\n").unwrap();
        server.restart().unwrap();
        says(&refused(&require, &[]), "X.509 version 1", better);
        works(&url(&server, &database, "sslmode=prefer"), &[]);
    } else {
        works(&require, &[]);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_was_asked_for() {
    let authority = Authority::new("company");
    let server = TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap();
    let database = orders(&server).await;
    for parameters in [verify("verify-full", &authority), verify("verify-ca", &authority), "sslmode=require".to_owned()]
    {
        let error = refused(&url(&server, &database, &parameters), &[]);
        says(&error, "", "is TLS on at the server");
    }
    works(&url(&server, &database, "sslmode=prefer"), &[]);
}

#[tokio::test]
async fn files_that_are_not_there_are_told_from_servers_that_are_not_there() {
    let authority = Authority::new("company");
    let server = tls_server(&authority.certify(HERE), &authority);
    let database = orders(&server).await;
    let error = refused(&url(&server, &database, "sslmode=verify-full&sslrootcert=/no/such/ca.pem"), &[]);
    assert!(error.contains("a file that sslrootcert, sslcert or sslkey names cannot be read: No such file"), "{error}");
    let certificate = authority.certify("app").certificate;
    let half = format!("{}&sslcert={}", verify("verify-full", &authority), certificate.display());
    let error = refused(&url(&server, &database, &half), &[]);
    assert!(
        error.contains("must be given together") && error.contains("check sslrootcert, sslcert and sslkey"),
        "{error}"
    );
}

#[tokio::test]
async fn a_clients_certificate_lets_its_role_in() {
    let (authority, other) = (Authority::new("company"), Authority::new("another"));
    let server = tls_server(&authority.certify(HERE), &authority);
    let mut database = orders(&server).await;
    database.sql("CREATE ROLE app LOGIN; ALTER TABLE orders OWNER TO app").await;
    let base = url(&server, &database, &verify("verify-full", &authority)).replace("postgres@", "app@");
    let with = |certificate: &Certificate| {
        format!("{base}&sslcert={}&sslkey={}", certificate.certificate.display(), certificate.key.display())
    };
    let certified = with(&authority.certify("app"));
    works(&certified, &[]);
    let agent = Agent::start_at(&certified, &database, EVERY_SECOND);
    repairs(&mut database).await;
    let subject = "SELECT bool_and(client_dn = '/CN=app') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                   WHERE usename = 'app'";
    database.wait_until(subject).await;
    agent.stop();

    let error = refused(&base, &[]);
    assert!(error.contains("certificate") && error.contains("sslcert"), "{error}");
    says(&refused(&with(&other.certify("app")), &[]), "alert", "check sslcert and sslkey");
    let error = refused(&with(&authority.certify("stranger")), &[]);
    assert!(error.contains("login refused"), "{error}");
}

/// A property of the driver, stated in docs/deployment.md.
#[tokio::test]
async fn the_systems_authorities_are_trusted_too_unless_ssl_cert_file_names_the_only_one() {
    let (company, public) = (Authority::new("company"), Authority::new("public"));
    let server = tls_server(&public.certify(HERE), &public);
    let database = orders(&server).await;
    let file = |path: &Path| path.to_str().unwrap().to_owned();
    let (company_file, public_file) = (file(&company.file()), file(&public.file()));
    let pinned = url(&server, &database, &verify("verify-full", &company));
    // Certified by an authority that the system trusts, but not the one that the URL names.
    works(&pinned, &[("SSL_CERT_FILE", &public_file)]);
    // The variable replaces the system's authorities.
    says(&refused(&pinned, &[("SSL_CERT_FILE", &company_file)]), "UnknownIssuer", "sslrootcert");
    let bare = url(&server, &database, "sslmode=verify-full");
    works(&bare, &[("SSL_CERT_FILE", &public_file)]);
    says(&refused(&bare, &[("SSL_CERT_FILE", &company_file)]), "UnknownIssuer", "sslrootcert");
}
