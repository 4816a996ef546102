//! What is known of each subject, so that a lasting state is logged once and not after every pass.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Facts that one subject may collect, so that ever new ones do not fill the log.
const MAX_FACTS: usize = 16;

/// The facts that were logged last, by subject. A fact is a kind, never a sentence with its numbers.
#[derive(Debug)]
pub struct ChangeLog<K> {
    logged: HashMap<K, HashSet<String>>,
}

impl<K> Default for ChangeLog<K> {
    fn default() -> Self {
        Self { logged: HashMap::new() }
    }
}

impl<K: Eq + Hash> ChangeLog<K> {
    /// Replaces the facts about `subject`. Returns those that are news.
    pub fn replace(&mut self, subject: K, facts: impl IntoIterator<Item = String>) -> HashSet<String> {
        let before = self.logged.remove(&subject).unwrap_or_default();
        let facts: HashSet<String> = facts.into_iter().collect();
        let news = facts.difference(&before).cloned().collect();
        if !facts.is_empty() {
            self.logged.insert(subject, facts);
        }
        news
    }

    /// Adds a fact to those about `subject`, and says whether it is news. Facts that alternate are news once each.
    pub fn add(&mut self, subject: K, fact: String) -> bool {
        let facts = self.logged.entry(subject).or_default();
        facts.len() < MAX_FACTS && facts.insert(fact)
    }

    /// Forgets the facts about `subject`, and says whether there were any.
    pub fn remove(&mut self, subject: &K) -> bool {
        self.logged.remove(subject).is_some()
    }

    /// Forgets subjects that are gone.
    pub fn retain(&mut self, exists: impl Fn(&K) -> bool) {
        self.logged.retain(|subject, _| exists(subject));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(facts: &[&str]) -> Vec<String> {
        facts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_lasting_fact_is_news_once_and_again_after_it_was_gone() {
        let mut log = ChangeLog::default();
        assert_eq!(log.replace("a", facts(&["held"])), HashSet::from(["held".to_owned()]));
        assert!(log.replace("a", facts(&["held"])).is_empty());
        assert_eq!(log.replace("b", facts(&["held"])).len(), 1, "another subject");
        assert_eq!(log.replace("a", facts(&["held", "slow"])), HashSet::from(["slow".to_owned()]));
        assert!(log.replace("a", facts(&[])).is_empty());
        assert_eq!(log.replace("a", facts(&["held"])).len(), 1);
        log.retain(|subject| *subject == "b");
        assert_eq!((log.replace("a", facts(&["held"])).len(), log.replace("b", facts(&["held"])).len()), (1, 0));
    }

    #[test]
    fn facts_that_alternate_are_news_once_each_and_many_do_not_fill_the_log() {
        let mut log = ChangeLog::default();
        let mut news = |fact: usize| log.add("down", fact.to_string());
        assert!(news(0) && news(1) && !news(0) && !news(1));
        assert_eq!((2..1000).filter(|fact| news(*fact)).count(), MAX_FACTS - 2);
        assert!(log.remove(&"down") && !log.remove(&"down"));
        assert!(log.add("down", "0".to_owned()));
    }
}
