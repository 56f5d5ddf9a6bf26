//! The names of a layer, kept in little memory: what it puts where, what it takes out, how large its files are. So what becomes of a
//! lower layer's files, and whether a name that an indicator asks for tomorrow is there, is answered without the layer.
//!
//! Names are held in runs of some thousands, each sorted, each name without what it shares with the one before, and packed:
//!
//! ```text
//! shared bytes │ bytes that follow │ those │ what stands there │ its size, or the bytes of its target │ target
//! ```
//!
//! Numbers are LEB128. A real layer takes four to eight bytes a name.

use std::io::Read as _;

use crate::surface::Flaw;

/// What stands at a path of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark<'n> {
    /// A file of this many bytes.
    File(u64),
    /// A hard link; what it names.
    Hard(&'n [u8]),
    /// A symbolic link; its text.
    Link(&'n [u8]),
    /// A device, a FIFO.
    Other,
    Dir,
    /// Lower layers' content is gone: the path itself.
    Whiteout,
    /// Lower layers' content is gone: what is in the folder.
    Opaque,
}

/// Names of one run, and their bytes.
const RUN: usize = 1 << 14;
const RUN_BYTES: usize = 2 << 20;
/// Bytes of a run, unpacked: a name and a target have 4 KiB at most, so no honest run is larger.
const RUN_LIMIT: u64 = 16 << 20;
const LEVEL: i32 = 3;
const WHAT: &str = "names of a layer";

/// The names of one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    runs: Vec<Box<[u8]>>,
    count: u64,
    /// Names that were not kept.
    dropped: bool,
}

impl Names {
    /// Whether names are missing.
    pub(super) fn dropped(&self) -> bool {
        self.dropped
    }

    /// From runs that were kept.
    pub(super) fn of_runs(runs: Vec<Box<[u8]>>, count: u64, dropped: bool) -> Self {
        Self { runs, count, dropped }
    }

    /// As they are kept.
    pub(super) fn runs(&self) -> impl Iterator<Item = &[u8]> {
        self.runs.iter().map(|run| &**run)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Calls `name` for each file with its size, and for each link without.
    ///
    /// # Errors
    /// As `each`.
    pub(super) fn each_file(&self, name: &mut dyn FnMut(&[u8], Option<u64>)) -> Result<(), Flaw> {
        self.each(&mut |path, mark| match mark {
            Mark::File(size) => name(path, Some(size)),
            Mark::Hard(_) | Mark::Link(_) => name(path, None),
            Mark::Other | Mark::Dir | Mark::Whiteout | Mark::Opaque => {}
        })
    }

    /// Bytes in memory.
    pub(super) fn size(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    /// Calls `name` for each, in runs each of which is sorted.
    ///
    /// # Errors
    /// Where they are not as this program writes them.
    pub(super) fn each(&self, name: &mut dyn FnMut(&[u8], Mark<'_>)) -> Result<(), Flaw> {
        let mut plain = Vec::new();
        for run in &self.runs {
            plain.clear();
            let bad = |_| Flaw::malformed(WHAT, "not as they were written");
            let decoder = zstd::stream::read::Decoder::with_buffer(&**run).map_err(bad)?;
            decoder.take(RUN_LIMIT).read_to_end(&mut plain).map_err(bad)?;
            let whole = each_of_run(&plain, name).is_some();
            whole.then_some(()).ok_or_else(|| Flaw::malformed(WHAT, "not as they were written"))?;
        }
        Ok(())
    }
}

fn each_of_run(mut rest: &[u8], name: &mut dyn FnMut(&[u8], Mark<'_>)) -> Option<()> {
    let mut path: Vec<u8> = Vec::new();
    while !rest.is_empty() {
        let shared = usize::try_from(number(&mut rest)?).ok()?;
        let more = bytes(&mut rest)?;
        if shared > path.len() {
            return None;
        }
        path.truncate(shared);
        path.extend_from_slice(more);
        let (kind, tail) = rest.split_first()?;
        rest = tail;
        let mark = match kind {
            0 => Mark::File(number(&mut rest)?),
            1 => Mark::Hard(bytes(&mut rest)?),
            2 => Mark::Link(bytes(&mut rest)?),
            3 => Mark::Other,
            4 => Mark::Dir,
            5 => Mark::Whiteout,
            6 => Mark::Opaque,
            _ => return None,
        };
        name(&path, mark);
    }
    Some(())
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut all = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        all |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(all);
        }
    }
    None
}

fn bytes<'r>(rest: &mut &'r [u8]) -> Option<&'r [u8]> {
    let len = usize::try_from(number(rest)?).ok()?;
    let (these, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(these)
}

/// Names that are being collected.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    done: Names,
    most: u64,
    /// Paths and targets, one after the other.
    text: Vec<u8>,
    /// Where each path ends in the text, and its target; what stands there.
    run: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    from: usize,
    path: usize,
    target: usize,
    /// Its size, where it is a file.
    size: u64,
    kind: u8,
}

impl Collecting {
    /// At most so many.
    pub(super) fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes one.
    pub(super) fn add(&mut self, path: &[u8], mark: Mark<'_>) {
        if self.done.count >= self.most {
            self.done.dropped = true;
            return;
        }
        self.done.count += 1;
        let (kind, size, target): (u8, u64, &[u8]) = match mark {
            Mark::File(size) => (0, size, b""),
            Mark::Hard(target) => (1, 0, target),
            Mark::Link(target) => (2, 0, target),
            Mark::Other => (3, 0, b""),
            Mark::Dir => (4, 0, b""),
            Mark::Whiteout => (5, 0, b""),
            Mark::Opaque => (6, 0, b""),
        };
        self.run.push(Waiting { from: self.text.len(), path: path.len(), target: target.len(), size, kind });
        self.text.extend_from_slice(path);
        self.text.extend_from_slice(target);
        if self.run.len() >= RUN || self.text.len() >= RUN_BYTES {
            self.pack();
        }
    }

    /// All of them.
    pub(super) fn finish(mut self) -> Names {
        self.pack();
        self.done
    }

    fn pack(&mut self) {
        let (text, mut run) = (std::mem::take(&mut self.text), std::mem::take(&mut self.run));
        if run.is_empty() {
            return;
        }
        let path = |w: &Waiting| text.get(w.from..w.from + w.path).unwrap_or_default();
        run.sort_by(|a, b| path(a).cmp(path(b)).then(a.kind.cmp(&b.kind)));
        let mut plain = Vec::with_capacity(text.len() / 2);
        let mut before: &[u8] = b"";
        for waiting in &run {
            let own = path(waiting);
            let shared = before.iter().zip(own).take_while(|(a, b)| a == b).count();
            put(&mut plain, shared);
            put_bytes(&mut plain, own.get(shared..).unwrap_or_default());
            plain.push(waiting.kind);
            match waiting.kind {
                0 => put_number(&mut plain, waiting.size),
                1 | 2 => {
                    let from = waiting.from + waiting.path;
                    put_bytes(&mut plain, text.get(from..from + waiting.target).unwrap_or_default());
                }
                _ => {}
            }
            before = own;
        }
        // Packing to memory fails only where the library is broken.
        match zstd::bulk::compress(&plain, LEVEL) {
            Ok(packed) => self.done.runs.push(packed.into()),
            Err(_) => self.done.dropped = true,
        }
        (self.text, self.run) = (text, run);
        self.text.clear();
        self.run.clear();
    }
}

fn put(into: &mut Vec<u8>, n: usize) {
    put_number(into, u64::try_from(n).unwrap_or(u64::MAX));
}

fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put(into, bytes.len());
    into.extend_from_slice(bytes);
}

fn put_number(into: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        into.push(u8::try_from(n & 0x7f).unwrap_or_default() | 0x80);
        n >>= 7;
    }
    into.push(u8::try_from(n).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &Names) -> Vec<(String, String)> {
        let mut found = Vec::new();
        names
            .each(&mut |path, mark| {
                found.push((String::from_utf8_lossy(path).into_owned(), format!("{mark:?}")));
            })
            .unwrap();
        found
    }

    #[test]
    fn names_come_back_in_order() {
        let mut names = Collecting::new(100);
        let long = vec![b'x'; 5000];
        for (path, mark) in [
            (&b"usr/lib/b"[..], Mark::File(1 << 40)),
            (b"usr/lib", Mark::Dir),
            (b"usr/lib/a", Mark::Link(b"../b")),
            (b"usr/lib/a", Mark::Whiteout),
            (b"usr/lib", Mark::Opaque),
            (&long, Mark::Hard(&long)),
            (b"\xff", Mark::Other),
        ] {
            names.add(path, mark);
        }
        let names = names.finish();
        let found = all(&names);
        assert_eq!(found.len(), 7);
        assert_eq!(found[0], ("usr/lib".into(), "Dir".into()));
        assert_eq!(found[1].1, "Opaque");
        assert_eq!(found[4], ("usr/lib/b".into(), format!("{:?}", Mark::File(1 << 40))));
        assert!(!names.dropped());
    }

    #[test]
    fn many_take_little_and_more_than_most_are_not_kept() {
        let mut names = Collecting::new(100_000);
        for n in 0..100_001 {
            names.add(
                format!("usr/lib/python3.11/site-packages/package/{}/module_{n}.py", n / 50).as_bytes(),
                Mark::File(n),
            );
        }
        let names = names.finish();
        assert!(names.dropped());
        assert_eq!(all(&names).len(), 100_000);
        assert!(names.size() < 1_000_000, "{}", names.size());
    }

    #[test]
    fn damage_is_an_error() {
        let mut names = Collecting::new(10);
        names.add(b"a/b", Mark::File(3));
        let mut names = names.finish();
        for run in [
            b"".as_slice(),
            b"xx",
            &zstd::bulk::compress(b"\x05\x01a\x04", 1).unwrap(),
            &zstd::bulk::compress(b"\x00\x01a\x09", 1).unwrap(),
            &zstd::bulk::compress(b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1).unwrap(),
        ] {
            names.runs = vec![run.into()];
            assert!(names.each(&mut |_, _| ()).is_err(), "{run:?}");
        }
    }
}
