//! What each parameter of a connection string does here: libpq's (PostgreSQL manual, Parameter Key Words), and values that
//! frameworks and providers write.

use super::Pairs;
use super::error::ConninfoError;
use super::foreign::{is_foreign, own_name};

/// What becomes of a parameter with the value that it has.
enum Effect {
    /// It is honored, or asks for what is done anyway.
    Taken,
    /// It changes nothing here, which a warning says.
    Ignored,
    /// It asks for what pgmedic cannot do; what to write instead.
    Refused(&'static str),
}

/// Parameters that are honored: see `mod.rs` and `candidates.rs`.
const HONORED: [&str; 19] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "service",
    "servicefile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// Parameters of libpq that tune what does not exist here: keepalives of the operating system, Kerberos names.
const TUNING: [&str; 12] = [
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "sslcertmode",
    "sslcompression",
    "sslkeylogfile",
    "sslsni",
    "tcp_user_timeout",
];

/// Sets every parameter to libpq's name and value, and drops those without effect.
///
/// Returns the names of the dropped ones, for one warning.
///
/// # Errors
///
/// The parameter that is unknown, or asks for what cannot be done.
pub fn normalize(pairs: &mut Pairs) -> Result<Vec<String>, ConninfoError> {
    let mut ignored = Vec::new();
    let mut known = Pairs::default();
    for (name, value) in pairs.take() {
        let name = own_name(&name);
        // Some drivers compare without case.
        let lower = name.to_ascii_lowercase();
        let name = if HONORED.contains(&lower.as_str()) { lower.as_str() } else { name };
        match (name, value.as_str()) {
            // Values that other drivers write.
            ("ssl" | "requiressl" | "tls" | "ssl_require", "true" | "1" | "require" | "on") => {
                known.set_default("sslmode", "require")
            }
            ("ssl" | "requiressl" | "tls" | "ssl_require", "false" | "0" | "disable" | "off" | "") => {}
            ("ssl", "no-verify") => {
                known.set_default("sslmode", "require");
                ignored.push("ssl=no-verify (sslmode=require does the same)".to_owned());
            }
            ("sslmode", "no-verify") => {
                known.set("sslmode", "require");
                ignored.push("sslmode=no-verify (sslmode=require does the same)".to_owned());
            }
            ("ssl", other) => known.set_default("sslmode", other),
            ("target_session_attrs", "master" | "primary") => known.set(name, "primary"),
            ("target_session_attrs", "secondary" | "slave" | "standby") => known.set(name, "standby"),
            ("target_session_attrs", "preferSecondary" | "preferSlave") => known.set(name, "prefer-standby"),
            ("target_session_attrs", "preferPrimary") => known.set(name, "prefer-primary"),
            ("load_balance_hosts", "true") => known.set(name, "random"),
            ("load_balance_hosts", "false") => known.set(name, "disable"),
            (setting, value) if setting.starts_with("options[") && setting.ends_with(']') => {
                add_setting(&mut known, &setting["options[".len()..setting.len() - 1], value);
            }
            // Settings of the server that decide what pgmedic may do there.
            ("role" | "default_transaction_read_only", value) => add_setting(&mut known, name, value),
            ("options", value) => add_options(&mut known, value),
            // The socket itself, or its folder.
            ("unix_socket", path) => {
                let (folder, port) = path.rsplit_once("/.s.PGSQL.").unwrap_or((path, ""));
                known.set("host", folder);
                known.set_unless_empty("port", port);
            }
            _ => match effect(name, &value)? {
                Effect::Taken if HONORED.contains(&name) => known.set(name, &value),
                Effect::Taken => {}
                Effect::Ignored => ignored.push(explain(name, &value)),
                Effect::Refused(instead) => {
                    return Err(ConninfoError::Unsupported { name: name.to_owned(), instead });
                }
            },
        }
    }
    *pairs = known;
    Ok(ignored)
}

fn add_setting(known: &mut Pairs, setting: &str, value: &str) {
    let escaped = value.replace('\\', "\\\\").replace(' ', "\\ ");
    add_options(known, &format!("-c {setting}={escaped}"));
}

fn add_options(known: &mut Pairs, options: &str) {
    let before = known.get("options").map_or(String::new(), |before| format!("{before} "));
    known.set("options", &format!("{before}{options}"));
}

fn effect(name: &str, value: &str) -> Result<Effect, ConninfoError> {
    use Effect::{Ignored, Refused, Taken};
    let is_off = matches!(value, "" | "0" | "false" | "disable");
    Ok(match name {
        honored if HONORED.contains(&honored) => Taken,
        "gssencmode" if value == "require" => Refused("leave it out; sslmode=verify-full encrypts with TLS"),
        "gssencmode" => Taken,
        "channel_binding" if value == "require" => Ignored,
        "channel_binding" => Taken,
        "client_encoding" if ["auto", "utf8", "utf-8", "unicode"].contains(&value.to_ascii_lowercase().as_str()) => {
            Taken
        }
        "client_encoding" => Ignored,
        "sslnegotiation" if value == "direct" => Refused("leave it out; the server is asked for TLS first"),
        "sslnegotiation" => Taken,
        "sslcrl" | "sslcrldir" if is_off => Taken,
        "sslcrl" | "sslcrldir" => Refused("leave it out; certificates that were revoked are not recognized"),
        "require_auth" if is_off => Taken,
        "require_auth" => Refused("leave it out; sslmode=verify-full keeps a password from a false server"),
        "requirepeer" if is_off => Taken,
        "requirepeer" => Refused("leave it out; the owner of the server's socket is not compared"),
        "sslpassword" if is_off => Taken,
        "sslpassword" => Refused("leave it out, and name a key without a passphrase as sslkey"),
        "ssl_min_protocol_version" if value == "TLSv1.3" => {
            Refused("leave it out; TLS 1.2 is the least that is spoken")
        }
        "ssl_min_protocol_version" | "min_protocol_version" => Taken,
        "ssl_max_protocol_version" | "max_protocol_version" => Ignored,
        "sslcompression" if is_off => Taken,
        "sslsni" if value == "1" => Taken,
        "replication" if is_off => Taken,
        "replication" => Refused("leave it out; pgmedic needs an ordinary connection"),
        "scram_client_key" | "scram_server_key" => Refused("give the password itself, or a password file"),
        oauth if oauth.starts_with("oauth_") => Refused("give a password, or a client certificate"),
        other if TUNING.contains(&other) || is_foreign(other) && is_printable(other) => Ignored,
        unknown => return Err(ConninfoError::Unknown(printable(unknown))),
    })
}

/// The name of an ignored parameter, with what protects instead where it would have protected something.
fn explain(name: &str, value: &str) -> String {
    match (name, value) {
        ("channel_binding", "require") => {
            "channel_binding=require (pgmedic cannot bind to the channel: sslmode=verify-full protects as well)"
                .to_owned()
        }
        ("cloudSqlInstance" | "alloydbInstanceName", _) => {
            format!(
                "{name} (pgmedic has no such connector: name the address of the proxy, or its socket's folder, as host)"
            )
        }
        ("sslidentity", _) => "sslidentity (name the certificate and its key as sslcert and sslkey)".to_owned(),
        _ => name.to_owned(),
    }
}

/// A parameter's name where it cannot be a piece of a password.
fn printable(name: &str) -> String {
    if is_printable(name) { format!("`{name}`") } else { "(name not shown)".to_owned() }
}

fn is_printable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.len() <= 63 && name.chars().all(plain)
}
