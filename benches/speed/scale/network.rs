//! A slow network on loopback: everything arrives later, with the same bandwidth.
//!
//! A proxy that sleeps before each write, as the one of the tests, has little bandwidth as well. This one uses threads,
//! because the timer of the async runtime counts whole milliseconds.

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

/// The number of chunks on their way: 4 MB, more than ever waits.
const ON_THE_WAY: usize = 256;

const PINGS: usize = 21;

/// A proxy. Dropping it ends it. Its connections end with their clients.
pub struct Network {
    server: Url,
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Network {
    /// Starts a proxy to the server of this TCP URL.
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
                // A client whose connection fails gets an error itself.
                let _ = connect_through(&client, target, round_trip / 2);
            }
        });
        Ok(network)
    }

    /// The URL of a database through the proxy.
    pub fn url(&self, database: &str) -> Result<String> {
        let mut url = self.server.clone();
        url.set_port(Some(self.address.port())).map_err(|()| "a URL without a host")?;
        url.set_path(database);
        Ok(url.into())
    }

    /// The median round trip in milliseconds, as a client measures it.
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
        // Unblocks the thread that waits for the next client.
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

/// Writes each chunk when it is due, while the next ones are read.
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
