//! What stands between the stored bytes and the tar inside: compression, recognised by its first bytes and never by a media type
//! (containers-storage labels plain layers `…tar.gzip`), a digest of what passes, and the budgets of a hostile layer.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::atomic::{AtomicBool, Ordering},
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::input::{Bytes, read_past, to_u64};
use crate::{surface::Flaw, text::hex, walk::Bounds};

const BUFFER: usize = 1 << 16;
/// Decoded bytes at a time: a decoder that gives few at a time copies them once more, for what comes later to refer to.
const DECODED: usize = 1 << 17;

/// How much work one layer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uncompressed bytes of one layer.
    pub layer_bytes: u64,
    /// Times that a layer may grow when it is uncompressed, once it has passed `ratio_from` bytes.
    pub ratio: u64,
    /// Uncompressed bytes below which `ratio` is not looked at.
    pub ratio_from: u64,
    /// Member names kept of one layer, to know what a later layer removed: some bytes each, and eight more while it is read.
    pub names: u64,
    /// Links remembered of one layer, to find the file that a wanted name leads to.
    pub links: u64,
    /// Problems with single files that are listed, of one layer.
    pub gaps: u64,
    /// Facts kept of one layer.
    pub facts: Bounds,
    /// The largest window of a zstd frame, as a power of two: its bytes are held while the layer is read.
    pub window: u32,
    /// Bytes that what was read of layers takes until their images are joined.
    pub held: usize,
}

impl Default for Limits {
    // The Go encoder that engines use asks for windows of at most 32 MiB, and zstd:chunked does.
    fn default() -> Self {
        Self {
            layer_bytes: 64 << 30,
            ratio: 1000,
            ratio_from: 4 << 30,
            names: 4_000_000,
            links: 1_000_000,
            gaps: 10_000,
            facts: Bounds::TREE,
            window: 25,
            held: 96 << 20,
        }
    }
}

/// How bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Gzip,
    Zstd,
}

/// Tells the compression from the first bytes.
pub(super) fn sniff(head: &[u8]) -> Result<Codec, Flaw> {
    match head {
        [0x1f, 0x8b, ..] => Ok(Codec::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Codec::Zstd),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err(Flaw::Unsupported("bzip2 compression (unpack it first)")),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(Flaw::Unsupported("xz compression (unpack it first)")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Err(Flaw::Unsupported("lz4 compression (unpack it first)")),
        _ => Ok(Codec::Plain),
    }
}

/// The examination's own reasons to stop reading.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("over the budget")]
    Budget(u64),
    #[error("interrupted")]
    Stopped,
}

/// What went wrong where the bytes come from, in words: no complaint of a decoder.
#[cfg(feature = "online")]
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Trouble(pub(super) String);

/// What an error of a stream means.
pub(super) fn flaw(error: io::Error, what: &'static str) -> Flaw {
    if let Some(Halt::Budget(limit)) = error.get_ref().and_then(|e| e.downcast_ref::<Halt>()) {
        return Flaw::TooLarge(*limit);
    }
    #[cfg(feature = "online")]
    if error.get_ref().is_some_and(|e| e.is::<Trouble>()) {
        return Flaw::Io(error);
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Flaw::Truncated(what);
    }
    if error.raw_os_error().is_some() || stopped(&error) {
        return Flaw::Io(error);
    }
    if error.to_string().contains("requires too much memory") {
        return Flaw::Unsupported("a zstd frame with so large a window");
    }
    // What is left are the decoders' own complaints, whose text is no use to a reader.
    Flaw::malformed(what, DAMAGED)
}

const DAMAGED: &str = "its compressed data are damaged";

/// Whether this is about compressed bytes, not about what they hold.
pub(super) fn is_damage(flaw: &Flaw) -> bool {
    match flaw {
        Flaw::Malformed { why, .. } => why == DAMAGED,
        Flaw::Truncated(_) | Flaw::TooLarge(_) | Flaw::Holes(_) | Flaw::Unsupported(_) | Flaw::Io(_) => true,
    }
}

/// Whether reading ended because the caller asked for it.
pub(super) fn stopped(error: &io::Error) -> bool {
    error.get_ref().and_then(|e| e.downcast_ref::<Halt>()).is_some_and(|h| matches!(h, Halt::Stopped))
}

/// Counts what passes, and takes its digest where one is asked for.
pub(super) struct Hashing<'s> {
    inner: &'s mut (dyn Bytes + 's),
    /// Bytes looked at and given back.
    head: Vec<u8>,
    hash: Option<Sha256>,
    count: u64,
}

impl<'s> Hashing<'s> {
    pub(super) fn new(inner: &'s mut (dyn Bytes + 's)) -> Self {
        Self { inner, head: Vec::new(), hash: None, count: 0 }
    }

    /// Takes the digest of all that is read from now on.
    pub(super) fn digest_if(&mut self, wanted: bool) {
        self.hash = wanted.then(Sha256::new);
    }

    /// The first bytes, which are still to be read.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        if self.head.is_empty() && self.count == 0 {
            (&mut self.inner).take(512).read_to_end(&mut self.head)?;
        }
        Ok(&self.head)
    }

    /// Reads what is left, then gives the digest in hex.
    pub(super) fn finish(mut self) -> io::Result<Option<String>> {
        if self.hash.is_some() {
            io::copy(&mut self, &mut io::sink())?;
        }
        Ok(self.hash.map(|h| hex(&h.finalize())))
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = if self.head.is_empty() {
            self.inner.read(into)?
        } else {
            let n = self.head.as_slice().read(into)?;
            self.head.drain(..n);
            n
        };
        if let Some(hash) = &mut self.hash {
            hash.update(into.get(..n).unwrap_or_default());
        }
        self.count = self.count.saturating_add(to_u64(n));
        Ok(n)
    }
}

impl Bytes for Hashing<'_> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        if self.hash.is_some() || !self.head.is_empty() {
            let given_back = if self.hash.is_some() { n } else { n.min(to_u64(self.head.len())) };
            read_past(self, given_back)?;
            return if given_back < n { self.skip(n.saturating_sub(given_back)) } else { Ok(()) };
        }
        self.inner.skip(n)?;
        self.count = self.count.saturating_add(n);
        Ok(())
    }
}

enum Decoder<'h, 's> {
    Plain(&'h mut Hashing<'s>),
    Gzip(Box<BufReader<MultiGzDecoder<BufReader<&'h mut Hashing<'s>>>>>),
    Zstd(Box<BufReader<zstd::Decoder<'static, BufReader<&'h mut Hashing<'s>>>>>),
}

/// The uncompressed bytes, within budgets.
pub(super) struct Decoded<'h, 's> {
    decoder: Decoder<'h, 's>,
    codec: Codec,
    limits: Limits,
    stop: &'h AtomicBool,
    count: u64,
}

impl<'h, 's> Decoded<'h, 's> {
    pub(super) fn new(raw: &'h mut Hashing<'s>, limits: Limits, stop: &'h AtomicBool) -> Result<Self, Flaw> {
        let codec = sniff(raw.peek()?)?;
        let decoder = match codec {
            Codec::Plain => Decoder::Plain(raw),
            Codec::Gzip => {
                let gzip = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, raw));
                Decoder::Gzip(Box::new(BufReader::with_capacity(DECODED, gzip)))
            }
            Codec::Zstd => {
                let mut zstd = zstd::Decoder::with_buffer(BufReader::with_capacity(BUFFER, raw))?;
                zstd.window_log_max(limits.window)?;
                Decoder::Zstd(Box::new(BufReader::with_capacity(DECODED, zstd)))
            }
        };
        Ok(Self { decoder, codec, limits, stop, count: 0 })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    fn admit(&mut self, n: u64) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other(Halt::Stopped));
        }
        self.count = self.count.saturating_add(n);
        if self.count > self.limits.layer_bytes {
            return Err(io::Error::other(Halt::Budget(self.limits.layer_bytes)));
        }
        let stored = match &self.decoder {
            Decoder::Plain(_) => return Ok(()),
            Decoder::Gzip(d) => d.get_ref().get_ref().get_ref().count,
            Decoder::Zstd(d) => d.get_ref().get_ref().get_ref().count,
        };
        if self.count > self.limits.ratio_from && self.count / self.limits.ratio.max(1) > stored {
            return Err(io::Error::other(Halt::Budget(self.limits.ratio_from)));
        }
        Ok(())
    }
}

impl Read for Decoded<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.decoder {
            Decoder::Plain(d) => d.read(into),
            Decoder::Gzip(d) => d.read(into),
            Decoder::Zstd(d) => d.read(into),
        }?;
        self.admit(to_u64(n))?;
        Ok(n)
    }
}

/// Passes over decoded bytes, at most `most` of them; none at their end.
fn pass(decoder: &mut impl BufRead, most: u64) -> io::Result<u64> {
    let here = decoder.fill_buf()?.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    decoder.consume(here);
    Ok(to_u64(here))
}

impl Bytes for Decoded<'_, '_> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        if let Decoder::Plain(raw) = &mut self.decoder {
            raw.skip(n)?;
            return self.admit(n);
        }
        let mut left = n;
        while left > 0 {
            let decoded = match &mut self.decoder {
                Decoder::Plain(_) => 0,
                Decoder::Gzip(d) => pass(d, left)?,
                Decoder::Zstd(d) => pass(d, left)?,
            };
            if decoded == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.admit(decoded)?;
            left = left.saturating_sub(decoded);
        }
        Ok(())
    }
}
