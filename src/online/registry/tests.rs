//! A registry on loopback that does what a test wants, and a clock that does not wait.

mod auth;
mod lists;
pub(crate) mod server;
mod transfer;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use self::server::{Reply, Server};
use super::*;

/// Time passes as ever, and at once where it is waited for.
#[derive(Clone, Default)]
struct TestClock(Arc<Mutex<Vec<Duration>>>);

impl TestClock {
    fn waits(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|d| d.as_secs_f32().ceil()).map(|s| format!("{s}").parse().unwrap()).collect()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::now() + self.0.lock().unwrap().iter().sum::<Duration>()
    }

    fn date(&self) -> Timestamp {
        "2026-11-29T12:00:00Z".parse().unwrap()
    }

    fn wait(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }

    fn per_mille(&self) -> u32 {
        0
    }
}

/// Long enough for a machine that does other things as well.
fn patience() -> Patience {
    let long = Duration::from_secs(20);
    Patience { connect: long, step: long, window: long, tries: 3, ..Patience::default() }
}

/// A client with this budget; its clock shows what it waited for.
fn wire(max_bytes: Option<u64>) -> (Arc<Wire>, TestClock) {
    bearing(patience(), max_bytes)
}

fn bearing(patience: Patience, max_bytes: Option<u64>) -> (Arc<Wire>, TestClock) {
    let clock = TestClock::default();
    let options = Options { max_bytes, patience, clock: Box::new(clock.clone()), ..Options::default() };
    (Arc::new(Wire::new(options).unwrap()), clock)
}

/// What a file of tokens gives.
fn given(text: &str) -> Arc<Credentials> {
    let mut all = Credentials::none();
    all.give(&Secret::new(text.to_owned()), None).unwrap();
    Arc::new(all)
}

fn registry(server: &Server, credentials: &Arc<Credentials>) -> Registry {
    with(server, credentials, wire(None).0)
}

fn with(server: &Server, credentials: &Arc<Credentials>, wire: Arc<Wire>) -> Registry {
    Registry::open(&Host::parse(&server.address).unwrap(), wire, credentials, &Mirrors::default()).unwrap()
}

/// What a file of Docker's gives that holds this entry for the server.
#[expect(clippy::disallowed_methods, reason = "tests make their own inputs")]
fn written(server: &Server, entry: &str, beside: &str) -> Arc<Credentials> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    std::fs::write(&file, format!(r#"{{"auths":{{"{}":{entry}}}{beside}}}"#, server.address)).unwrap();
    let mut credentials = Credentials::none();
    credentials.add_file(&file).unwrap();
    Arc::new(credentials)
}

fn anonymous() -> Arc<Credentials> {
    Arc::new(Credentials::none())
}

/// The digest of a text.
fn digest(text: &[u8]) -> String {
    Digest::sha256(text).to_string()
}

/// A server that gives one text whatever it is asked for.
fn giving(text: &'static str) -> Server {
    Server::start(move |_| Reply::ok(text))
}
