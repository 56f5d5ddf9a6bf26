//! Running processes of the live machine.
//!
//! ```text
//! /proc/4711/cmdline      arguments, each ended by a NUL; a process may rewrite them
//! ```
//!
//! Only whether a command line holds a text that an indicator asks for leaves this reader, and the program where it is an
//! absolute path: arguments hold secrets. Documented in proc_pid_cmdline(5).

use crate::{
    fact::{Fact, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Linux gives no more than this by default.
const LIMIT: usize = 2 << 20;

/// `/proc/*/cmdline`.
pub struct Process;

static META: Meta = Meta { id: "host/process", title: "running processes", proves: "it is running now" };

impl Surface for Process {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("cmdline").below("proc")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let pid = file.entry.path.parent();
        let Some(pid) = std::str::from_utf8(pid.name()).ok().and_then(|p| p.parse().ok()) else {
            return Ok(());
        };
        let interest = file.interest;
        let line = file.head(LIMIT)?;
        let spaced: Vec<u8> = line.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect();
        let texts = interest.texts_in(&spaced);
        let first = line.split(|b| *b == 0).next().unwrap_or_default();
        let program = first.strip_prefix(b"/").and_then(TreePath::new);
        let name = first.rsplit(|b| *b == b'/').next().unwrap_or(first);
        let name = std::str::from_utf8(name).ok().filter(|n| is_program(n)).unwrap_or_default().into();
        out.push(None, Fact::Process { pid, program, name, texts });
        Ok(())
    }
}

fn is_program(name: &str) -> bool {
    name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
}
