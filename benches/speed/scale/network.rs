//! A distance on loopback: everything arrives later, and as much at a time as before.
//!
//! What sleeps before each write, as the tests' own proxy does, has little bandwidth besides; a real network has not.
//! Threads, because the runtime's timer goes by whole milliseconds.

use crate::Result;
use crate::tables::{block_on, connect};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};
use url::Url;

/// Chunks on their way: 4 MB, which is more than ever waits.
const ON_THE_WAY: usize = 256;

const PINGS: usize = 21;

/// A proxy. Dropping it ends it; connections through it end with their clients.
pub struct Network {
    server: Url,
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Network {
    /// In front of the server of this TCP URL.
    pub fn to(url: &str, round_trip: Duration) -> Result<Self> {
        let server = Url::parse(url)?;
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port().ok_or("no port")?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let network = Self { server, address: listener.local_addr()?, over: Arc::default() };
        let over = Arc::clone(&network.over);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // A client whose connection fails sees that.
                let _ = connect_through(&client, target, round_trip / 2);
            }
        });
        Ok(network)
    }

    /// A database's URL, through it.
    pub fn url(&self, database: &str) -> Result<String> {
        let mut url = self.server.clone();
        url.set_port(Some(self.address.port())).map_err(|()| "a URL without a host")?;
        url.set_path(database);
        Ok(url.into())
    }

    /// The median of some, in milliseconds, as a client measures it.
    pub fn round_trip_ms(&self, database: &str) -> Result<f64> {
        let url = self.url(database)?;
        block_on(async {
            let mut connection = connect(&url).await?;
            let mut times = Vec::new();
            for _ in 0..PINGS {
                let started = Instant::now();
                sqlx::raw_sql("SELECT 1").execute(&mut connection).await?;
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            Ok(times[PINGS / 2])
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes whoever waits for the next client.
        let _ = TcpStream::connect(self.address);
    }
}

fn connect_through(client: &TcpStream, target: SocketAddr, delay: Duration) -> Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    pass_on(client.try_clone()?, server.try_clone()?, delay);
    pass_on(server, client.try_clone()?, delay);
    Ok(())
}

/// Every chunk is written when it is due, while the next ones are read.
fn pass_on(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, chunks) = sync_channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    thread::spawn(move || {
        let mut bytes = vec![0; 16384];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if sender.send((Instant::now() + delay, bytes[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in chunks {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
