//! A TCP proxy that forwards, delays, or drops all traffic silently.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;
use url::Url;

/// A TCP proxy on loopback. Dropping it closes its connections.
pub struct Proxy {
    url: String,
    address: SocketAddr,
    road: Arc<Road>,
}

#[derive(Default)]
struct Road {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    cut: bool,
    delay: Duration,
    /// The server that new connections go to. It can be replaced.
    server: Option<SocketAddr>,
    /// Connections with a number up to this one forward nothing any more.
    forgotten: usize,
    /// Both ends of every connection, which are closed at the end.
    ends: Vec<TcpStream>,
    connections: usize,
    round_trips: usize,
    over: bool,
}

impl Proxy {
    /// Starts a proxy to the server of this TCP URL.
    pub fn to(url: &str) -> Self {
        let road: Arc<Road> = Arc::default();
        road.lead_to(url);
        let mut url = Url::parse(url).expect("a URL");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        url.set_port(Some(address.port())).expect("a URL with a host");
        let shared = Arc::clone(&road);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.state().over {
                    break;
                }
                let number = shared.count();
                let road = Arc::clone(&shared);
                thread::spawn(move || road.connect(number, client));
            }
        });
        Self { url: url.into(), address, road }
    }

    /// The URL of the database through the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends new connections to the server of this TCP URL, as after a failover.
    pub fn lead_to(&self, url: &str) {
        self.road.lead_to(url);
    }

    /// Stops forwarding in both directions, including the end of a connection.
    pub fn cut(&self) {
        self.road.change(|state| state.cut = true);
    }

    /// Forwards again, and first what was held back, as TCP retransmits.
    pub fn restore(&self) {
        self.road.change(|state| state.cut = false);
    }

    /// The same for new connections. Older ones stay silent, as when a firewall has lost their state.
    pub fn restore_forgetfully(&self) {
        self.road.change(|state| {
            state.cut = false;
            state.forgotten = state.connections;
        });
    }

    /// Delays all traffic by this time, in each direction.
    pub fn delay(&self, by: Duration) {
        self.road.change(|state| state.delay = by);
    }

    /// The number of connections so far, whether or not they reached the server.
    pub fn connections(&self) -> usize {
        self.road.state().connections
    }

    /// The number of round trips so far, over all connections: times that a client sent after it had received.
    pub fn round_trips(&self) -> usize {
        self.road.state().round_trips
    }
}

impl Road {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in between")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn lead_to(&self, url: &str) {
        let port = Url::parse(url).expect("a URL").port().expect("a port");
        self.change(|state| state.server = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    }

    fn count(&self) -> usize {
        let mut state = self.state();
        state.connections += 1;
        state.connections
    }

    /// Waits until traffic may pass. Returns false if the proxy has ended.
    fn is_passable(&self, number: usize) -> bool {
        let delay = self.state().delay;
        thread::sleep(delay);
        let blocked = |state: &mut State| !state.over && (state.cut || number <= state.forgotten);
        let state = self.changed.wait_while(self.state(), blocked).expect("no panic in between");
        !state.over
    }

    fn connect(self: Arc<Self>, number: usize, client: TcpStream) {
        if !self.is_passable(number) {
            return;
        }
        let Some(server) = self.state().server else { return };
        // If the server is down, the client's connection is closed.
        let Ok(server) = TcpStream::connect(server) else { return };
        let clone = |stream: &TcpStream| stream.try_clone().expect("another handle");
        self.state().ends.extend([clone(&client), clone(&server)]);
        let (from, to, road) = (clone(&server), clone(&client), Arc::clone(&self));
        let answered = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&answered);
        thread::spawn(move || road.pump(number, from, to, || answered.store(true, Ordering::Relaxed)));
        let ask = || {
            if asked.swap(false, Ordering::Relaxed) {
                self.change(|state| state.round_trips += 1);
            }
        };
        self.pump(number, client, server, ask);
    }

    fn pump(&self, number: usize, mut from: TcpStream, mut to: TcpStream, read_some: impl Fn()) {
        let mut bytes = [0; 16384];
        loop {
            let read = from.read(&mut bytes).unwrap_or(0);
            read_some();
            if !self.is_passable(number) {
                return;
            }
            if read == 0 || to.write_all(&bytes[..read]).is_err() {
                // The other end may have closed it already.
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.road.change(|state| {
            state.over = true;
            for end in state.ends.drain(..) {
                let _ = end.shutdown(Shutdown::Both);
            }
        });
        // Unblocks the thread that waits for the next client.
        let _ = TcpStream::connect(self.address);
    }
}
