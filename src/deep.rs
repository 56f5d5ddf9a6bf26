//! What `--deep` adds: every file by its hash, and every file searched for the addresses and texts of all indicators.
//!
//! A search reads plain bytes, what gzip and zstd packed, and the members of a zip; in a tarball the members stand as they are. Archives
//! in archives, xz and bzip2 are searched as they lie. A file with many different values is a list of indicators (a feed, a report, a
//! rule of a scanner), and says nothing of this machine.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use crate::{
    fact::{Fact, Held},
    interest::{Interest, Search},
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface, fetched,
        python::zip_directory::{each_member, unpacked},
    },
};

/// Bytes that are unpacked of any file, and times as many as it has: logs shrink to a thirtieth.
const UNPACKED: u64 = 64 << 20;
const RATIO: u64 = 200;
/// Members of a zip that are searched.
const MEMBERS: usize = 200_000;
/// A file with more different values is a list of indicators: a payload has a few.
const LIST: usize = 8;
/// Of a stream so much is held, to be read again by others.
const HELD: u64 = 64 << 20;
/// The largest window of zstd is 2^this bytes.
const WINDOW: u32 = 25;

/// Every file by hash.
pub struct EveryFile;

/// Every file by the addresses and texts in it.
pub struct EveryText;

static FILE: Meta =
    Meta { id: "host/every-file", title: "every file, by hash (--deep)", proves: "the bytes, whatever the name" };

static TEXT: Meta = Meta {
    id: "host/every-text",
    title: "every file, by the addresses and texts in it (--deep)",
    proves: "a file holds it; not what the file is for: an article about the incident does too",
};

impl Surface for EveryFile {
    fn meta(&self) -> &'static Meta {
        &FILE
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Artifacts]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::any()]
    }

    fn subject(&self) -> Subject {
        Subject::Identity
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let fact = Fact::File {
            sha256: Some(file.sha256()?),
            digest: None,
            size: file.entry.len,
            texts: Vec::new(),
            program: false,
        };
        out.push(at, fact);
        Ok(())
    }
}

impl Surface for EveryText {
    fn meta(&self) -> &'static Meta {
        &TEXT
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Network, Shows::Strings]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::any()]
    }

    fn subject(&self) -> Subject {
        Subject::Identity
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let mut search = Search::new(&file.interest.traces);
        let packed = Packed::of(file.head(8)?);
        let outcome = search_in(file, packed, &mut search);
        let found = search.found();
        if found.len() > LIST {
            out.leave_out("a list of indicators: it says nothing of this machine");
            return Ok(());
        }
        for (kind, value) in found {
            out.push(at.clone(), fetched::fact(kind, value, Held::Stored));
        }
        outcome
    }
}

/// How a file is packed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packed {
    Plain,
    Gzip,
    Zstd,
    Zip,
}

impl Packed {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

fn search_in(file: &mut Opened<'_, '_>, packed: Packed, search: &mut Search<'_>) -> Result<(), Flaw> {
    let most = UNPACKED.saturating_add(file.entry.len.saturating_mul(RATIO));
    if packed == Packed::Zip {
        return members(file, most, search);
    }
    // What streams is held for those who read it after this.
    let mut bytes = if file.entry.len <= HELD { Box::new(file.seekable()?) } else { file.reader() };
    match packed {
        Packed::Gzip => limited(MultiGzDecoder::new(BufReader::new(bytes)), most, search),
        Packed::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
            decoder.window_log_max(WINDOW)?;
            limited(decoder, most, search)
        }
        Packed::Plain | Packed::Zip => Ok(search.read(&mut bytes)?),
    }
}

/// Unpacks as much as is unpacked of one file.
fn limited(from: impl Read, most: u64, search: &mut Search<'_>) -> Result<(), Flaw> {
    let mut from = from.take(most);
    search.read(&mut from).map_err(broken)?;
    if from.limit() == 0 { Err(Flaw::TooLarge(most)) } else { Ok(()) }
}

fn members(file: &mut Opened<'_, '_>, most: u64, search: &mut Search<'_>) -> Result<(), Flaw> {
    let mut zip = file.seekable()?;
    let (mut members, mut more) = (Vec::new(), false);
    each_member(&mut zip, &mut |_, member| match members.len() < MEMBERS {
        true => members.push(member),
        false => more = true,
    })?;
    let (mut left, mut worst) = (most, Ok(()));
    for member in members {
        let mut bytes = match unpacked(&mut zip, member) {
            Ok(bytes) => bytes.take(left),
            Err(flaw) => {
                worst = Err(flaw);
                continue;
            }
        };
        if let Err(error) = search.read(&mut bytes) {
            worst = Err(broken(error));
        }
        left = bytes.limit();
        more |= left == 0;
        if more {
            break;
        }
    }
    if more { Err(Flaw::TooLarge(most)) } else { worst }
}

/// Packed bytes that cannot be unpacked.
fn broken(error: io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Flaw::Truncated("what is packed in it"),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            Flaw::malformed("archive", "what is packed in it is damaged")
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::{
        fact::{Trace, TraceKind},
        surface::python::trial::tried,
    };

    fn interest() -> Interest {
        Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD-1")])
    }

    fn found(bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let tried = tried(&EveryText, "home/al/x", bytes, &interest());
        let value = |fact: &Fact| match fact {
            Fact::Trace(Trace { value, held: Held::Stored, .. }) => value.to_string(),
            other => panic!("{other:?}"),
        };
        (tried.seen.iter().map(|seen| value(&seen.fact)).collect(), tried.flaw.map(|flaw| flaw.to_string()))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        for name in ["a", "b"] {
            zip.start_file(name, options).unwrap();
            zip.write_all(if name == "a" { b"nothing" } else { bytes }).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_packed_is_searched_as_what_is_not() {
        let text = b"\0x = 'https://evil.example/up'; PAYLOAD-1\n";
        let good = b"\0x = 'https://good.example/up'; PAYLOAD-2\n";
        for pack in [<[u8]>::to_vec, gzip, |b: &[u8]| zstd::encode_all(b, 3).unwrap(), zip] {
            assert_eq!(found(&pack(text)), (vec!["evil.example".into(), "PAYLOAD-1".into()], None));
            assert_eq!(found(&pack(good)), (vec![], None));
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_said() {
        let text = [b"evil.example\n".repeat(2), (0..200_000_u32).flat_map(u32::to_le_bytes).collect()].concat();
        let cut = |mut packed: Vec<u8>| {
            packed.truncate(packed.len() / 2);
            packed
        };
        let (values, flaw) = found(&cut(gzip(&text)));
        assert_eq!(
            (values, flaw.as_deref()),
            (vec!["evil.example".into()], Some("what is packed in it ends too early"))
        );
        for broken in [cut(zip(&text)), cut(zstd::encode_all(text.as_slice(), 3).unwrap())] {
            assert!(found(&broken).1.is_some());
        }
        for other in [&b"\x1f\x8b\x08rubbish that is no gzip"[..], b"PK\x03\x04evil.example", b"\x28\xb5\x2f\xfd\xff"] {
            assert!(found(other).1.is_some(), "{other:?}");
        }
    }

    #[test]
    fn a_bomb_is_unpacked_so_far_and_no_further() {
        let bomb = gzip(&vec![0; 100 << 20]);
        assert!(bomb.len() < 150_000);
        assert_eq!(found(&bomb).1.map(|flaw| flaw.starts_with("larger than")), Some(true));
    }

    #[test]
    fn a_list_of_indicators_is_left_out() {
        let hosts: Vec<(TraceKind, String)> =
            (0..=LIST).map(|n| (TraceKind::Host, format!("evil{n}.example"))).collect();
        let values: Vec<(TraceKind, &str)> = hosts.iter().map(|(kind, host)| (*kind, host.as_str())).collect();
        let interest = Interest::with_traces(&values);
        let count = |hosts: &[(TraceKind, &str)]| {
            let text: String = hosts.iter().flat_map(|(_, host)| [*host, "\n"]).collect();
            tried(&EveryText, "home/al/feed.csv", text.as_bytes(), &interest).seen.len()
        };
        assert_eq!(count(&values), 0);
        assert_eq!(count(values.get(1..).unwrap()), LIST);
    }
}
