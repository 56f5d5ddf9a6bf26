//! Reading a bundle where it lies.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{OnceLock, PoisonError, RwLock},
};

use sha2::{Digest as _, Sha256};

use super::{BLOCK, BundleError, DIGEST, Head, LARGEST_HEAD, MAGIC, SIGNED, key, slot};
use crate::{
    fact::Ecosystem,
    ioc::{
        feed::{Feed, FeedRow},
        model::Incident,
    },
};

/// Bytes of the incidents, which are read as a whole.
const INCIDENTS: u64 = 64 << 20;
/// With what says how long it is.
const LARGEST_SIGNATURE: u64 = 4096 + 12;
const TAIL: BundleError = BundleError::Broken("something behind its body that is no signature");

/// A bundle that is open.
#[derive(Debug)]
pub struct Bundle {
    label: String,
    file: File,
    /// What it says of itself.
    pub head: Head,
    /// The bytes that a signature covers.
    pub signed_part: Vec<u8>,
    /// The signature that stands behind the body, as minisign writes it.
    pub signature: Option<String>,
    digests: Vec<[u8; DIGEST]>,
    blocks: Vec<OnceLock<Box<[u8]>>>,
    fault: RwLock<Option<BundleError>>,
}

impl Bundle {
    /// Reads the head. `label` names it in reports.
    ///
    /// # Errors
    /// Where it is none, is broken, or ends too early.
    pub fn open(file: File, label: &str) -> Result<Self, BundleError> {
        let size = file.metadata()?.len();
        let mut start = [0_u8; 12];
        file.read_exact_at(&mut start, 0).map_err(|_| BundleError::Foreign)?;
        let rest = start.strip_prefix(MAGIC.as_slice()).ok_or(BundleError::Foreign)?;
        let length = rest.first_chunk::<4>().map_or(0, |l| u64::from(u32::from_le_bytes(*l)));
        if length > LARGEST_HEAD {
            return Err(BundleError::Broken("its head is too large"));
        }
        let json = part(&file, 12, length)?;
        let head = Head::parse(&json)?;
        let blocks = head.body.div_ceil(u64::try_from(BLOCK).unwrap_or(u64::MAX));
        let body_at = 12 + length + blocks * 32;
        if blocks > LARGEST_HEAD / 32 || size < body_at.saturating_add(head.body) {
            return Err(BundleError::Broken("it ends too early"));
        }
        if !head.slots.is_power_of_two()
            || head.slots > head.body
            || head.incidents_length.saturating_add(head.slots * 4) > head.body
        {
            return Err(BundleError::Broken("its parts do not fit in its body"));
        }
        let digests = part(&file, 12 + length, blocks * 32)?;
        let signed_part = [start.as_slice(), &json, &digests].concat();
        let digests: Vec<[u8; DIGEST]> = digests.chunks_exact(DIGEST).filter_map(|d| d.try_into().ok()).collect();
        let signature = signature(&file, size, body_at + head.body)?;
        let blocks = digests.iter().map(|_| OnceLock::new()).collect();
        let label = label.to_owned();
        Ok(Self { label, file, head, signed_part, signature, digests, blocks, fault: RwLock::default() })
    }

    /// The incidents in it, with where they come from.
    ///
    /// # Errors
    /// Where they were changed, or are not of this version's format.
    pub fn incidents(&self) -> Result<Vec<Incident>, BundleError> {
        if self.head.incidents_length > INCIDENTS {
            return Err(BundleError::Broken("more than 64 MB of incidents"));
        }
        let bytes = self.bytes(0, self.head.incidents_length)?;
        let mut incidents: Vec<Incident> =
            serde_json::from_slice(&bytes).map_err(|_| BundleError::Broken("its incidents cannot be read"))?;
        incidents.iter_mut().for_each(|i| i.origin = self.label.as_str().into());
        Ok(incidents)
    }

    /// Reads and checks all of it.
    ///
    /// # Errors
    /// The first block that was changed.
    pub fn check(&self) -> Result<(), BundleError> {
        (0..self.digests.len()).try_for_each(|n| self.read_block(n).map(|_| ()))
    }

    /// What went wrong while it was asked, if anything did: its answers are then worth nothing.
    pub fn fault(&self) -> Option<String> {
        self.fault.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(ToString::to_string)
    }

    fn block(&self, n: usize) -> Result<&[u8], BundleError> {
        let cell = self.blocks.get(n).ok_or(BundleError::Broken("a place outside its body"))?;
        if let Some(block) = cell.get() {
            return Ok(block);
        }
        let bytes = self.read_block(n)?;
        Ok(cell.get_or_init(|| bytes.into()))
    }

    /// One block as it lies, compared with its digest, and not kept.
    fn read_block(&self, n: usize) -> Result<Vec<u8>, BundleError> {
        let digest = self.digests.get(n).ok_or(BundleError::Broken("a place outside its body"))?;
        let whole = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let at = u64::try_from(n).unwrap_or(u64::MAX).saturating_mul(whole);
        let body_at = u64::try_from(self.signed_part.len()).unwrap_or(u64::MAX);
        let bytes = part(&self.file, body_at.saturating_add(at), whole.min(self.head.body.saturating_sub(at)))?;
        if Sha256::digest(&bytes).as_slice() != digest {
            return Err(BundleError::Changed(n));
        }
        Ok(bytes)
    }

    /// Bytes of the body.
    fn bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, BundleError> {
        const OUTSIDE: BundleError = BundleError::Broken("a place outside its body");
        let mut left = usize::try_from(length).map_err(|_| OUTSIDE)?;
        if at.checked_add(length).is_none_or(|end| end > self.head.body) {
            return Err(OUTSIDE);
        }
        let at = usize::try_from(at).map_err(|_| OUTSIDE)?;
        let (mut n, mut within) = (at / BLOCK, at % BLOCK);
        let mut bytes = Vec::with_capacity(left);
        while left > 0 {
            let block = self.block(n)?.get(within..).unwrap_or_default();
            let take = block.get(..left.min(block.len())).unwrap_or_default();
            bytes.extend_from_slice(take);
            left -= take.len();
            (n, within) = (n + 1, 0);
        }
        Ok(bytes)
    }

    /// Some bytes of one block, where they lie; `None` where they are not in one.
    fn within(&self, at: u64, length: usize) -> Result<Option<&[u8]>, BundleError> {
        let at = usize::try_from(at).map_err(|_| BundleError::Broken("a place outside its body"))?;
        Ok(self.block(at / BLOCK)?.get(at % BLOCK..).and_then(|b| b.get(..length)))
    }

    /// The same, copied, from wherever they are.
    fn array<const N: usize>(&self, at: u64) -> Result<[u8; N], BundleError> {
        if let Some(bytes) = self.within(at, N)?.and_then(|b| b.first_chunk::<N>()) {
            return Ok(*bytes);
        }
        let bytes = self.bytes(at, u64::try_from(N).unwrap_or(u64::MAX))?;
        bytes.first_chunk::<N>().copied().ok_or(BundleError::Broken("a place outside its body"))
    }

    fn number(&self, at: u64) -> Result<u32, BundleError> {
        self.array::<4>(at).map(u32::from_le_bytes)
    }

    /// Whether this key stands there.
    fn holds(&self, at: u64, key: &[u8]) -> Result<bool, BundleError> {
        let length = self.array::<2>(at).map(u16::from_le_bytes)?;
        if usize::from(length) != key.len() {
            return Ok(false);
        }
        match self.within(at + 2, key.len())? {
            Some(bytes) => Ok(bytes == key),
            None => Ok(self.bytes(at + 2, u64::from(length))? == key),
        }
    }

    /// Where the rows of a package stand, and how long they are.
    fn find(&self, key: &[u8]) -> Result<Option<(u64, u64)>, BundleError> {
        let records = self.head.incidents_length + self.head.slots * 4;
        let first = slot(key, self.head.slots);
        for step in 0..self.head.slots {
            let slot = (first + step) & (self.head.slots - 1);
            let Some(place) = self.number(self.head.incidents_length + slot * 4)?.checked_sub(1) else {
                return Ok(None);
            };
            let at = records + u64::from(place);
            if self.holds(at, key)? {
                let at = at + 2 + u64::try_from(key.len()).unwrap_or(u64::MAX);
                return Ok(Some((at + 4, u64::from(self.number(at)?))));
            }
        }
        Ok(None)
    }

    /// The answer, or nothing and the fault remembered.
    fn or_fault<T: Default>(&self, answer: Result<T, BundleError>) -> T {
        answer.unwrap_or_else(|error| {
            self.fault.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            T::default()
        })
    }

    fn rows_of(&self, key: &[u8]) -> Result<Vec<FeedRow>, BundleError> {
        let Some((at, length)) = self.find(key)? else {
            return Ok(Vec::new());
        };
        let rows: Vec<(String, Vec<String>)> = serde_json::from_slice(&self.bytes(at, length)?)
            .map_err(|_| BundleError::Broken("rows that cannot be read"))?;
        Ok(rows.into_iter().map(|(advisory, versions)| FeedRow { advisory, versions }).collect())
    }

    /// Every package and what is said of it, in no order: for export.
    ///
    /// # Errors
    /// Where it was changed or is broken.
    pub fn all(&self) -> Result<Vec<(Ecosystem, String, FeedRow)>, BundleError> {
        let mut all = Vec::new();
        let records = self.head.incidents_length + self.head.slots * 4;
        let mut at = records;
        while at < self.head.body {
            let length = u64::from(self.array::<2>(at).map(u16::from_le_bytes)?);
            let key = self.bytes(at + 2, length)?;
            let text = String::from_utf8(key.clone()).map_err(|_| BundleError::Broken("a name that is no text"))?;
            let (word, name) = text.split_once('\0').ok_or(BundleError::Broken("a key without ecosystem"))?;
            let ecosystem = Ecosystem::from_word(word).ok_or(BundleError::Broken("an ecosystem that is none"))?;
            all.extend(self.rows_of(&key)?.into_iter().map(|row| (ecosystem, name.to_owned(), row)));
            at = at + 2 + length + 4 + u64::from(self.number(at + 2 + length)?);
        }
        Ok(all)
    }
}

impl Feed for Bundle {
    fn label(&self) -> &str {
        &self.label
    }

    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.or_fault(self.find(&key(ecosystem, name))).is_some()
    }

    fn rows(&self, ecosystem: Ecosystem, name: &str) -> Vec<FeedRow> {
        self.or_fault(self.rows_of(&key(ecosystem, name)))
    }

    fn size(&self) -> (usize, usize) {
        (self.head.packages, self.head.versions)
    }
}

fn part(file: &File, at: u64, length: u64) -> Result<Vec<u8>, BundleError> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| BundleError::Broken("a part of many gigabytes"))?];
    file.read_exact_at(&mut bytes, at).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => BundleError::Broken("it ends too early"),
        _ => BundleError::Io(e),
    })?;
    Ok(bytes)
}

/// The signature behind the body.
fn signature(file: &File, size: u64, end: u64) -> Result<Option<String>, BundleError> {
    let length = size.saturating_sub(end);
    if length > LARGEST_SIGNATURE {
        return Err(TAIL);
    }
    if length == 0 { Ok(None) } else { signature_in(&part(file, end, length)?).map(Some) }
}

/// The signature that is all of a tail. Anything else there is a fault: nothing unsigned may hide in the file.
pub(super) fn signature_in(tail: &[u8]) -> Result<String, BundleError> {
    let (text, length) = tail.strip_suffix(SIGNED.as_slice()).and_then(|t| t.split_last_chunk::<4>()).ok_or(TAIL)?;
    if usize::try_from(u32::from_le_bytes(*length)).ok() != Some(text.len()) {
        return Err(TAIL);
    }
    String::from_utf8(text.to_vec()).map_err(|_| TAIL)
}
