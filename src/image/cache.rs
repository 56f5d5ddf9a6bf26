//! What layers hold, kept between runs in a folder that the user names (`--layer-cache`). An entry is plain data, as an inventory has
//! them, of one layer whose bytes matched its digest; it holds no secret, and no judgement: whatever the indicators of the day are, it
//! is judged by them.
//!
//! ```text
//! sha256-<digest>.<what read it>.layer
//!     zstd: {"format":"dosimeter-layer",…}    names, whiteouts, accounts
//!           an inventory of the layer
//!     a skippable frame with the SHA-256 of what stands before
//! ```
//!
//! An entry is written once, whole or not at all, and compared with its SHA-256 when it is read: a damaged one is read anew from the
//! image. Whoever may write to the folder can hide findings.

use std::{
    fs::File,
    io::{self, BufRead as _, Read as _, Write},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Progress, input::open_below, layer::LayerScan, names::Names};
use crate::{
    accounts::Accounts,
    coverage::{Coverage, LAYER},
    fact::Seen,
    interest::Interest,
    inventory::{
        EachName, Writing,
        v1::{self, Head},
    },
    text::hex,
};

const FORMAT: &str = "dosimeter-layer";
const VERSION: u32 = 1;
/// Bytes of one entry, plain: what holds more is read again each time.
const MOST: usize = 64 << 20;
const LEVEL: i32 = 3;
/// A skippable frame of zstd with 32 bytes.
const FRAME: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];

/// What of a layer's entry depends on the layer alone and stands in no inventory.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    format: String,
    version: u32,
    digest: String,
    whiteouts: u64,
    names: Vec<String>,
    count: u64,
    dropped: bool,
    elsewhere: Vec<(v1::Path, v1::Path)>,
    passwd: Option<String>,
    group: Option<String>,
}

/// What became of an entry that was judged with the indicators of today.
pub enum Replayed {
    /// What it holds.
    Facts(Vec<Seen>, Box<Coverage>),
    /// It does not say what they ask.
    Unanswered,
    /// It is not as it was written.
    Damaged,
}

/// Judges an inventory of a layer: its lines, and a way to go through the names of the layer with their sizes.
pub type Replay<'c> = dyn Fn(&mut (dyn io::BufRead + Send), &EachName<'_>) -> Replayed + Sync + 'c;

/// The folder, and how it is used.
pub struct LayerCache<'c> {
    /// The folder, opened.
    pub folder: OwnedFd,
    /// What reads layers: its version, its surfaces and their bounds. Entries of another reader are none.
    pub reader: String,
    /// The first line of the inventory of a layer, but for its digest.
    pub head: Head,
    /// Judges an entry.
    pub replay: &'c Replay<'c>,
    /// Keeps an entry under a name, whole or not at all.
    pub put: &'c (dyn Fn(&str, Vec<u8>) + Sync),
    /// What surfaces shall look for, whoever asks (`Recording::everything`).
    pub everything: Arc<Interest>,
    /// Entries are written, and not read.
    pub reread: bool,
}

/// An entry that is being made.
pub(super) struct Making<'m> {
    pub(super) writing: Writing<'m>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

/// Collects bytes up to a bound.
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() + bytes.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'c> LayerCache<'c> {
    fn name(&self, digest: &str) -> String {
        format!("sha256-{digest}.{}.layer", self.reader)
    }

    /// What an entry says of a layer, where there is one that answers.
    pub(super) fn get(&self, digest: &str, progress: &Progress) -> Option<LayerScan> {
        if self.reread {
            return None;
        }
        let (file, len) = open_below(&self.folder, self.name(digest).as_bytes()).ok()??;
        let read = self.read(file, len, digest);
        let count = match &read {
            Ok(_) => &progress.stored,
            Err(Replayed::Damaged) => &progress.damaged,
            Err(_) => &progress.unanswered,
        };
        count.fetch_add(1, Ordering::Relaxed);
        read.ok()
    }

    fn read(&self, file: File, len: u64, digest: &str) -> Result<LayerScan, Replayed> {
        let damaged = || Replayed::Damaged;
        let most = u64::try_from(MOST).unwrap_or(u64::MAX);
        let mut packed = Vec::new();
        file.take(len.min(most)).read_to_end(&mut packed).map_err(|_| damaged())?;
        let (packed, sum) = packed.split_at_checked(packed.len().saturating_sub(40)).ok_or_else(damaged)?;
        let written = sum.strip_prefix(&FRAME).ok_or_else(damaged)?;
        if Sha256::digest(packed).as_slice() != written {
            return Err(Replayed::Damaged);
        }
        let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| damaged())?;
        let mut plain = io::BufReader::new(decoder.take(2 * most));
        let mut line = Vec::new();
        plain.read_until(b'\n', &mut line).map_err(|_| damaged())?;
        let line: Line = serde_json::from_slice(&line).map_err(|_| damaged())?;
        if line.format != FORMAT || line.version != VERSION || line.digest != digest {
            return Err(Replayed::Damaged);
        }
        let bytes = |text: &Option<String>| text.as_ref().map(|text| STANDARD.decode(text)).transpose();
        let runs = line.names.iter().map(|run| STANDARD.decode(run).map(Into::into)).collect::<Result<Vec<_>, _>>();
        let names = Names::of_runs(runs.map_err(|_| damaged())?, line.count, line.dropped);
        let each = |name: &mut dyn FnMut(&[u8], Option<u64>)| drop(names.each_file(name));
        let Replayed::Facts(seen, coverage) = (self.replay)(&mut plain, &each).checked()? else {
            return Err(Replayed::Damaged);
        };
        let elsewhere = line.elsewhere.iter().filter_map(|(link, target)| Some((link.read()?, target.read()?)));
        Ok(LayerScan {
            facts: seen.into_iter().map(Box::new).collect(),
            coverage: *coverage,
            elsewhere: elsewhere.collect(),
            whiteouts: line.whiteouts,
            verified: true,
            passwd: bytes(&line.passwd).map_err(|_| damaged())?,
            group: bytes(&line.group).map_err(|_| damaged())?,
            names,
            is_twice: false,
        })
    }

    /// Begins an entry; `None` where that fails, which costs the next run a reading.
    pub(super) fn begin<'m>(&self, digest: &str, interest: &'m Interest) -> Option<Making<'m>> {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let out = Box::new(Collected(bytes.clone()));
        let mut head = self.head.clone();
        head.target.id = format!("sha256:{digest}");
        let writing = Writing::begin(out, false, &head, interest).ok()?;
        Some(Making { writing, bytes })
    }

    /// Ends an entry with what was read of the layer, and keeps it.
    pub(super) fn end(&self, making: Making<'_>, digest: &str, scan: &LayerScan) {
        // What was read of a file that a later member of this name replaced stands in it.
        if !scan.verified || scan.is_twice {
            return;
        }
        let Making { writing, bytes } = making;
        use crate::walk::Recorder as _;
        scan.coverage.gaps.iter().filter(|gap| gap.surface == LAYER).for_each(|gap| writing.gap(gap));
        scan.coverage.exclusions.iter().for_each(|exclusion| writing.exclusion(exclusion));
        if writing.end(&scan.coverage, &Accounts::default(), None, &[], (0, &[])).is_err() {
            return;
        }
        let line = Line {
            format: FORMAT.to_owned(),
            version: VERSION,
            digest: digest.to_owned(),
            whiteouts: scan.whiteouts,
            names: scan.names.runs().map(|run| STANDARD.encode(run)).collect(),
            count: scan.names.count(),
            dropped: scan.names.dropped(),
            elsewhere: scan.elsewhere.iter().map(|(link, target)| (link.into(), target.into())).collect(),
            passwd: scan.passwd.as_deref().map(|text| STANDARD.encode(without_passwords(text))),
            group: scan.group.as_deref().map(|text| STANDARD.encode(without_passwords(text))),
        };
        let inventory = std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner));
        if let Ok(entry) = packed(&line, &inventory) {
            (self.put)(&self.name(digest), entry);
        }
    }
}

impl Replayed {
    fn checked(self) -> Result<Self, Self> {
        if matches!(self, Self::Facts(..)) { Ok(self) } else { Err(self) }
    }
}

fn packed(line: &Line, inventory: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    serde_json::to_writer(&mut encoder, line)?;
    encoder.write_all(b"\n")?;
    encoder.write_all(inventory)?;
    let mut entry = encoder.finish()?;
    let sum = Sha256::digest(&entry);
    entry.extend(FRAME);
    entry.extend(sum);
    Ok(entry)
}

/// The second field of these files held passwords once.
fn without_passwords(text: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        let mut fields: Vec<&[u8]> = line.split(|b| *b == b':').collect();
        fields.iter_mut().skip(1).take(1).for_each(|field| *field = b"x");
        fields.join(&b':')
    };
    text.split(|b| *b == b'\n').map(line).collect::<Vec<_>>().join(&b'\n')
}

/// The digest of what limits the facts of a layer.
pub fn reader_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update([part.as_bytes(), b"\0"].concat()));
    hex(hash.finalize().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(without_passwords(b"root:$1$abc:0:0::/root:/bin/sh\nx\n"), b"root:x:0:0::/root:/bin/sh\nx\n");
    }

    #[test]
    fn another_reader_has_another_name() {
        assert_ne!(reader_of(&["a", "b"]), reader_of(&["ab", ""]));
        assert_eq!(reader_of(&["a"]).len(), 16);
    }
}
