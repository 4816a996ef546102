//! A throwaway PostgreSQL, for `pgmedic demo` and for tests that want a real server.

mod server;

pub use server::{Server, ServerError, ServerOptions};
