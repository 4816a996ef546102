//! `[[http.links]]` and `[[http.agents]]`: where the status page leads to.

use std::collections::BTreeSet;

use url::Url;

use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenLink;
use super::layers::ConfigLocations;

/// A list of links fits into a line of the page.
const MOST_LINKS: usize = 12;
const LONGEST_NAME: usize = 40;

/// A link to a page elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    /// Unique in its list.
    pub name: String,
    /// Begins with `http://` or `https://`, so that no script can stand in it.
    pub url: String,
}

impl PageLink {
    /// Checks a list of links. `list` is its key.
    pub(super) fn validate(
        written: &[WrittenLink],
        list: &str,
        locations: &ConfigLocations,
    ) -> Result<Vec<Self>, ConfigError> {
        if written.len() > MOST_LINKS {
            let found = format!("{} links", written.len());
            return Err(locations.invalid(list, found, format!("at most {MOST_LINKS}")));
        }
        let mut names = BTreeSet::new();
        let links = written.iter().enumerate().map(|(index, link)| {
            let key = |name: &str| format!("{list}[{index}].{name}");
            let found = |text: &str| if text.is_empty() { "nothing".to_owned() } else { display_or_hide(text) };
            let name = link.name.clone().unwrap_or_default();
            if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
                let expected = format!("a name of at most {LONGEST_NAME} characters, such as \"Grafana\"");
                return Err(locations.invalid(key("name"), found(&name), expected));
            }
            if !names.insert(name.clone()) {
                return Err(locations.invalid(key("name"), found(&name), "a name that no other link of the list has"));
            }
            let text = link.url.as_deref().unwrap_or_default();
            let url = checked(text).ok_or_else(|| {
                let expected = "http://HOST/PATH or https://HOST/PATH without a user name";
                locations.invalid(key("url"), found(text), expected)
            })?;
            Ok(Self { name, url })
        });
        links.collect()
    }
}

/// The URL as a browser would read it; none for one that leads nowhere, runs a script, or holds a password.
fn checked(text: &str) -> Option<String> {
    // Browsers ignore line ends within a URL, and spaces around it.
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_page = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    (is_page && is_anonymous).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_can_be_linked_to() {
        let written = "https://grafana.example/d/x?var-server=a&b=<c>";
        assert_eq!(checked(written).unwrap(), written.replace("<c>", "%3Cc%3E"));
        assert_eq!(checked("http://10.0.0.7:9847").unwrap(), "http://10.0.0.7:9847/");
        for text in [
            "",
            "javascript:alert(1)",
            "JavaScript:alert(1)//https://example.org",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "https://example.org/\u{1}",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "//example.org/",
            "/dashboards",
            "grafana.example",
            "https://",
            "https://user:secret@example.org/",
            "https://user@example.org/",
            "ftp://example.org/",
            "blob:https://example.org/x",
            "view-source:https://example.org/",
        ] {
            assert_eq!(checked(text), None, "{text:?}");
        }
    }
}
