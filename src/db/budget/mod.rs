//! How many connections pgmedic has to each server at a time. Every connection takes a permit before it is opened.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | permits, and waiting for one |
//! | `accounts.rs` | which connections count together, and whether one more fits |
//!
//! Databases and aliases of one server share its budget: what identifies a server is when its postmaster started, which
//! every role may ask. A server process that ends is gone a moment after its connection is closed, and one whose connection
//! was lost may run on until a timeout, so a permit is given back later than its connection is.

mod accounts;

pub use accounts::{DEFAULT_MAX_CONNECTIONS, Purpose};

use accounts::Accounts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a server process takes to end after its connection was closed.
const PROCESS_ENDS_WITHIN: Duration = Duration::from_millis(50);

/// For how long a connection waits until it fits beside those to addresses that have not said which server they lead to. Each of
/// them may lead to the same server.
const UNIDENTIFIED_COUNT_FOR: Duration = Duration::from_secs(5);

/// The order in which permits of one kind are waited for.
type Queue = Arc<tokio::sync::Mutex<()>>;

/// The connections to all servers of one configuration.
#[derive(Debug, Default)]
pub struct ConnectionBudget {
    accounts: Mutex<Accounts>,
    queues: Mutex<HashMap<(usize, Purpose), Queue>>,
    changed: Notify,
}

/// What the budget knows of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConnections {
    /// An address of it.
    pub server: String,
    pub open: u32,
    pub standing: u32,
    pub max: u32,
}

impl ServerConnections {
    fn of(account: &accounts::Account, now: Instant) -> Self {
        Self { server: account.name.clone(), open: account.open, standing: account.standing, max: account.limit(now) }
    }
}

impl ConnectionBudget {
    /// Waits until connections for all of `purposes` fit at once, and counts them. None where those that stay open leave no room for them.
    pub async fn acquire<const N: usize>(
        self: &Arc<Self>,
        address: &str,
        max: Option<u32>,
        purposes: [Purpose; N],
    ) -> Option<[Permit; N]> {
        let index = self.lock().account_of(address, max);
        let queue = {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            let kind = purposes.first().copied().unwrap_or(Purpose::Pass);
            Arc::clone(queues.entry((index, kind)).or_default())
        };
        let _turn = queue.lock().await;
        let patience = tokio::time::sleep(UNIDENTIFIED_COUNT_FOR);
        tokio::pin!(patience);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut accounts = self.lock();
                let now = Instant::now();
                let fits = accounts.take(index, &purposes, now);
                if fits || patience.is_elapsed() && accounts.take_alone(index, &purposes, now) {
                    return Some(self.permits(address, index, purposes));
                }
                if !accounts.can_fit(index, &purposes, now) {
                    return None;
                }
            }
            tokio::select! {
                () = &mut changed => {}
                // A refusal that counts no longer changes nothing else.
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = &mut patience, if !patience.is_elapsed() => {}
            }
        }
    }

    /// Whether connections for all of `purposes` fit at once now.
    pub fn fits(&self, address: &str, max: Option<u32>, purposes: &[Purpose]) -> bool {
        let mut accounts = self.lock();
        let index = accounts.account_of(address, max);
        let fits = accounts.take(index, purposes, Instant::now());
        if fits {
            purposes.iter().for_each(|purpose| accounts.give_back(index, *purpose));
        }
        fits
    }

    /// Whether the server at this address must be asked which one it is.
    pub fn must_identify(&self, address: &str) -> bool {
        !self.lock().is_certain(address)
    }

    /// The address gave no connection: another server may stand there next.
    pub fn doubt(&self, address: &str) {
        self.lock().doubt(address);
    }

    /// Notes whether an address gave any answer.
    pub fn answered(&self, address: &str, answered: bool) {
        self.lock().answered(address, answered);
        self.changed.notify_waiters();
    }

    /// Whether the address gave no answer when it was tried last.
    pub fn is_silent(&self, address: &str) -> bool {
        self.lock().is_silent(address)
    }

    /// Whether an address of each list leads to one server, as far as it has said so.
    pub fn are_same_server(&self, one: &[String], other: &[String]) -> bool {
        let accounts = self.lock();
        let known = |addresses: &[String]| -> Vec<usize> {
            addresses.iter().filter_map(|address| accounts.certain_account(address)).collect()
        };
        let other = known(other);
        known(one).iter().any(|account| other.contains(account))
    }

    /// The servers that were reached, and their connections.
    pub fn servers(&self) -> Vec<ServerConnections> {
        let now = Instant::now();
        self.lock().servers().map(|account| ServerConnections::of(account, now)).collect()
    }

    /// The server that one of these addresses leads to, and the connections to it; none where none has said so yet.
    pub fn server_at(&self, addresses: &[String]) -> Option<ServerConnections> {
        let accounts = self.lock();
        let account = addresses.iter().find_map(|address| accounts.certain_account(address))?;
        Some(ServerConnections::of(accounts.account(account), Instant::now()))
    }

    fn permits<const N: usize>(self: &Arc<Self>, address: &str, index: usize, purposes: [Purpose; N]) -> [Permit; N] {
        purposes.map(|purpose| self.permit(address, index, purpose))
    }

    fn permit(self: &Arc<Self>, address: &str, index: usize, purpose: Purpose) -> Permit {
        Permit { budget: Arc::clone(self), address: address.to_owned(), index, purpose, lingers: Duration::ZERO }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, counted until a while after this is dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<ConnectionBudget>,
    address: String,
    index: usize,
    purpose: Purpose,
    /// How long the server process may live on without this.
    lingers: Duration,
}

impl Permit {
    /// The server says which one it is, and how many connections it grants the role.
    pub fn identified(&mut self, identity: &str, server_limit: Option<u32>) {
        let mut accounts = self.budget.lock();
        let index = accounts.identify(&self.address, identity, server_limit);
        if accounts.resolve(self.index) != index {
            accounts.give_back(self.index, self.purpose);
            accounts.force(index, &[self.purpose]);
        }
        self.index = index;
        drop(accounts);
        self.budget.changed.notify_waiters();
    }

    /// The server refused the connection because there are too many. `permits` are those that were acquired together with
    /// this one. Whether fewer are opened from now on, so that one that ends makes room for these.
    pub fn refused(&self, permits: usize) -> bool {
        let unopened = u32::try_from(permits).unwrap_or(u32::MAX);
        self.budget.lock().refused(self.index, unopened, Instant::now())
    }

    /// Whether this may stay open: those that do must leave room for a pass.
    pub fn may_stay(&self) -> bool {
        self.budget.lock().may_stay(self.index, Instant::now())
    }

    /// One more, where it fits now.
    pub fn another(&self) -> Option<Self> {
        self.take_another(self.purpose)
    }

    /// One more, to cancel a statement, where it fits now.
    pub fn another_to_cancel(&self) -> Option<Self> {
        self.take_another(Purpose::Cancel)
    }

    fn take_another(&self, purpose: Purpose) -> Option<Self> {
        let taken = self.budget.lock().take(self.index, &[purpose], Instant::now());
        taken.then(|| self.budget.permit(&self.address, self.index, purpose))
    }

    /// The connection is open: its server process ends a moment after it is closed.
    pub fn opened(&mut self) {
        self.lingers = PROCESS_ENDS_WITHIN;
    }

    /// The connection was lost: its server process may run for so long.
    pub fn lost(&mut self, at_most: Duration) {
        self.lingers = at_most.max(PROCESS_ENDS_WITHIN);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (budget, index, mut purpose) = (Arc::clone(&self.budget), self.index, self.purpose);
        if purpose == Purpose::Standing && self.lingers <= PROCESS_ENDS_WITHIN {
            // Its server process ends at once, so it is waited for like one of a pass.
            budget.lock().ends(index);
            purpose = Purpose::Pass;
        }
        let give_back = move || {
            budget.lock().give_back(index, purpose);
            budget.changed.notify_waiters();
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.lingers.is_zero() => {
                let lingers = self.lingers;
                runtime.spawn(async move {
                    tokio::time::sleep(lingers).await;
                    give_back();
                });
            }
            _ => give_back(),
        }
    }
}
