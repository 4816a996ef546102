//! TLS and passwords, as Prometheus's exporters take them.

use super::{Client, HOURLY, PAGES, is_well, status};
use crate::support::{Agent, Authority, Database, command};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// `prometheus:secret`, by bcrypt with the cost 4.
const USERS: &str = "[[http.basic_auth_users]]\nusername = \"prometheus\"\npassword_hash = \"HASH\"\n";
const RIGHT: &str = "Authorization: Basic cHJvbWV0aGV1czpzZWNyZXQ=\r\n";
const WRONG: &str = "Authorization: Basic cHJvbWV0aGV1czp3cm9uZw==\r\n";

fn users() -> String {
    USERS.replace("HASH", &bcrypt::hash("secret", 4).unwrap())
}

async fn orders() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    database
}

fn run(database: &Database, http: &str) -> Agent {
    Agent::run(database.config(&format!("{HOURLY}[http]\nlisten = \"127.0.0.1:0\"\n{http}")), &[])
}

fn request(page: &str, headers: &str) -> String {
    format!("GET {page} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n")
}

#[tokio::test]
async fn everything_but_the_probes_asks_for_the_password() {
    let database = orders().await;
    let agent = run(&database, &users());
    let of = |page: &str, headers: &str| Client::of(&agent).send(request(page, headers)).hear();
    for page in PAGES {
        let is_probe = ["/livez", "/readyz", "/healthz"].contains(&page);
        for headers in ["", WRONG] {
            let answer = of(page, headers);
            // A first pass may be under way.
            if is_probe {
                assert!(matches!(status(&answer), Some(200 | 503)), "{page}: {answer}");
            } else {
                assert_eq!(status(&answer), Some(401), "{page}: {answer}");
                assert!(answer.contains("www-authenticate: Basic realm=\"pgmedic\""), "{answer}");
                assert!(!answer.contains("orders"), "{answer}");
            }
        }
        assert!(matches!(status(&of(page, RIGHT)), Some(200 | 503)), "{page}");
    }
    is_well(agent);
}

#[tokio::test]
async fn tls_is_served_with_the_certificate_that_the_configuration_names() {
    let database = orders().await;
    let authority = Authority::new("authority");
    let certificate = authority.certify("localhost");
    let tls = format!(
        "[http.tls_server_config]\ncert_file = {:?}\nkey_file = {:?}\n",
        certificate.certificate.display().to_string(),
        certificate.key.display().to_string()
    );
    let agent = run(&database, &tls);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.file()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(agent.address()).unwrap());
    stream.write_all(request("/livez", "").as_bytes()).unwrap();
    let mut answer = String::new();
    // The connection is closed without a last word, as HTTP allows.
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(status(&answer), Some(200), "{answer}");
    // In plain text there is no answer.
    let plain = Client::of(&agent).say(request("/livez", "")).hear();
    assert!(!plain.contains("200 OK"), "{plain}");
    // The health check trusts the certificate of the same configuration, although it names no address.
    let port = agent.address().port();
    let settings = format!("{HOURLY}[http]\nlisten = \"127.0.0.1:{port}\"\n{tls}");
    let file = database.config(&settings);
    let check = command(&[], &["--config", file.path().to_str().unwrap(), "healthcheck"]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    // Another certificate is not trusted.
    let other = authority.certify("elsewhere");
    let tls = tls.replace("localhost", "elsewhere");
    assert!(other.key.exists() && tls.contains("elsewhere"));
    fs::write(
        file.path(),
        database_settings(&file, &settings, &format!("{HOURLY}[http]\nlisten = \"127.0.0.1:{port}\"\n{tls}")),
    )
    .unwrap();
    let check = command(&[], &["--config", file.path().to_str().unwrap(), "healthcheck"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    agent.stop();
}

fn database_settings(file: &tempfile::NamedTempFile, old: &str, new: &str) -> String {
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(text.contains(old), "{text}");
    text.replace(old, new)
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_one_clear_error() {
    let database = orders().await;
    let authority = Authority::new("authority");
    let (one, other) = (authority.certify("localhost"), authority.certify("elsewhere"));
    let path = |file: &std::path::Path| file.display().to_string();
    let cases = [
        (
            "/missing/tls.crt".to_owned(),
            path(&one.key),
            "cert_file: found \"/missing/tls.crt\": it cannot be read: No such",
        ),
        (path(&one.key), path(&one.key), "it holds no certificate"),
        (path(&one.certificate), path(&one.certificate), "it holds no private key"),
        (path(&one.certificate), path(&other.key), "expected the key of the certificate in cert_file"),
        (path(&one.certificate), String::new(), "found a certificate alone, expected key_file beside it"),
    ];
    for (certificate, key, says) in cases {
        let tls = format!("[http.tls_server_config]\ncert_file = {certificate:?}\nkey_file = {key:?}\n");
        let file = database.config(&format!("{HOURLY}{tls}"));
        let check = command(&[], &["--config", file.path().to_str().unwrap(), "check-config"]).output().unwrap();
        let error = String::from_utf8_lossy(&check.stderr).into_owned();
        assert_eq!(check.status.code(), Some(2), "{error}");
        assert!(error.contains("http.tls_server_config.") && error.contains(says), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[tokio::test]
async fn a_password_that_is_no_hash_is_refused_without_being_shown() {
    let database = orders().await;
    for (user, says) in [
        (
            USERS.replace("HASH", "hunter2"),
            "basic_auth_users[0].password_hash: found a text that is none, expected a bcrypt hash",
        ),
        (
            users().repeat(2),
            "basic_auth_users[1].username: found \"prometheus\", expected a name that no other user has",
        ),
    ] {
        let file = database.config(&format!("{HOURLY}{user}"));
        let check = command(&[], &["--config", file.path().to_str().unwrap(), "check-config"]).output().unwrap();
        let error = String::from_utf8_lossy(&check.stderr).into_owned();
        assert_eq!(check.status.code(), Some(2), "{error}");
        assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
    }
    let file = database.config(&format!("{HOURLY}{}", users()));
    let shown = command(&[], &["--config", file.path().to_str().unwrap(), "check-config"]).output().unwrap();
    assert!(shown.status.success() && !String::from_utf8_lossy(&shown.stdout).contains("$2"));
}
