//! Certificates for one test, and a server that presents them.

use super::owner;
use pgmedic_testserver::{ServerOptions, TestServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A certificate authority. Its files are deleted when it is dropped.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, as PEM files.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    /// The authority's certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Issues a certificate for a host name or an IP address, or for a client whose role has this name.
    pub fn certify(&self, name: &str) -> Certificate {
        self.certify_until(name, 4000)
    }

    /// The same, valid until the end of this year.
    pub fn certify_until(&self, name: &str, year: i32) -> Certificate {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |kind: &str| self.folder.path().join(format!("{name}-{year}-{kind}.pem"));
        let files = Certificate { certificate: file("certificate"), key: file("key") };
        fs::write(&files.certificate, certificate.pem()).expect("a file");
        fs::write(&files.key, key.serialize_pem()).expect("a file");
        files
    }
}

/// A server that accepts TCP connections only with TLS. The role `app` must present a certificate of `clients`.
pub fn tls_server(certificate: &Certificate, clients: &Authority) -> TestServer {
    let hba = "local all all trust\n\
               hostssl all app 127.0.0.1/32 cert\n\
               hostssl all all 127.0.0.1/32 trust\n";
    let options = ServerOptions { tcp: true, hba: Some(hba.to_owned()), ..ServerOptions::default() };
    let mut server = TestServer::start(&options).expect("a PostgreSQL server");
    let data = server.data_dir();
    fs::copy(clients.file(), data.join("clients.crt")).expect("a copy");
    let (user, group) = owner(&server);
    chown(data.join("clients.crt"), Some(user), Some(group)).expect("its file");
    install(&server, certificate);
    let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.conf")).expect("its configuration");
    writeln!(settings, "ssl = on\nssl_ca_file = 'clients.crt'").expect("settings");
    server.restart().expect("a server with TLS");
    server
}

/// Installs a certificate, which the server presents after its next start or reload.
pub fn install(server: &TestServer, certificate: &Certificate) {
    let (user, group) = owner(server);
    let place = |from: &Path, name: &str| {
        let to = server.data_dir().join(name);
        fs::copy(from, &to).expect("a copy");
        // The server refuses a key that other users may read.
        fs::set_permissions(&to, Permissions::from_mode(0o600)).expect("its mode");
        chown(&to, Some(user), Some(group)).expect("its file");
    };
    place(&certificate.certificate, "server.crt");
    place(&certificate.key, "server.key");
}
