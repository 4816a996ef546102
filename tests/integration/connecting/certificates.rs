//! Certificates and keys that the TLS library does not take: each error names the fault, and the line that makes a better file.

use super::{connects, error_of};
use crate::support::{Authority, Certificate, install, tls_server};
use std::fs;
use std::path::Path;
use std::process::Command;

/// An authority, made by openssl, and what it signs.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.key("root", "prime256v1");
        folder.openssl("req -new -x509 -key root.key -subj /CN=company -days 365 -out root.crt");
        folder
    }

    #[track_caller]
    fn openssl(&self, line: &str) -> String {
        let output =
            Command::new("openssl").args(line.split(' ')).current_dir(self.0.path()).output().expect("openssl");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn key(&self, name: &str, curve: &str) {
        self.openssl(&format!("ecparam -name {curve} -genkey -noout -out {name}.key"));
    }

    /// Signs a certificate for the key of this name. Without extensions, openssl 3.0 makes version 1.
    fn sign(&self, name: &str, common_name: &str, extensions: Option<&str>) -> Certificate {
        self.openssl(&format!("req -new -key {name}.key -subj /CN={common_name} -out {name}.csr"));
        let mut line =
            format!("x509 -req -in {name}.csr -days 365 -CA root.crt -CAkey root.key -CAcreateserial -out {name}.crt");
        if let Some(extensions) = extensions {
            fs::write(self.0.path().join("extensions"), extensions).unwrap();
            line += " -extfile extensions";
        }
        self.openssl(&line);
        Certificate { certificate: self.file(&format!("{name}.crt")), key: self.file(&format!("{name}.key")) }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

#[track_caller]
fn says(error: &str, words: &[&str]) {
    assert!(words.iter().all(|word| error.contains(word)), "{error}\nexpected {words:?}");
    assert!(!error.contains("TLS on"), "{error}");
}

#[tokio::test]
async fn the_fault_of_a_servers_certificate_is_named() {
    let (folder, authority) = (Folder::new(), Authority::new("clients"));
    let names = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n";
    folder.key("p521", "secp521r1");
    let p521 = folder.sign("p521", "127.0.0.1", Some(names));
    let mut server = tls_server(&p521, &authority);
    let port = server.tcp_url("postgres").unwrap().rsplit_once(':').unwrap().1.to_owned();
    let url = |host: &str, mode: &str| {
        format!("postgres://postgres@{host}:{port}?sslmode={mode}&sslrootcert={}", folder.file("root.crt").display())
    };
    for mode in ["verify-full", "require"] {
        says(&error_of(&url("127.0.0.1", mode)).await, &["TLS failed", "P-521", "openssl ecparam -name prime256v1"]);
    }
    folder.key("server", "prime256v1");
    // One has a common name only, the other an address beside it.
    for (extensions, host, line) in [
        ("basicConstraints=CA:FALSE\n", "127.0.0.1", "subjectAltName=IP:"),
        ("basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n", "localhost", "subjectAltName=DNS:"),
    ] {
        install(&server, &folder.sign("server", host, Some(extensions)));
        server.restart().unwrap();
        says(&error_of(&url(host, "verify-full")).await, &["TLS failed", "its CN does not", "openssl x509 -req", line]);
        connects(&url(host, "verify-ca")).await;
    }
    install(&server, &folder.sign("server", "127.0.0.1", Some(names)));
    server.restart().unwrap();
    connects(&url("127.0.0.1", "verify-full")).await;
}

#[tokio::test]
async fn the_fault_of_a_clients_certificate_or_key_is_named_as_the_clients() {
    let (folder, authority) = (Folder::new(), Authority::new("company"));
    let server = tls_server(&authority.certify("127.0.0.1"), &authority);
    let with = |certificate: &Path, key: &Path| {
        let url = server.tcp_url("postgres").unwrap();
        format!("{url}?sslmode=require&sslcert={}&sslkey={}", certificate.display(), key.display())
    };
    let extensions = Some("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n");
    folder.key("p521", "secp521r1");
    let p521 = folder.sign("p521", "postgres", extensions);
    let error = error_of(&with(&p521.certificate, &p521.key)).await;
    says(&error, &["sslkey", "P-521", "openssl ecparam -name prime256v1 -genkey -noout -out client.key"]);
    folder.key("client", "prime256v1");
    let good = folder.sign("client", "postgres", extensions);
    folder.key("other", "prime256v1");
    let error = error_of(&with(&good.certificate, &folder.file("other.key"))).await;
    says(&error, &["the key of sslkey does not belong to the certificate of sslcert", "openssl pkey -pubout"]);
    folder.openssl("pkcs8 -topk8 -in client.key -passout pass:secret -out encrypted.key");
    folder.openssl("ec -in client.key -aes256 -passout pass:secret -out traditional.key");
    folder.openssl("pkcs8 -topk8 -nocrypt -in client.key -outform DER -out der.key");
    for key in ["encrypted.key", "traditional.key", "der.key"] {
        let error = error_of(&with(&good.certificate, &folder.file(key))).await;
        says(
            &error,
            &["the file of sslkey holds no key that can be read", "openssl pkey -in client.key -out plain.key"],
        );
    }
    folder.openssl("x509 -in client.crt -outform DER -out der.crt");
    let error = error_of(&with(&folder.file("der.crt"), &good.key)).await;
    says(&error, &["the file of sslcert holds no certificate", "openssl x509 -inform DER"]);
    folder.key("old", "prime256v1");
    let old = folder.sign("old", "postgres", None);
    if folder.openssl("x509 -noout -text -in old.crt").contains("Version: 1") {
        let error = error_of(&with(&old.certificate, &old.key)).await;
        says(&error, &["the certificate of sslcert is X.509 version 1", "openssl x509 -req -in client.csr"]);
        assert!(!error.contains("the server's certificate"), "{error}");
    }
}
