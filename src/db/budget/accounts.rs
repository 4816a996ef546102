//! The arithmetic of the budget: how many connections each server has, and whether one more fits. No I/O, no clock.
//!
//! A server is known by its addresses, and by what it says of itself once one of them was reached: two addresses that lead
//! to the same server share one account. A connection to an address that was not reached yet counts in every account, unless
//! the address gave no answer the last time: then hardly any server is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Connections to one server where the configuration does not say.
pub const DEFAULT_MAX_CONNECTIONS: u32 = 4;

/// How long a refusal for lack of connections is remembered.
const REFUSAL_COUNTS_FOR: Duration = Duration::from_secs(300);

/// Connections to addresses that have not said which server they lead to, over all of them.
const MAX_UNIDENTIFIED: u32 = 3;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Stays open between passes: the lease, NOTIFY.
    Standing,
    Pass,
    /// A sweep of session stores, which may take long: it leaves room for passes.
    Sweep,
    /// Cancels a statement on the server, so it takes what the others leave.
    Cancel,
}

/// The connections of one server.
#[derive(Debug, Clone)]
pub struct Account {
    /// What identifies the server; none before it was reached.
    identity: Option<String>,
    /// The address by which it was first known.
    pub name: String,
    /// The least of what entries of the configuration allow; none where they leave it to the default.
    configured: Option<u32>,
    /// `CONNECTION LIMIT` of the role or the database.
    server_limit: Option<u32>,
    /// After a refusal: so many were open then, and until when that counts.
    refusal: Option<(u32, Instant)>,
    pub open: u32,
    pub standing: u32,
    /// The account that counts its connections, once it turned out to be of the same server.
    merged_into: Option<usize>,
}

impl Account {
    fn new(name: &str, configured: Option<u32>) -> Self {
        Self {
            identity: None,
            name: name.to_owned(),
            configured,
            server_limit: None,
            refusal: None,
            open: 0,
            standing: 0,
            merged_into: None,
        }
    }

    /// The most connections at a time. At least one, as nothing can be known otherwise.
    pub fn limit(&self, now: Instant) -> u32 {
        let refusal = self.refusal.filter(|(_, until)| now < *until).map(|(open, _)| open);
        let limits = [self.server_limit, refusal].into_iter().flatten();
        limits.fold(self.configured.unwrap_or(DEFAULT_MAX_CONNECTIONS), u32::min).max(1)
    }

    /// How many connections may stay open between passes: a working one must find room beside them.
    fn max_standing(&self, now: Instant) -> u32 {
        match self.limit(now) {
            ..=1 => 0,
            limit => limit.saturating_sub(3).max(1),
        }
    }

    /// The most that may be open with a new one for this purpose.
    fn limit_for(&self, purpose: Purpose, now: Instant) -> u32 {
        let limit = self.limit(now);
        let spare = match (purpose, limit) {
            (Purpose::Cancel, _) | (_, ..=2) => 0,
            (Purpose::Sweep, 3) => 1,
            (_, 3) => 0,
            (Purpose::Sweep, _) => 2,
            _ => 1,
        };
        limit - spare
    }

    /// Whether those that stay open leave room for a pass. A limit that is learned later may be too low for that.
    fn standing_leave_room(&self, now: Instant) -> bool {
        self.standing < self.limit_for(Purpose::Pass, now)
    }

    fn has_room(&self, purposes: &[Purpose], others: u32, now: Instant) -> bool {
        let (count, standing) = counts(purposes);
        let limit = purposes.iter().map(|purpose| self.limit_for(*purpose, now)).min().unwrap_or(0);
        self.open + others + count <= limit && (standing == 0 || self.standing + standing <= self.max_standing(now))
    }
}

fn least(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    [one, other].into_iter().flatten().min()
}

fn counts(purposes: &[Purpose]) -> (u32, u32) {
    let standing = purposes.iter().filter(|purpose| **purpose == Purpose::Standing).count();
    (u32::try_from(purposes.len()).unwrap_or(u32::MAX), u32::try_from(standing).unwrap_or(u32::MAX))
}

/// All servers.
#[derive(Debug, Default)]
pub struct Accounts {
    accounts: Vec<Account>,
    addresses: BTreeMap<String, Address>,
}

/// What is known of one address.
#[derive(Debug, Clone, Copy)]
struct Address {
    account: usize,
    /// No failure has happened since: after one, another server may stand there.
    is_certain: bool,
    /// It gave no answer when it was tried last.
    is_silent: bool,
}

impl Address {
    fn of(account: usize, is_certain: bool) -> Self {
        Self { account, is_certain, is_silent: false }
    }
}

impl Accounts {
    /// The account of an address. `max` is what the configuration allows; of several entries the least counts.
    pub fn account_of(&mut self, address: &str, max: Option<u32>) -> usize {
        let index = match self.addresses.get(address) {
            Some(known) => known.account,
            None => {
                self.accounts.push(Account::new(address, max));
                let index = self.accounts.len() - 1;
                self.addresses.insert(address.to_owned(), Address::of(index, false));
                index
            }
        };
        let account = &mut self.accounts[index];
        account.configured = least(account.configured, max);
        index
    }

    /// Counts the connections, where they fit.
    pub fn take(&mut self, index: usize, purposes: &[Purpose], now: Instant) -> bool {
        let index = self.resolve(index);
        let unidentified: u32 = self.unidentified().map(|account| account.open).sum();
        let account = &self.accounts[index];
        let (count, _) = counts(purposes);
        let fits = if account.identity.is_some() {
            account.has_room(purposes, unidentified, now)
        } else {
            let known = self.accounts.iter().filter(|account| account.identity.is_some());
            let room = known.map(|account| account.limit(now).saturating_sub(account.open)).min();
            unidentified + count <= room.unwrap_or(MAX_UNIDENTIFIED).min(MAX_UNIDENTIFIED)
                && account.has_room(purposes, 0, now)
        };
        if fits {
            self.force(index, purposes);
        }
        fits
    }

    /// The same, as if no other address led to this server.
    pub fn take_alone(&mut self, index: usize, purposes: &[Purpose], now: Instant) -> bool {
        let index = self.resolve(index);
        let fits = self.accounts[index].has_room(purposes, 0, now);
        if fits {
            self.force(index, purposes);
        }
        fits
    }

    /// Counts the connections even where they do not fit.
    pub fn force(&mut self, index: usize, purposes: &[Purpose]) {
        let index = self.resolve(index);
        let (count, standing) = counts(purposes);
        self.accounts[index].open += count;
        self.accounts[index].standing += standing;
    }

    /// One that stayed open does so no longer; it counts as open until it is given back.
    pub fn ends(&mut self, index: usize) {
        let index = self.resolve(index);
        let account = &mut self.accounts[index];
        account.standing = account.standing.saturating_sub(1);
    }

    pub fn give_back(&mut self, index: usize, purpose: Purpose) {
        let index = self.resolve(index);
        let account = &mut self.accounts[index];
        account.open = account.open.saturating_sub(1);
        if purpose == Purpose::Standing {
            self.ends(index);
        }
    }

    /// Whether one that stays open may go on: where they leave no room for a pass, they must be closed.
    pub fn may_stay(&self, index: usize, now: Instant) -> bool {
        self.account(index).standing_leave_room(now)
    }

    /// Whether connections of these purposes could fit beside those that stay open, and may.
    pub fn can_fit(&self, index: usize, purposes: &[Purpose], now: Instant) -> bool {
        let account = self.account(index);
        let open = if account.standing_leave_room(now) { account.standing } else { account.max_standing(now) };
        let quiet = Account { open, ..account.clone() };
        quiet.has_room(purposes, 0, now)
    }

    /// Whether the server at an address must be asked which one it is.
    pub fn is_certain(&self, address: &str) -> bool {
        self.addresses.get(address).is_some_and(|known| known.is_certain)
    }

    /// The account of the server at an address, once it has said which one it is.
    pub fn certain_account(&self, address: &str) -> Option<usize> {
        self.addresses.get(address).filter(|known| known.is_certain).map(|known| self.resolve(known.account))
    }

    /// The server at `address` says who it is, and how many connections it grants the role. Returns its account.
    pub fn identify(&mut self, address: &str, identity: &str, server_limit: Option<u32>) -> usize {
        let found = self.accounts.iter().position(|account| account.identity.as_deref() == Some(identity));
        let old = self.addresses.get(address).map(|known| known.account);
        let index = match (found, old) {
            (Some(index), old) => {
                if let Some(old) = old.filter(|old| *old != index && self.accounts[*old].identity.is_none()) {
                    self.merge(old, index);
                }
                index
            }
            (None, Some(old)) if self.accounts[old].identity.is_none() => {
                self.accounts[old].identity = Some(identity.to_owned());
                old
            }
            // Another server stands at this address now. The connections to the former one are still counted there.
            (None, Some(old)) => {
                let fresh = Account::new(address, self.accounts[old].configured);
                self.accounts.push(Account { identity: Some(identity.to_owned()), ..fresh });
                self.accounts.len() - 1
            }
            (None, None) => {
                let index = self.account_of(address, None);
                self.accounts[index].identity = Some(identity.to_owned());
                index
            }
        };
        self.addresses.insert(address.to_owned(), Address::of(index, true));
        self.accounts[index].server_limit = least(self.accounts[index].server_limit, server_limit);
        index
    }

    /// A connection was refused because the server, or the role, has no more; so many are counted and not open. Whether
    /// fewer are opened from now on: not where only a standing one could make room.
    pub fn refused(&mut self, index: usize, unopened: u32, now: Instant) -> bool {
        let index = self.resolve(index);
        let account = &mut self.accounts[index];
        let others = account.open.saturating_sub(unopened);
        let learned = others >= 2;
        if learned {
            account.refusal = Some((others, now + REFUSAL_COUNTS_FOR));
        }
        learned
    }

    /// Notes whether an address gave any answer.
    pub fn answered(&mut self, address: &str, answered: bool) {
        if let Some(known) = self.addresses.get_mut(address) {
            known.is_silent = !answered;
        }
    }

    /// Whether the address gave no answer when it was tried last.
    pub fn is_silent(&self, address: &str) -> bool {
        self.addresses.get(address).is_some_and(|known| known.is_silent)
    }

    /// The address may lead to another server now.
    pub fn doubt(&mut self, address: &str) {
        if let Some(known) = self.addresses.get_mut(address) {
            known.is_certain = false;
        }
    }

    /// The servers that were reached.
    pub fn servers(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.identity.is_some())
    }

    pub fn account(&self, index: usize) -> &Account {
        &self.accounts[self.resolve(index)]
    }

    /// The account that counts for this one.
    pub fn resolve(&self, index: usize) -> usize {
        self.accounts[index].merged_into.unwrap_or(index)
    }

    /// Counts the connections of `old` in `index` from now on.
    fn merge(&mut self, old: usize, index: usize) {
        let from = std::mem::replace(&mut self.accounts[old], Account::new("", None));
        self.accounts[old].merged_into = Some(index);
        let into = &mut self.accounts[index];
        into.configured = least(into.configured, from.configured);
        into.refusal = [into.refusal, from.refusal].into_iter().flatten().min_by_key(|(open, _)| *open);
        into.open += from.open;
        into.standing += from.standing;
    }

    /// Servers of which it is not known which they are, as far as there may be any.
    fn unidentified(&self) -> impl Iterator<Item = &Account> {
        let is_silent = |index: usize| self.addresses.values().any(|known| known.account == index && known.is_silent);
        let is_one = move |(index, account): &(usize, &Account)| {
            account.identity.is_none() && account.merged_into.is_none() && !is_silent(*index)
        };
        self.accounts.iter().enumerate().filter(is_one).map(|(_, account)| account)
    }
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
