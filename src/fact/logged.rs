//! What a log of a job says was done with something.

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

impl Logged {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Resolved, Self::Downloaded, Self::Blocked, Self::Installed, Self::Ran];
}

/// Systems of CI, in the labels of the machines of their jobs.
const JOB_SYSTEMS: [&str; 5] = ["ci:github/", "ci:gitlab/", "ci:jenkins/", "ci:azure/", "ci:log/"];

/// Whether the label of a tree is that of the machine of a job: no registry and no image has such a name.
pub fn is_job(tree: &str) -> bool {
    JOB_SYSTEMS.iter().any(|system| tree.starts_with(system))
}
