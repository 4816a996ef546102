//! Which names of a host are answered. A web site can let its name point at a loopback address, and a browser on this
//! machine would then give it what this agent answers (DNS rebinding). The name in the request gives it away.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// Names besides `localhost` and addresses; none where every name is answered.
#[derive(Debug, Clone)]
pub struct KnownHosts(Option<Arc<[String]>>);

impl KnownHosts {
    /// Where others reach the agent anyway, they need no such trick.
    pub fn new(listen: IpAddr, allowed: &[String]) -> Self {
        Self(listen.is_loopback().then(|| allowed.iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    fn knows(&self, host: &str) -> bool {
        let Some(allowed) = &self.0 else { return true };
        // A name and a password do not belong there.
        let authority = host.parse::<Authority>().ok().filter(|_| !host.contains('@'));
        let Some(authority) = authority else { return false };
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        // An address is no name that a web site could let point elsewhere.
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || allowed.contains(&name)
    }
}

/// A browser always names the host; a request without a name comes from another client.
pub async fn reject_unknown_host(State(hosts): State<KnownHosts>, request: Request, next: Next) -> Response {
    let named = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let named = named.or_else(|| request.headers().get(header::HOST).map(|host| host.as_bytes()));
    if named.is_some_and(|host| !std::str::from_utf8(host).is_ok_and(|host| host.is_empty() || hosts.knows(host))) {
        let text = "this address answers to localhost, IP addresses and http.allowed_hosts only\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_address_answers_to_names_that_no_web_site_can_have() {
        let hosts = KnownHosts::new("127.0.0.1".parse().unwrap(), &["Status.example.org".to_owned()]);
        for known in [
            "localhost",
            "LOCALHOST:9847",
            "a.localhost",
            "127.0.0.1:9847",
            "[::1]:9847",
            "10.0.0.7",
            "status.example.org:80",
        ] {
            assert!(hosts.knows(known), "{known}");
        }
        for other in
            ["evil.example:9847", "localhost.evil.example", "127.0.0.1.evil.example", "a b", "", "@localhost:x"]
        {
            assert!(!hosts.knows(other), "{other}");
        }
    }

    #[test]
    fn elsewhere_every_name_is_answered() {
        assert!(KnownHosts::new("0.0.0.0".parse().unwrap(), &[]).knows("db1.prod.example"));
    }
}
