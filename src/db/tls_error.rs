//! Why TLS failed, in words that name the fault and the line of openssl's that makes a better file.
//!
//! Texts of the driver and of rustls are compared: they have no codes, and are never translated.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::net::IpAddr;

/// How to make a certificate of a server that rustls accepts.
fn better_certificate(options: &PgConnectOptions) -> String {
    let kind = if options.get_host().parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "sign it as version 3 with its own extensions, for instance: openssl x509 -req -in server.csr -days 365 -CA root.crt \
         -CAkey root.key -CAcreateserial -out server.crt -extfile <(printf 'basicConstraints=CA:FALSE\\n\
         subjectAltName={kind}:%s' HOST)"
    )
}

const BETTER_CLIENT_CERTIFICATE: &str = "sign it as version 3 with its own extensions, for instance: openssl x509 -req -in \
     client.csr -days 365 -CA root.crt -CAkey root.key -CAcreateserial -out client.crt -extfile <(printf \
     'basicConstraints=CA:FALSE\\nextendedKeyUsage=clientAuth')";

/// What the TLS library can use.
const KEYS: &str = "RSA, Ed25519, and the curves P-256 and P-384";

/// The handshake was not completed.
pub fn handshake(error: &str, options: &PgConnectOptions) -> String {
    let better = || better_certificate(options);
    let (what, advice) = if error.contains("received corrupt message") {
        return "no PostgreSQL server answers there (its answer is no TLS); check host and port".to_owned();
    } else if error.contains("UnsupportedCertVersion") {
        ("the server's certificate is X.509 version 1, which the TLS library does not read", better())
    } else if error.contains("CaUsedAsEndEntity") {
        ("the server's certificate is a certificate authority's (CA:TRUE), which cannot be a server's", better())
    } else if error.contains("not valid for name") {
        let advice = "write one of them as the host name, or ".to_owned() + &better();
        return format!(
            "TLS failed: {error}: only the names in its subjectAltName count for verify-full, its CN does not; {advice}"
        );
    } else if error.contains("UnsupportedSignatureAlgorithm") {
        let advice = format!("use an authority whose key is one of {KEYS}, with SHA-256 or better");
        (
            "the server's certificate is signed in a way that the TLS library does not verify, such as P-521 or SHA-1",
            advice,
        )
    } else if error.contains("HandshakeFailure") {
        let advice = format!(
            "its key must be one of {KEYS}, not P-521, for instance: openssl ecparam -name prime256v1 -genkey -noout -out \
             server.key; openssl req -new -key server.key -subj /CN=HOST -out server.csr; and a certificate for it. See \
             ssl_ciphers at the server too"
        );
        ("the server has no key, cipher or curve that the TLS library can use", advice)
    } else if error.contains("ProtocolVersion") || error.contains("ServerDoesNotSupportTls12Or13") {
        ("the server speaks neither TLS 1.2 nor 1.3", "see ssl_max_protocol_version at the server".to_owned())
    } else {
        let advice = match options.get_ssl_mode() {
            _ if error.contains("received fatal alert") => {
                "the server refuses the connection: check sslcert and sslkey, where it asks for a certificate"
            }
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                "check sslrootcert, the certificate's dates and, for verify-full, its host name"
            }
            _ => "see the server's log, and its certificate",
        };
        (error, advice.to_owned())
    };
    format!("TLS failed: {what}; {advice}")
}

/// The client's certificate cannot be used with its key, or the server has no TLS.
pub fn client_certificate(error: &str, options: &PgConnectOptions) -> String {
    let (what, advice) = if error.contains("does not support TLS") {
        (error, "is TLS on at the server (ssl = on)? or choose another sslmode".to_owned())
    } else if error.contains("UnsupportedCertVersion") {
        (
            "the certificate of sslcert is X.509 version 1, which the TLS library does not read",
            BETTER_CLIENT_CERTIFICATE.to_owned(),
        )
    } else if error.contains("KeyMismatch") {
        let advice = "these print the same where they belong together: openssl x509 -noout -pubkey -in client.crt; openssl pkey \
                      -pubout -in client.key";
        ("the key of sslkey does not belong to the certificate of sslcert", advice.to_owned())
    } else if error.contains("failed to parse private key") {
        let advice = format!(
            "it must be one of {KEYS}, for instance: openssl ecparam -name prime256v1 -genkey -noout -out client.key; and a \
             certificate for it"
        );
        ("the key of sslkey is none that the TLS library can use, such as P-521", advice)
    } else if error.contains("peer sent no certificates") {
        let advice = "it must be PEM: openssl x509 -inform DER -in client.der -out client.crt";
        ("the file of sslcert holds no certificate", advice.to_owned())
    } else {
        return handshake(error, options);
    };
    format!("TLS failed: {what}; {advice}")
}

/// The file of the client's key cannot be read, or one of certificate and key is missing.
pub fn client_key(error: &str) -> String {
    if error.contains("must be given together") {
        return format!("{error}; check sslrootcert, sslcert and sslkey");
    }
    format!(
        "TLS failed: the file of sslkey holds no key that can be read ({error}); it must be PEM without a passphrase: openssl pkey \
         -in client.key -out plain.key (with -inform DER where it is DER)"
    )
}
