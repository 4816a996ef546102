use super::*;
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(30);

/// Asks a server with this response.
async fn told(answer: &'static str) -> Result<(), HealthcheckError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        assert!(request.starts_with(b"GET /livez "));
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    tokio::join!(ask(address, None, PATIENCE), serve).0
}

#[tokio::test]
async fn status_200_is_alive() {
    told("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok\n").await.unwrap();
}

#[tokio::test]
async fn any_other_status_is_not_and_is_repeated() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\n\r\nthe schedule has not fired for 20 s\n";
    let error = told(answer).await.unwrap_err().to_string();
    for part in ["503 Service Unavailable", "not fired for 20 s", "expected status 200"] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_not() {
    for answer in ["", "HTTP/1.1 200", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let error = told(answer).await.unwrap_err();
        assert!(matches!(error, HealthcheckError::Unhealthy { .. }), "{error}");
    }
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    // The kernel accepts the connection, and no program responds.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = ask(listener.local_addr().unwrap(), None, Duration::from_millis(20)).await.unwrap_err();
    assert!(error.to_string().ends_with("no answer within 20ms"), "{error}");
}

#[tokio::test]
async fn a_refused_connection_says_what_to_look_at() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = ask(address, None, PATIENCE).await.unwrap_err().to_string();
    assert!(error.contains("does the agent run"), "{error}");
}

#[test]
fn every_address_means_this_machine() {
    let of = |listen: &str| reachable(listen.parse().unwrap()).unwrap().to_string();
    assert_eq!(of("0.0.0.0:9847"), "127.0.0.1:9847");
    assert_eq!(of("[::]:9847"), "[::1]:9847");
    assert_eq!(of("10.1.2.3:80"), "10.1.2.3:80");
    assert!(matches!(reachable("127.0.0.1:0".parse().unwrap()), Err(HealthcheckError::AnyPort)));
}
