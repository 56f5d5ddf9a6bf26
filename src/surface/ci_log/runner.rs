//! What a self-hosted runner of GitHub keeps of its jobs.
//!
//! ```text
//! <runner>/_diag/Runner_20260324-100000-utc.log        [2026-03-24 10:00:00Z INFO JobDispatcher] …
//!                Worker_20260324-100001-utc.log        one a job: [2026-03-24 10:00:03Z INFO ActionManager] Save archive 'https://…'
//!                pages/<id>_1.log                      what a job printed, until it was sent: 2026-03-24T10:00:00.1234567Z text
//!                blocks/<id>.1                         the same
//! ```
//!
//! The jobs ran on this machine, as the owner of these files, unless they ran in a container. A hit proves that the runner fetched the
//! action, or that a tool wrote the line. Documented in the source of the runner.

use super::{line::Form, read};
use crate::{
    fact::{Fact, Platform, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// `_diag`.
pub struct Runner;

static META: Meta = Meta {
    id: "ci-log/runner",
    title: "logs of a self-hosted runner of GitHub",
    proves: "a job on this machine fetched the action, which it runs right after that, or installed the version",
};

impl Surface for Runner {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Actions, Shows::Images]
    }

    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::affix("Worker_", ".log").in_tail("_diag"),
            Claim::affix("Runner_", ".log").in_tail("_diag"),
            Claim::suffix(".log").in_tail("_diag/pages"),
            Claim::any().in_tail("_diag/blocks"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        out.push(file.mtime("mtime of the runner's log"), Fact::Platform(Platform::CiRunner));
        read(file, Form::Runner, None, out).map(|_| ())
    }
}
