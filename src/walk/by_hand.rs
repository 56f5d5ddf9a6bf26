//! A file that somebody named on the command line. Whatever its name, it is tried with every surface that recognises its content, and
//! it is compared with the known hashes; where nobody understands it, that is a gap, and never a silent all-clear.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Inspector, inspect::As, weigh::Weighed};
use crate::{
    coverage::{Exclusion, Gap, GapKind, WALK},
    deep::EveryFile,
    fact::TreePath,
    surface::{Subject, Surface},
    tree::{Body, Entry, Kind, Visit},
};

/// Bytes by which content is recognised.
const HEAD: usize = 64 << 10;

/// Reads files that were named by hand.
pub struct ByHand<'h, 'i> {
    inspector: &'h Inspector<'i>,
    met: AtomicBool,
}

impl<'h, 'i> ByHand<'h, 'i> {
    /// Facts and problems go to this inspector.
    pub fn new(inspector: &'h Inspector<'i>) -> Self {
        Self { inspector, met: AtomicBool::new(false) }
    }

    /// Whether a file was read, or a problem with one was reported, since this was asked last.
    pub fn met(&self) -> bool {
        self.met.swap(false, Ordering::Relaxed)
    }
}

impl Visit for ByHand<'_, '_> {
    type Folder = ();

    fn folder(&self, _: &TreePath) {}

    fn wants(&self, (): &(), _: &[u8], _: Kind) -> bool {
        true
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        self.met.store(true, Ordering::Relaxed);
        self.inspector.by_hand(entry, body);
    }

    fn gap(&self, gap: Gap) {
        self.met.store(true, Ordering::Relaxed);
        self.inspector.gap(gap);
    }

    fn exclude(&self, exclusion: Exclusion) {
        self.inspector.exclude(exclusion);
    }

    fn seen(&self, names: u64) {
        self.inspector.seen(names);
    }

    fn atime_changed(&self) {
        self.inspector.atime_changed();
    }
}

impl Inspector<'_> {
    fn by_hand(&self, entry: &Entry, body: &mut Body<'_>) {
        let mut weighed = Weighed::default();
        let head = body.head(HEAD).map(<[u8]>::to_vec).unwrap_or_default();
        let (mut understood, mut problems) = (false, 0);
        let mut by_name = false;
        for surface in self.claimants(&entry.path) {
            let explains = explains(surface);
            let shown = As { path: &entry.path, by_hand: true };
            let read = self.inspect_as(surface, entry, shown, body, &mut weighed);
            problems += read.problems;
            by_name |= read.problems == 0 && explains && !read.foreign;
            // A file of secrets is understood as that; a history is more than one.
            understood |= read.facts > 0 && (explains || surface.subject() == Subject::Secrets && !read.history);
        }
        // A surface that wants the name may still pass over an archive or a hook in a place that loads nothing.
        if !understood {
            // Several surfaces may read one form: build files hold packages, and images.
            let mut known = None;
            for surface in &self.router.surfaces {
                let Some(form) = surface.recognises(&head).filter(|form| known.is_none_or(|known| known == *form))
                else {
                    continue;
                };
                let path = usual_path(&entry.path, form);
                let shown = As { path: &path, by_hand: true };
                let read = self.inspect_as(*surface, entry, shown, body, &mut weighed);
                problems += read.problems;
                understood |= read.facts > 0;
                by_name |= read.problems == 0 && !read.foreign;
                if understood {
                    known = Some(form);
                }
            }
        }
        understood |= by_name && !is_binary(&head);
        if !self.router.surfaces.iter().any(|s| s.meta().id == EveryFile.meta().id) {
            let shown = As { path: &entry.path, by_hand: true };
            problems += self.inspect_as(&EveryFile, entry, shown, body, &mut weighed).problems;
        }
        if !understood && problems == 0 {
            let detail = format!("no surface understands this file: {}", advice(entry.path.name(), &head));
            let gap = Gap { origin: self.origin(&entry.path), surface: WALK, kind: GapKind::Unsupported, detail };
            let weight = self.weight(entry, body, &mut weighed);
            self.weighed(gap, weight, true);
        }
    }
}

/// Whether a surface says what a file is, rather than that it has a known hash or holds a secret.
fn explains(surface: &dyn Surface) -> bool {
    matches!(surface.subject(), Subject::Content | Subject::ShellHistory)
}

/// Where a file of this form usually stands: `*` is the file's own name.
fn usual_path(path: &TreePath, form: &str) -> TreePath {
    let name = path.name();
    form.split('/').fold(path.parent(), |at, part| {
        let part = part.as_bytes();
        match part.iter().position(|b| *b == b'*') {
            Some(star) => {
                let (before, after) = part.split_at_checked(star).unwrap_or((part, b""));
                at.join(&[before, name, after.get(1..).unwrap_or_default()].concat())
            }
            None => at.join(part),
        }
    })
}

fn is_binary(head: &[u8]) -> bool {
    let marked = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    !marked && head.contains(&0) || head.starts_with(b"PK\x03\x04") || head.starts_with(b"\x1f\x8b")
}

/// What to do with a file that nobody understands.
fn advice(name: &[u8], head: &[u8]) -> &'static str {
    let magic: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", ARCHIVE),
        (b"\x1f\x8b", ARCHIVE),
        (b"\x28\xb5\x2f\xfd", ARCHIVE),
        (b"\xfd7zXZ", ARCHIVE),
        (b"BZh", ARCHIVE),
        (b"7z\xbc\xaf", ARCHIVE),
        (b"SQLite format 3\0", "a database; give the folder that it lies in"),
        (b"\x7fELF", "a program; it was compared with the known hashes only"),
        (b"MZ", "a program; it was compared with the known hashes only"),
    ];
    let holds = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    match magic.iter().find(|(start, _)| head.starts_with(start)) {
        Some((_, what)) => what,
        None if head.is_empty() => "it is empty",
        None if ARCHIVES.iter().any(|end| name.ends_with(end)) => ARCHIVE,
        None if head.get(257..262) == Some(b"ustar") => ARCHIVE,
        None if holds(b"dosimeter.report/1") || holds(b"dosimeter.ndjson/1") => {
            "a report of this program; `dosimeter rotate` reads the JSON report"
        }
        None => "give it its usual name, or give the folder that it came from",
    }
}

/// Endings of archives, should the content not say so.
const ARCHIVES: &[&[u8]] = &[b".tar", b".tgz", b".gz", b".zst", b".xz", b".bz2", b".zip", b".7z"];

const ARCHIVE: &str = "an archive; unpack it and give the folder; `dosimeter images` examines saved images";

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_form_keeps_the_name_of_the_file() {
        for (form, usual) in [
            ("requirements.txt", "home/a/requirements.txt"),
            ("*.zip", "home/a/x.bin.zip"),
            ("site-packages/*.pth", "home/a/site-packages/x.bin.pth"),
            ("*.dist-info/METADATA", "home/a/x.bin.dist-info/METADATA"),
        ] {
            assert_eq!(usual_path(&path("home/a/x.bin"), form), path(usual), "{form}");
        }
    }

    #[test]
    fn advice_fits_the_content() {
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, word) in [
            (tar.as_slice(), "archive"),
            (b"PK\x03\x04", "archive"),
            (b"SQLite format 3\0", "database"),
            (b"{\"schema\":\"dosimeter.report/1\"", "rotate"),
            (b"", "empty"),
            (b"a,b\n1,2\n", "usual name"),
        ] {
            assert!(advice(b"x", head).contains(word), "{word}");
        }
    }

    #[test]
    fn utf_16_is_text() {
        assert!(!is_binary(b"\xff\xfea\0b\0") && is_binary(b"a\0b") && !is_binary(b"ab"));
    }
}
