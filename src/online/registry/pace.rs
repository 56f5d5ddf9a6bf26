//! Waiting: how long, for whom, and by which clock.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::stop;

/// No server is asked again earlier: some mean microseconds where they write seconds, or write 0.
const FLOOR: Duration = Duration::from_secs(1);
/// Between two looks at the user's wish to end.
const NAP: Duration = Duration::from_millis(100);

/// What the time is. Tests have one of their own.
pub trait Clock: Send + Sync {
    /// For durations.
    fn now(&self) -> Instant;
    /// For what servers write.
    fn date(&self) -> Timestamp;
    /// Waits, or less where the user wishes to end.
    fn wait(&self, time: Duration);
    /// Chance, from 0 to 999: clients that were refused together shall not come back together.
    fn per_mille(&self) -> u32;
}

/// The system's.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, time: Duration) {
        let start = Instant::now();
        while let Some(left) = time.checked_sub(start.elapsed()).filter(|d| !d.is_zero())
            && !stop::requested()
        {
            std::thread::sleep(left.min(NAP));
        }
    }

    fn per_mille(&self) -> u32 {
        u32::try_from(RandomState::new().hash_one(0_u8) % 1000).unwrap_or(0)
    }
}

/// How long a server is borne with.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the head of an answer is there, or the next bytes of it.
    pub step: Duration,
    /// In so much time spent on reading …
    pub window: Duration,
    /// … so many bytes have to come.
    pub least: u64,
    /// Requests for one thing, the first included.
    pub tries: u32,
    /// The longest wait between two of them, whatever the server asks for.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            step: Duration::from_secs(60),
            window: Duration::from_secs(60),
            least: 60 << 10,
            tries: 5,
            longest: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// How long to wait after the `nth` failure (from 0).
    pub(super) fn pause(&self, nth: u32, asked: Option<Duration>, per_mille: u32) -> Duration {
        let base = asked.unwrap_or_else(|| FLOOR.saturating_mul(1 << nth.min(10)));
        let base = base.min(self.longest).max(FLOOR);
        base.saturating_add(base.saturating_mul(per_mille) / 4000)
    }
}

/// What `Retry-After` says: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let digits = text.split('.').next().unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(digits.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(date.duration_since(now).unsigned_abs()).filter(|_| date > now).or(Some(Duration::ZERO))
}

/// What one server asked of all who ask it.
#[derive(Default)]
pub(super) struct Pacer {
    until: Mutex<Option<Instant>>,
    /// It refused until the end: waiting again, for each of a thousand images, would take days.
    weary: AtomicBool,
}

impl Pacer {
    /// Waits until the server may be asked.
    pub(super) fn hold(&self, clock: &dyn Clock) {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(time) = until.map(|u| u.saturating_duration_since(clock.now())).filter(|t| !t.is_zero()) {
            clock.wait(time);
        }
    }

    /// Nobody asks it for so long.
    pub(super) fn pause(&self, time: Duration, clock: &dyn Clock) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(clock.now().checked_add(time));
    }

    pub(super) fn set_weary(&self, weary: bool) {
        self.weary.store(weary, Ordering::Relaxed);
    }

    pub(super) fn is_weary(&self) -> bool {
        self.weary.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<Duration> {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]), now)
    }

    #[test]
    fn waits_are_bounded_whatever_the_server_writes() {
        let secs = |n| Some(Duration::from_secs(n));
        assert_eq!((after("7"), after("0"), after("1.5")), (secs(7), secs(0), secs(1)));
        assert_eq!(after("Sun, 29 Nov 2026 12:00:30 GMT"), secs(30));
        assert_eq!(after("Sun, 29 Nov 2026 11:00:00 GMT"), secs(0), "a date that is over");
        assert_eq!((after("soon"), after(""), after("-5")), (None, None, None));
        let patience = Patience { longest: Duration::from_secs(60), ..Patience::default() };
        // Microseconds, and more than a number holds.
        for huge in ["44000000", "99999999999999999999999999"] {
            assert_eq!(patience.pause(0, after(huge), 0), Duration::from_secs(60));
        }
        assert_eq!(patience.pause(0, after("0"), 0), FLOOR);
        assert_eq!(patience.pause(0, after("8"), 500), Duration::from_secs(9), "an eighth more, by chance");
        let waits: Vec<u64> = (0..8).map(|n| patience.pause(n, None, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(patience.pause(u32::MAX, Some(Duration::MAX), 999) <= Duration::from_secs(75));
    }
}
