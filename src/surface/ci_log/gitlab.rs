//! Traces of jobs of GitLab.
//!
//! ```text
//! a job's raw trace, saved under any name; `job.log` among the artifacts of a server
//! ESC[0KRunning with gitlab-runner 16.5.0 (853330f9)ESC[0;m
//! section_start:1560896352:step_scriptCRESC[0KESC[0KESC[36;1mExecuting "step_script" stageESC[0;m
//! ESC[32;1m$ pip install litellmESC[0;m                        the command, not its output
//! Successfully installed litellm-1.82.8
//! 2024-05-22T12:43:46.962646Z 00O Successfully installed …     newer runners: time, stream, and `+` where a line goes on
//! ```
//!
//! Older traces have no times: the file's own counts. A hit proves that the tool wrote the line while the job ran. Documented in GitLab's
//! "Job logs" and in the source of its runner.

use super::{HEAD, anywhere, line::Form, read, run_of};
use crate::{
    fact::{TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// Saved traces, `job.log`.
pub struct GitLab;

static META: Meta = Meta {
    id: "ci-log/gitlab",
    title: "traces of GitLab's jobs",
    proves: "a tool wrote while the job ran that it fetched, chose or installed the version; not what the job did with it",
};

impl Surface for GitLab {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Actions, Shows::Images]
    }

    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        let own = [
            Claim::name("job.log").within("artifacts"),
            Claim::suffix(".log").below("var/opt/gitlab/gitlab-ci/builds"),
        ];
        anywhere(interest).into_iter().chain(own).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        is_trace(head).then_some("*.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !is_trace(file.head(HEAD)?) {
            out.not_mine();
            return Ok(());
        }
        let machine = format!("ci:gitlab/{}", run_of(&file.entry.path));
        read(file, Form::GitLab, Some(&machine), out).map(|_| ())
    }
}

/// Whether a file starts as a trace.
fn is_trace(head: &[u8]) -> bool {
    let head = head.get(..HEAD).unwrap_or(head);
    [&b"Running with gitlab-runner "[..], b"section_start:"]
        .iter()
        .any(|mark| memchr::memmem::find(head, mark).is_some())
}
