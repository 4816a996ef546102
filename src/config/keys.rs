//! Every key of the configuration, once: its name and the type of its value.
//!
//! `section!` makes two things of each list: a struct for serde, which holds the values as written, and
//! [`Section::KEYS`], which the file and the environment are checked against. A new key is one line here, its check in
//! the section's file, and its use.
//!
//! No derived `Debug`: connection URLs are plain text here.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::key::{Key, KeyType};
use super::one_or_many::OneOrMany;
use super::sessions::Scalar;

/// A table of the configuration.
pub(super) trait Section {
    /// Its keys, in the order in which errors list them.
    const KEYS: &'static [Key];
}

/// A table of which any key can be left out.
pub(super) trait Optional {
    /// These values; for each key that is left out, the value of `defaults`.
    fn or(self, defaults: Self) -> Self;
}

/// The Rust type of each variant of [`KeyType`], under the variant's name.
mod written {
    pub type Bool = bool;
    pub type Integer = i64;
    pub type Float = f64;
    pub type Text = String;
    pub type Secret = String;
    pub type Duration = String;
    pub type List = Vec<String>;
    pub type Scalar = super::Scalar;
    pub type Texts = super::OneOrMany<String>;
    pub type Conditions = super::BTreeMap<String, super::OneOrMany<super::Scalar>>;
    pub type Table<T> = T;
    pub type Tables<T> = Vec<T>;
}

/// The key's name of a field: `r#match` is `match`.
const fn key_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares a table. Of a `struct`, every key has a value, because `config/pgmedic.toml` sets it; in an
/// `optional struct`, any key can be left out.
macro_rules! section {
    (@keys $name:ident { $($key:ident: $type:ident $(<$below:ident>)?,)* }) => {
        impl Section for $name {
            const KEYS: &'static [Key] = &[$(
                Key { name: key_name(stringify!($key)), value: KeyType::$type $((<$below as Section>::KEYS))? },
            )*];
        }
    };
    ($(#[$doc:meta])* struct $name:ident { $($(#[$serde:meta])* $key:ident: $type:ident $(<$below:ident>)?,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($(#[$serde])* pub $key: written::$type $(<$below>)?,)* }

        section!(@keys $name { $($key: $type $(<$below>)?,)* });
    };
    ($(#[$doc:meta])* optional struct $name:ident { $($key:ident: $type:ident $(<$below:ident>)?,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Default, Deserialize, Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $name { $(pub $key: Option<written::$type $(<$below>)?>,)* }

        section!(@keys $name { $($key: $type $(<$below>)?,)* });

        impl Optional for $name {
            fn or(self, defaults: Self) -> Self {
                Self { $($key: self.$key.or(defaults.$key),)* }
            }
        }
    };
}

section! {
    /// The top level.
    struct Written {
        #[serde(default)]
        databases: Tables<WrittenDatabase>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        servers: Tables<WrittenServer>,
        sequences: Table<WrittenSequences>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sessions: Tables<WrittenStore>,
        http: Table<WrittenHttp>,
        log: Table<WrittenLog>,
        #[serde(default, skip_serializing_if = "WrittenWebhook::is_empty")]
        webhook: Table<WrittenWebhook>,
    }
}

/// Shows no value, because a value may hold a password.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

section! {
    /// `[[databases]]`
    optional struct WrittenDatabase {
        name: Text,
        url: Secret,
        url_file: Text,
        max_connections: Integer,
    }
}

section! {
    /// `[[servers]]`
    optional struct WrittenServer {
        name: Text,
        url: Secret,
        url_file: Text,
        include: List,
        exclude: List,
        max_connections: Integer,
    }
}

section! {
    /// `[sequences]`
    struct WrittenSequences {
        schedule: Text,
        listen_notify: Bool,
        repair: Bool,
        include: List,
        exclude: List,
        headroom: Integer,
        advance_limit: Integer,
        max_repair_ratio: Float,
        warn_used_ratio: Float,
        fail_used_ratio: Float,
        lock_timeout: Duration,
        statement_timeout: Duration,
        full_pass_every: Integer,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        feeds: Tables<WrittenFeed>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Tables<WrittenRule>,
    }
}

section! {
    /// `[[sequences.rules]]`
    optional struct WrittenRule {
        r#match: Text,
        repair: Bool,
        max_id: Integer,
        headroom: Integer,
    }
}

section! {
    /// `[[sequences.feeds]]`
    optional struct WrittenFeed {
        sequence: Text,
        column: Text,
        database: Text,
        allocator: Text,
        block_size: Integer,
    }
}

section! {
    /// `[[sessions]]`
    optional struct WrittenStore {
        name: Text,
        database: Text,
        preset: Text,
        table: Text,
        only: Conditions,
        expires_at: Text,
        last_activity: Text,
        idle_timeout: Duration,
        created_at: Text,
        absolute_timeout: Duration,
        lifetime: Table<WrittenLifetime>,
        encoding: Text,
        time_zone: Text,
        action: Text,
        revoke: Table<WrittenRevoke>,
        user: Texts,
        max_per_user: Integer,
        schedule: Text,
        batch_size: Integer,
        grace_period: Duration,
        max_ended_ratio: Float,
        guard_min_sessions: Integer,
        sweep_timeout: Duration,
    }
}

section! {
    /// `lifetime` of a session store.
    optional struct WrittenLifetime {
        column: Text,
        unit: Text,
    }
}

section! {
    /// `revoke` of a session store.
    optional struct WrittenRevoke {
        column: Text,
        value: Scalar,
    }
}

section! {
    /// `[http]`
    struct WrittenHttp {
        listen: Text,
        allowed_hosts: List,
        tls_server_config: Table<WrittenTls>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Tables<WrittenLink>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        agents: Tables<WrittenLink>,
        // Never printed.
        #[serde(default, skip_serializing)]
        basic_auth_users: Tables<WrittenUser>,
    }
}

section! {
    /// `[http.tls_server_config]`
    struct WrittenTls {
        cert_file: Text,
        key_file: Text,
    }
}

section! {
    /// `[[http.basic_auth_users]]`
    optional struct WrittenUser {
        username: Text,
        password_hash: Secret,
    }
}

section! {
    /// `[[http.links]]` and `[[http.agents]]`
    optional struct WrittenLink {
        name: Text,
        url: Text,
    }
}

section! {
    /// `[log]`
    struct WrittenLog {
        format: Text,
        level: Text,
    }
}

section! {
    /// `[webhook]`
    optional struct WrittenWebhook {
        url: Secret,
        url_file: Text,
        format: Text,
        repairs: Bool,
    }
}

impl WrittenWebhook {
    /// Whether nothing of it is set.
    fn is_empty(&self) -> bool {
        self.url.is_none() && self.url_file.is_none() && self.format.is_none() && self.repairs.is_none()
    }
}

/// Keys that had another name before: the table, the old name, the new name.
pub(super) const RENAMED: &[(&str, &str, &str)] = &[
    ("sequences", "max_leap_ratio", "max_repair_ratio"),
    ("sequences", "listen", "listen_notify"),
    ("sessions", "max_fraction", "max_ended_ratio"),
    ("sessions", "guard_floor", "guard_min_sessions"),
    ("sessions", "keep_newest", "max_per_user"),
    ("sessions", "batch", "batch_size"),
    ("sessions", "grace", "grace_period"),
];
