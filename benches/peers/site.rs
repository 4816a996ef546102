//! A database on which a tool runs, and the files that the tool needs.

use super::Result;
use super::oracle::quoted;
use super::peer::{Peer, python};
use pgmedic_testserver::TestServer;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use url::Url;

/// A column that a sequence feeds. `sequence` is quoted for SQL, the other names are not.
pub struct Fed {
    pub table: String,
    pub column: String,
    pub sequence: String,
}

pub struct Site {
    url: String,
    source: String,
    variables: Vec<(&'static str, OsString)>,
    folder: TempDir,
}

/// Django's settings. libpq's variables name the server and the user.
const DJANGO_SETTINGS: &str = "\
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'OPTIONS': {'dbname': __import__('os').environ['PGDATABASE']}}}
INSTALLED_APPS = ['shop']
USE_TZ = True
";

impl Site {
    /// `source` is the database that pgcopydb copies from.
    pub fn new(server: &TestServer, database: &str, source: &str) -> Result<Self> {
        let url = server.url(database);
        let host = parameter(&url, "host")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([server.bin_dir().to_owned()].into_iter().chain(std::env::split_paths(&path)))?;
        let folder = tempfile::Builder::new().prefix("peers-").tempdir()?;
        let variables = vec![
            ("PATH", path),
            ("LC_ALL", "C.UTF-8".into()),
            ("PGHOST", host.into()),
            ("PGPORT", parameter(&url, "port")?.into()),
            ("PGUSER", parameter(&url, "user")?.into()),
            ("PGDATABASE", database.into()),
            ("PYTHONPATH", folder.path().into()),
            ("DJANGO_SETTINGS_MODULE", "settings".into()),
        ];
        Ok(Self { url, source: server.url(source), variables, folder })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.variables.iter().map(|(name, value)| (*name, value))
    }

    /// Writes the files that tell the tool which tables there are.
    pub fn furnish(&self, peer: Peer, feds: &[Fed]) -> Result<()> {
        match peer {
            Peer::Django => self.django(feds),
            Peer::Pgloader => self.pgloader(feds),
            Peer::MaxPlusOne => Ok(fs::write(self.file("by-hand.sql"), by_hand(feds))?),
            Peer::Pgmedic | Peer::Wiki | Peer::Rails | Peer::Pgcopydb => Ok(()),
        }
    }

    fn django(&self, feds: &[Fed]) -> Result<()> {
        fs::create_dir_all(self.file("shop"))?;
        fs::write(self.file("shop/__init__.py"), "")?;
        fs::write(self.file("settings.py"), DJANGO_SETTINGS)?;
        let mut models = "from django.db import models\n".to_owned();
        for (number, Fed { table, column, .. }) in feds.iter().enumerate() {
            // A Rust literal of an ASCII string is also a Python literal.
            write!(
                models,
                "class Model{number}(models.Model):\n\
                 \x20   key = models.AutoField(primary_key=True, db_column={column:?})\n\
                 \x20   class Meta:\n\
                 \x20       db_table = {table:?}\n"
            )?;
        }
        Ok(fs::write(self.file("shop/models.py"), models)?)
    }

    fn pgloader(&self, feds: &[Fed]) -> Result<()> {
        let (list, sqlite) = (self.file("tables.tsv"), self.file("tables.sqlite"));
        fs::write(&list, feds.iter().map(|fed| format!("{}\t{}\n", fed.table, fed.column)).collect::<String>())?;
        let mut make = Command::new(python());
        make.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/tools/empty.py")).arg(&sqlite);
        let status = make.stdin(Stdio::from(File::open(list)?)).status();
        let status = status.map_err(|error| format!("{}: {error}: run scripts/setup peers", python().display()))?;
        if !status.success() {
            return Err(format!("empty.py: {status}").into());
        }
        let of = |name| parameter(&self.url, name);
        let database = self.variables.iter().find(|(name, _)| *name == "PGDATABASE");
        let database = database.map(|(_, value)| value.to_string_lossy()).unwrap_or_default();
        let script = format!(
            "LOAD DATABASE FROM sqlite://{} INTO pgsql://{}@unix:{}:{}/{database}\n\
             WITH data only, quote identifiers, reset sequences;\n",
            sqlite.display(),
            of("user")?,
            of("host")?,
            of("port")?
        );
        Ok(fs::write(self.file("tables.load"), script)?)
    }
}

/// Three statements for each table, as a user would write them by hand.
fn by_hand(feds: &[Fed]) -> String {
    let of = |Fed { table, column, sequence }: &Fed| {
        let (table, column, literal) = (quoted(table), quoted(column), sequence.replace('\'', "''"));
        format!(
            "SELECT last_value, is_called FROM {sequence};\n\
             SELECT max({column}) FROM {table};\n\
             SELECT setval('{literal}', (SELECT max({column}) + 1 FROM {table}), false);\n"
        )
    };
    feds.iter().map(of).collect()
}

fn parameter(url: &str, name: &str) -> Result<String> {
    let url = Url::parse(url)?;
    let value = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    value.ok_or_else(|| format!("a server's URL without {name}").into())
}
