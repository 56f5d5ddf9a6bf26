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
pub(crate) struct TestClock(Arc<Mutex<Vec<Duration>>>);

impl TestClock {
    pub(crate) fn waits(&self) -> Vec<u64> {
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

pub(crate) fn patience() -> Patience {
    let short = Duration::from_millis(100);
    Patience { connect: Duration::from_secs(2), step: short, window: short, tries: 3, ..Patience::default() }
}

/// A client with this budget; its clock shows what it waited for.
pub(crate) fn wire(max_bytes: Option<u64>) -> (Arc<Wire>, TestClock) {
    let clock = TestClock::default();
    let options = Options { max_bytes, patience: patience(), clock: Box::new(clock.clone()), ..Options::default() };
    (Arc::new(Wire::new(options).unwrap()), clock)
}

/// What a file of tokens gives.
pub(crate) fn given(text: &str) -> Arc<Credentials> {
    let mut all = Credentials::none();
    all.give(&Secret::new(text.to_owned()), &[]).unwrap();
    Arc::new(all)
}

pub(crate) fn registry(server: &Server, credentials: &Arc<Credentials>) -> Registry {
    with(server, credentials, wire(None).0)
}

pub(crate) fn with(server: &Server, credentials: &Arc<Credentials>, wire: Arc<Wire>) -> Registry {
    Registry::open(&Host::parse(&server.address).unwrap(), wire, credentials, &Mirrors::default()).unwrap()
}

fn anonymous() -> Arc<Credentials> {
    Arc::new(Credentials::none())
}

/// The digest of a text.
pub(crate) fn digest(text: &[u8]) -> String {
    Digest::sha256(text).to_string()
}

/// A server that gives one text whatever it is asked for.
fn giving(text: &'static str) -> Server {
    Server::start(move |_| Reply::ok(text))
}
