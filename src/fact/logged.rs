//! What a log of a job says was done with something, and when.

use jiff::{SignedDuration, Timestamp};

use super::At;

/// What an installer, a resolver or a runner wrote into a log, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Logged {
    /// It was chosen.
    Resolved,
    /// Its bytes were fetched, or taken from a cache.
    Downloaded,
    /// It was installed, and its install scripts were not run.
    Blocked,
    /// It was installed.
    Installed,
    /// Its code was started.
    Ran,
}

impl At {
    /// Where a time was read that has no zone: it is read as UTC.
    pub const NO_ZONE: &'static str =
        "time in the log, which has no zone, read as UTC: it may be up to 14 hours earlier or 12 later";

    /// The earliest and the latest that it may be.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let hours = SignedDuration::from_hours;
        let (earlier, later) = if self.source == Self::NO_ZONE { (hours(14), hours(12)) } else { (hours(0), hours(0)) };
        let (first, last) = (self.time.checked_sub(earlier), self.time.checked_add(later));
        (first.unwrap_or(Timestamp::MIN), last.unwrap_or(Timestamp::MAX))
    }
}

/// Systems of CI, in the labels of the machines of their jobs.
const JOB_SYSTEMS: [&str; 5] = ["ci:github/", "ci:gitlab/", "ci:jenkins/", "ci:azure/", "ci:log/"];

/// Whether the label of a tree is that of the machine of a job: no registry and no image has such a name.
pub fn is_job(tree: &str) -> bool {
    JOB_SYSTEMS.iter().any(|system| tree.starts_with(system))
}
