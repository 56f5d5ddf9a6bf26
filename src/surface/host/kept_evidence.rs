//! What an earlier clean-up moved away, as the commands of a checklist leave it.
//!
//! ```text
//! dosimeter-evidence.Xa3Kq1/
//! ├── DOSIMETER-EVIDENCE     dosimeter evidence 1 ⏎ case 0123456789abcdef ⏎ then <sha256>  <archive> a line
//! └── s-1a2b3c4d.tar         one archive an item
//! ```
//!
//! A hit proves that somebody put a marker there; it excuses nothing. Whatever else lies in the folder is examined as anywhere,
//! and an archive of this kind is nothing that an interpreter loads: a planted marker hides nothing, and costs a line of the report.

use crate::{
    fact::Fact,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// The name of the marker. The commands of the checklist write it.
pub const MARKER: &str = "DOSIMETER-EVIDENCE";
/// Its first line.
pub const HEAD: &str = "dosimeter evidence 1";
/// A line an item: no clean-up has as many.
const SIZE: usize = 1 << 20;

/// `DOSIMETER-EVIDENCE`.
pub struct KeptEvidence;

static META: Meta = Meta {
    id: "host/kept-evidence",
    title: "evidence that an earlier clean-up moved away",
    proves: "that commands of an earlier checklist were run; not that all were, and nothing about what else lies there",
};

impl Surface for KeptEvidence {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name(MARKER)]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the marker");
        if let Some(fact) = marker(file.head(SIZE)?) {
            out.push(at, fact);
        }
        Ok(())
    }
}

/// Of another form it is somebody else's file, and no gap.
fn marker(bytes: &[u8]) -> Option<Fact> {
    let hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    (lines.next()? == HEAD).then_some(())?;
    let case = lines.next()?.strip_prefix("case ").filter(|id| hex(id, 16))?;
    let archives = lines.filter(|l| l.split_once("  ").is_some_and(|(digest, _)| hex(digest, 64))).count();
    Some(Fact::KeptEvidence { case: case.into(), archives })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_counts() {
        let digest = "a".repeat(64);
        let good = format!("{HEAD}\ncase 0123456789abcdef\n{digest}  s-1.tar\n{digest}  s-2.tar\n");
        let Some(Fact::KeptEvidence { case, archives }) = marker(good.as_bytes()) else { panic!() };
        assert_eq!((&*case, archives), ("0123456789abcdef", 2));
        let none = format!("{HEAD}\ncase 0123456789abcdef\n");
        assert!(matches!(marker(none.as_bytes()), Some(Fact::KeptEvidence { archives: 0, .. })));
        for bad in ["", HEAD, "dosimeter evidence 1\ncase x\n", "dosimeter evidence 2\ncase 0123456789abcdef\n", "\0\0"]
        {
            assert!(marker(bad.as_bytes()).is_none(), "{bad}");
        }
        let evil = format!("{HEAD}\ncase 0123456789abcde\u{1b}\n");
        assert!(marker(evil.as_bytes()).is_none());
    }
}
