//! Console logs of Jenkins.
//!
//! ```text
//! $JENKINS_HOME/jobs/NAME/builds/42/log            also below jobs/FOLDER/jobs/NAME/branches/main
//! a console log saved under any name
//!
//! Started by user ESC[8mha:////4A…=ESC[0madmin      what ESC[8m begins is hidden: the address of a link
//! [Pipeline] sh
//! + pip install litellm                             the command, not its output
//! Successfully installed litellm-1.82.8
//! [2026-03-24T10:00:00.000Z] Successfully …         with the Timestamper; UTC, or without a zone
//! [branch] Successfully …                           what runs beside others
//! ```
//!
//! A hit proves that the tool wrote the line while the build ran, on the controller or on an agent. Documented in the Jenkins handbook.

use super::{HEAD, anywhere, line::Form, plain, read, run_of};
use crate::{
    fact::{TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// `builds/*/log`, saved console logs.
pub struct Jenkins;

static META: Meta = Meta {
    id: "ci-log/jenkins",
    title: "console logs of Jenkins",
    proves: "a tool wrote while the build ran that it fetched, chose or installed the version; not what the build did with it",
};

impl Surface for Jenkins {
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
        anywhere(interest).into_iter().chain([Claim::name("log").within("builds")]).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        is_console(head).then_some("*.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let build = build_of(&file.entry.path);
        if build.is_none() && !is_console(file.head(HEAD)?) {
            out.not_mine();
            return Ok(());
        }
        let run = build.unwrap_or_else(|| run_of(&file.entry.path));
        read(file, Form::Jenkins, Some(&format!("ci:jenkins/{run}")), out).map(|_| ())
    }
}

/// `NAME/42` of `jobs/NAME/builds/42/log`.
fn build_of(path: &TreePath) -> Option<String> {
    let parts: Vec<&[u8]> = path.components().collect();
    let [.., jobs, name, builds, number, file] = parts.as_slice() else {
        return None;
    };
    let fits = (*jobs == b"jobs" || *jobs == b"branches") && *builds == b"builds" && *file == b"log";
    let named = |bytes: &[u8]| plain(&String::from_utf8_lossy(bytes));
    fits.then(|| format!("{}/{}", named(name), named(number)))
}

/// Whether a file starts as a console log.
fn is_console(head: &[u8]) -> bool {
    let head = head.get(..HEAD).unwrap_or(head);
    let first = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let first =
        if first.starts_with("[20") { first.split_once("] ").map_or(&*first, |(_, rest)| rest) } else { &first };
    let starts = ["Started by ", "Started from ", "Branch indexing", "Branch event", "Replayed #", "Rebuilds build #"];
    starts.iter().any(|start| first.starts_with(start))
        || memchr::memmem::find(head, b"\n[Pipeline] ").is_some()
        || memchr::memmem::find(head, b"\x1b[8mha:").is_some()
}
