//! What the agent posts, to a real receiver, and that a bad receiver stops nothing.

use super::{EVERY_SECOND, REPAIRED, orders, rewind};
use crate::support::{Agent, Answer, Authority, Database, Receiver};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A sequence that is behind and whose repair is held.
async fn with_a_held_sequence() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE odd (id serial PRIMARY KEY); INSERT INTO odd VALUES (2000000000)").await;
    database
}

const HELD: &str = "public.odd_id_seq";

#[tokio::test]
async fn a_problem_is_posted_when_it_begins_and_when_it_is_over_and_not_in_between() {
    let mut database = with_a_held_sequence().await;
    let receiver = Receiver::start(|_| Answer::Status(200));
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{}", receiver.settings("")));
    let problem = receiver.posted.has("problem", HELD);
    assert_eq!((&problem["database"], &problem["about"]), (&database.name.as_str().into(), &"sequence".into()));
    assert!(problem["text"].as_str().unwrap().starts_with("held: "), "{problem}");
    agent.passes_again(&database.name, 3.0);
    database.sql("DELETE FROM odd").await;
    let resolved = receiver.posted.has("resolved", HELD);
    assert_eq!(resolved["key"], problem["key"]);
    let events = receiver.posted.events();
    assert_eq!(events.iter().filter(|event| event["name"] == HELD).count(), 2, "{events:#?}");
    assert!(receiver.posted.bodies()[0]["host"].is_string());
    agent.stop();
}

#[tokio::test]
async fn a_repair_is_posted_and_the_url_is_never_logged() {
    let mut database = orders().await;
    let receiver = Receiver::start(|_| Answer::Status(204));
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{}", receiver.settings("")));
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 1.0);
    rewind(&database).await;
    let event = receiver.posted.has("repaired", "public.orders_id_seq");
    assert!(event["text"].as_str().unwrap().contains("was moved to 21"), "{event}");
    let log = agent.stop();
    assert!(!log.contains("hunter2") && !log.contains("token"), "{log}");
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_pass_and_no_stop() {
    let mut database = with_a_held_sequence().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)").await;
    let receiver = Receiver::start(|_| Answer::Hang);
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{}", receiver.settings("")));
    receiver.posted.has("problem", HELD);
    database.wait_until(REPAIRED).await;
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 2.0);
    agent.stop();
}

#[tokio::test]
async fn a_post_that_failed_is_tried_again_and_counted_once() {
    let database = with_a_held_sequence().await;
    let receiver = Receiver::start(|number| Answer::Status(if number == 1 { 503 } else { 200 }));
    let agent = Agent::start(&database, &receiver.settings(""));
    agent.wait_until("pgmedic_webhook_posts_total{outcome=\"sent\"}", |sent| sent == 1.0);
    let bodies = receiver.posted.bodies();
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(agent.metric("pgmedic_webhook_posts_total{outcome=\"failed\"}"), Some(0.0));
    agent.stop();
}

#[tokio::test]
async fn a_post_that_is_refused_is_not_repeated_and_said_once() {
    let database = with_a_held_sequence().await;
    let receiver = Receiver::start(|_| Answer::Status(404));
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{}", receiver.settings("")));
    agent.wait_until("pgmedic_webhook_posts_total{outcome=\"failed\"}", |failed| failed == 1.0);
    agent.passes_again(&database.name, 2.0);
    assert_eq!(receiver.posted.bodies().len(), 1);
    let log = agent.stop();
    assert_eq!(log.matches("127.0.0.1: answered 404 Not Found, expected 2xx").count(), 1, "{log}");
}

#[tokio::test]
async fn people_in_a_chat_get_a_text() {
    let database = with_a_held_sequence().await;
    let receiver = Receiver::start(|_| Answer::Status(200));
    let agent = Agent::start(&database, &receiver.settings("format = \"slack\""));
    let body = crate::support::wait_for("a post", || receiver.posted.bodies().first().cloned());
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("*Problem* in {}: {HELD} held: ", database.name)), "{text}");
    agent.stop();
}

#[tokio::test]
async fn a_receiver_with_tls_is_trusted_by_its_authority_alone() {
    let database = with_a_held_sequence().await;
    let authority = Authority::new("ours");
    let files = authority.certify("localhost");
    let pem = |path: &std::path::Path| std::fs::read(path).unwrap();
    let certificates = rustls_pem::certificates(&pem(&files.certificate));
    let server = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, rustls_pem::key(&pem(&files.key)))
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = format!("[webhook]\nurl = \"https://localhost:{port}/hook\"\n[http]\nlisten = \"127.0.0.1:0\"\n");
    let trusted = authority.file();
    let config = database.config(&settings);
    let variables = [("SSL_CERT_FILE", trusted.to_str().unwrap())];
    let agent = Agent::run_with(config, &[], &variables);
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = acceptor.accept(stream).await.expect("a handshake that the agent accepts");
    let mut request = vec![0; 20];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(request, b"POST /hook HTTP/1.1\r");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let sent = tokio::task::spawn_blocking(move || {
        agent.wait_until("pgmedic_webhook_posts_total{outcome=\"sent\"}", |sent| sent == 1.0);
        agent
    });
    sent.await.unwrap().stop();

    let stranger = Authority::new("another");
    let stranger = stranger.file();
    let agent = Agent::run_with(database.config(&settings), &[], &[("SSL_CERT_FILE", stranger.to_str().unwrap())]);
    let (stream, _) = listener.accept().await.unwrap();
    assert!(acceptor.accept(stream).await.is_err(), "the agent ends the handshake");
    agent.stop();
}

/// PEM files of rcgen: one block each.
mod rustls_pem {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    pub fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(pem).unwrap()]
    }

    pub fn key(pem: &[u8]) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(pem).unwrap()
    }
}
