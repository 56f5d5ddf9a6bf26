//! Desktop entries: what starts with a graphical session.
//!
//! ```text
//! ~/.config/autostart/NAME.desktop
//! /etc/xdg/autostart/NAME.desktop
//! ```
//!
//! `Exec=` and `TryExec=` lines count, other keys (a comment, a translated name) do not. A hit says that such a line holds a text
//! that an indicator asks for; the line itself never leaves this reader. It does not say that it was run; an entry with
//! `Hidden=true` is switched off and still there. Documented in the Desktop Application Autostart Specification.

use crate::{
    fact::{At, Fact},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, fetched, starts},
};

const LIMIT: usize = 1 << 20;

/// Entries of autostart folders.
pub struct DesktopEntry;

static META: Meta = Meta {
    id: "host/desktop-entry",
    title: "desktop entries that start with a session",
    proves: "an entry that starts that text stands there; not that it ran",
};

impl Surface for DesktopEntry {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let entry = || Claim::suffix(".desktop");
        vec![entry().in_tail(".config/autostart"), entry().in_root("etc/xdg/autostart")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the entry"));
        let text = file.all(LIMIT)?;
        let is_start = |l: &&[u8]| l.starts_with(b"Exec") || l.starts_with(b"TryExec");
        let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_start).filter(is_start);
        let mut texts: Vec<_> = lines.flat_map(|l| interest.texts_in(l)).collect();
        texts.sort_unstable();
        texts.dedup();
        let commands: Vec<u8> = file
            .all(LIMIT)?
            .split(|b| *b == b'\n')
            .map(<[u8]>::trim_ascii_start)
            .filter(is_start)
            .flat_map(|l| [l, b"\n"].concat())
            .collect();
        let fact = Fact::Autostart { texts, sha256: file.sha256()?, in_project: false };
        out.push(at.clone(), fact);
        for fact in fetched::started(&String::from_utf8_lossy(&commands), interest) {
            out.push(at.clone(), fact);
        }
        let text = String::from_utf8_lossy(file.all(LIMIT)?).into_owned();
        let value = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)?.trim_start().strip_prefix('='));
        let off = value("Hidden").is_some_and(|v| v.trim() == "true");
        for mut fact in starts::in_text(value("Exec").unwrap_or_default().trim(), None) {
            if off {
                starts::only_where_enabled(&mut fact);
            }
            out.push(at.clone(), fact);
        }
        Ok(())
    }
}
