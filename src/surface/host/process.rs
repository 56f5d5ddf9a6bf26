//! Running processes of the live machine.
//!
//! ```text
//! /proc/4711/
//! ├── cmdline      arguments, each ended by a NUL; a process may rewrite them
//! ├── exe          a link to the program; ` (deleted)` behind it where the file is gone
//! ├── environ      variables; only the folders of `PATH` are looked at here
//! └── maps         the files mapped into memory: compiled modules of Python name their site folder
//! ```
//!
//! Only whether a command line holds a text that an indicator asks for leaves this reader, and the program where it is an
//! absolute path: arguments hold secrets. The link is read, never followed. Of a process with another root (a container) only
//! the command line is offered, since its paths are not those of this tree. Documented in proc_pid_cmdline(5), proc_pid_exe(5)
//! and proc_pid_maps(5).

use std::collections::BTreeSet;

use crate::{
    ecosystem::pypi::site_of,
    fact::{At, Fact, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// Linux gives no longer command line by default.
const LIMIT: usize = 2 << 20;
/// A process of ten thousand mappings has one megabyte of them.
const MAPS: usize = 4 << 20;

/// Prefixes of one process that are kept.
const PREFIXES: usize = 20;

/// `/proc/*/{cmdline,exe,maps,environ}`.
pub struct Process;

/// Of this surface.
pub static META: Meta = Meta { id: "host/process", title: "running processes", proves: "it is running now" };

impl Surface for Process {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Processes, Shows::Files]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["cmdline", "exe", "maps", "environ"].map(|name| Claim::name(name).below("proc")).into()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let pid = file.entry.path.parent();
        let Some(pid) = std::str::from_utf8(pid.name()).ok().and_then(|p| p.parse().ok()) else {
            return Ok(());
        };
        match file.entry.path.name() {
            b"exe" => {
                let started = file.mtime("start of the process");
                executable(pid, file.head(LIMIT)?, started, out);
            }
            b"environ" => {
                let prefixes = searched(file.head(LIMIT)?);
                if !prefixes.is_empty() {
                    out.push(None, Fact::SearchPath { pid, prefixes });
                }
            }
            b"maps" => {
                for site in loaded(file.head(MAPS)?) {
                    out.push(None, Fact::Loaded { pid, site });
                }
            }
            _ => command_line(pid, file, out)?,
        }
        Ok(())
    }
}

fn executable(pid: u32, link: &[u8], started: Option<At>, out: &mut Sink<'_>) {
    let (path, deleted) = match link.strip_suffix(b" (deleted)") {
        Some(path) => (path, true),
        None => (link, false),
    };
    if let Some(program) = path.strip_prefix(b"/").and_then(TreePath::new) {
        out.push(started, Fact::Executable { pid, program, deleted });
    }
}

/// The prefixes of the folders of `PATH` that stand before those of the system. No other variable is kept.
fn searched(environ: &[u8]) -> Vec<TreePath> {
    let path = environ.split(|b| *b == 0).find_map(|variable| variable.strip_prefix(b"PATH="));
    let folders = path.unwrap_or_default().split(|b| *b == b':');
    let system = |folder: &[u8]| matches!(folder, b"/usr/bin" | b"/bin" | b"/usr/local/bin" | b"/usr/sbin" | b"/sbin");
    let own = folders.map(|f| f.strip_suffix(b"/").unwrap_or(f)).take_while(|folder| !system(folder));
    let prefixes = own.filter_map(|folder| TreePath::new(folder.strip_prefix(b"/")?.strip_suffix(b"/bin")?));
    prefixes.filter(|prefix| !prefix.as_bytes().is_empty()).take(PREFIXES).collect()
}

/// The site folders of the compiled modules in `address perms offset device inode path` lines.
fn loaded(maps: &[u8]) -> BTreeSet<TreePath> {
    let lines = maps.split(|b| *b == b'\n');
    let paths = lines.filter_map(|line| line.get(line.iter().position(|b| *b == b'/')?..));
    let modules = paths.map(|p| p.strip_suffix(b" (deleted)").unwrap_or(p)).filter(|p| p.ends_with(b".so"));
    modules.filter_map(|p| site_of(&TreePath::new(p)?)).collect()
}

fn command_line(pid: u32, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
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

fn is_program(name: &str) -> bool {
    name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_read_up_to_the_system() {
        let searched = |text: &[u8]| searched(text).iter().map(|p| p.text().into_owned()).collect::<Vec<_>>();
        let environ =
            b"A=b\0PATH=/home/al/v/bin:/srv/x/sbin:rel/bin:/home/al/.local/bin/:/usr/bin:/late/bin\0XPATH=/no/bin\0";
        assert_eq!(searched(environ), ["/home/al/v", "/home/al/.local"]);
        for nothing in [&b""[..], b"\0\0", b"PATH=", b"PATH=/bin:/x/bin", b"PATH=/../bin", b"OTHERPATH=/v/bin"] {
            assert!(searched(nothing).is_empty());
        }
        assert_eq!(searched(format!("PATH={}", "/v/bin:".repeat(100_000)).as_bytes()).len(), PREFIXES);
    }

    #[test]
    fn maps_name_site_folders() {
        let maps = b"7f00-7f01 r-xp 00000000 fe:00 42   /home/a b/v/lib/python3.11/site-packages/x/y.cpython-311-x86_64-linux-gnu.so\n\
            7f02-7f03 r--p 00000000 fe:00 42   /srv/v/lib/python3.9/site-packages/z.abi3.so (deleted)\n\
            7f04-7f05 r-xp 00000000 fe:00 43   /usr/lib/x86_64-linux-gnu/libc.so.6\n\
            7f06-7f07 rw-p 00000000 00:00 0    [heap]\n7f08-7f09 rw-p 00000000 00:00 0\n";
        let found: Vec<_> = loaded(maps).iter().map(|p| p.text().into_owned()).collect();
        assert_eq!(found, ["/home/a b/v/lib/python3.11/site-packages", "/srv/v/lib/python3.9/site-packages"]);
    }
}
