//! The names of a layer as engines write them down when they unpack it, to pack it again byte for byte: `tar-split`, a JSON object per
//! line, compressed with gzip.
//!
//! ```text
//! {"type":2,"payload":"<base64 of a header>","position":0}
//! {"type":1,"name":"etc/passwd","size":12,"payload":"<checksum>","position":1}
//! {"type":1,"name_raw":"<base64 of a name that is not UTF-8>","position":3}
//! ```

use std::{
    borrow::Cow,
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    io::{BufRead, BufReader, Read},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use crate::{fact::TreePath, stop, surface::Flaw};

const WHAT: &str = "list of a layer's names";
/// Names of one layer.
const NAMES: usize = 4_000_000;
/// Bytes of the whiteouts of one layer, which are kept in full.
const WHITEOUTS: usize = 32 << 20;
/// What a whiteout costs beside its bytes.
const EACH: usize = 64;
/// Bytes of the list. A name has about a kilobyte with its header.
const BYTES: u64 = 8 << 30;
/// Bytes of one line: an extended header has a mebibyte.
const LINE: u64 = 4 << 20;

/// The names of a layer.
#[derive(Debug, Default)]
pub(in crate::image) struct Split {
    key: RandomState,
    /// Sorted hashes of paths.
    names: Vec<u64>,
    whiteouts: Vec<Vec<u8>>,
    /// Bytes of whiteouts.
    held: usize,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(borrow)]
    name: Option<Cow<'l, str>>,
    #[serde(borrow)]
    name_raw: Option<Cow<'l, str>>,
}

impl Split {
    /// Reads the compressed list.
    ///
    /// # Errors
    /// Where it is none, or has more names than are kept: a list that is not whole is no list.
    pub(in crate::image) fn read(compressed: impl Read) -> Result<Self, Flaw> {
        let mut lines = BufReader::new(MultiGzDecoder::new(BufReader::new(compressed)).take(BYTES));
        let mut split = Self::default();
        let mut line = Vec::new();
        loop {
            stop::check()?;
            line.clear();
            let read = (&mut lines).take(LINE).read_until(b'\n', &mut line);
            let n = read.map_err(|_| Flaw::malformed(WHAT, "its compressed data are damaged"))?;
            if n == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                return Err(Flaw::Truncated(WHAT));
            }
            split.line(&line)?;
        }
        if lines.into_inner().limit() == 0 {
            return Err(Flaw::TooLarge(BYTES));
        }
        split.names.sort_unstable();
        split.names.dedup();
        split.names.shrink_to_fit();
        Ok(split)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Flaw> {
        let bad = || Flaw::malformed(WHAT, "not the JSON that it should be");
        let line: Line<'_> = serde_json::from_slice(line).map_err(|_| bad())?;
        if line.kind != 1 {
            return Ok(());
        }
        let name = match (line.name, line.name_raw) {
            (_, Some(raw)) => STANDARD.decode(raw.as_bytes()).map_err(|_| bad())?,
            (Some(name), None) => name.into_owned().into_bytes(),
            (None, None) => return Err(bad()),
        };
        // Engines refuse names that lead out of the layer.
        let Some(path) = TreePath::new(&name) else {
            return Ok(());
        };
        if self.names.len() >= NAMES || self.held > WHITEOUTS {
            return Err(Flaw::malformed(WHAT, "it has more names than are kept"));
        }
        if path.name().starts_with(b".wh.") {
            self.held = self.held.saturating_add(path.as_bytes().len()).saturating_add(EACH);
            self.whiteouts.push(path.as_bytes().to_vec());
        } else {
            self.names.push(self.key.hash_one(path.as_bytes()));
        }
        Ok(())
    }

    /// The members that say what is gone, as they are named in a tar. Asked once.
    pub(super) fn take_whiteouts(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.whiteouts)
    }

    /// Whether the layer has this path.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        self.names.binary_search(&self.key.hash_one(path)).is_ok()
    }
}
