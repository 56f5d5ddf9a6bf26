//! Units of systemd: what starts by itself, for the system and for each user.
//!
//! ```text
//! /etc/systemd/system/*.service, *.timer      /usr/lib/systemd/system, /run/systemd/system
//! ~/.config/systemd/user/*.service            /etc/systemd/user, ~/.local/share/systemd/user
//! └── name.service.d/*.conf                   drop-ins add to a unit
//! ```
//!
//! A hit says that a unit holds a text that an indicator asks for; the unit's own text never leaves this reader. It does not
//! say that the unit was started. Documented in systemd.unit(5).

use crate::{
    fact::{At, Fact},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

const LIMIT: usize = 1 << 20;
const FOLDERS: &[&str] = &["systemd/system", "systemd/user", "systemd/transient"];
const ENDINGS: &[&str] = &[".service", ".timer", ".path", ".socket"];

/// systemd units.
pub struct Unit;

/// Of this surface.
pub static META: Meta = Meta {
    id: "systemd/unit",
    title: "systemd units of the system and of users",
    proves: "a unit of that name or with that text stands there; not that it was started",
};

/// Whether a file of this name is a unit.
pub fn is_unit(name: &[u8]) -> bool {
    ENDINGS.iter().any(|e| name.ends_with(e.as_bytes()))
}

impl Surface for Unit {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let mut claims = Vec::new();
        for folder in FOLDERS {
            claims.extend(ENDINGS.iter().map(|e| Claim::suffix(e).in_tail(folder)));
        }
        claims.extend(ENDINGS.iter().map(|e| Claim::suffix(".conf").in_suffix(&format!("{e}.d"))));
        claims
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        (has_line(&text, "[Service]") && line_starts(&text, "ExecStart")).then_some("*.service")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the unit"));
        let texts = interest.texts_in(file.all(LIMIT)?);
        let fact = Fact::Autostart { texts, sha256: file.sha256()? };
        out.push(at, fact);
        Ok(())
    }
}
