//! Lines of logs, packed or not, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::surface::{Flaw, Opened};

/// Longer lines are not handed on. A line of apt's history names all packages of an upgrade.
const LINE: usize = 1 << 20;
/// Unpacked bytes of one log: a log of ten years has less.
const LOG: u64 = 512 << 20;
const GZIP: &[u8] = b"\x1f\x8b";

/// Hands on each line with its number from 1; what of it is no UTF-8 is replaced.
///
/// # Errors
/// When the medium fails, or the file is packed and broken, or too large: lines before that are handed on. Where
/// a line is longer than a log's, all others are.
pub fn each(file: &mut Opened<'_, '_>, each: &mut dyn FnMut(&str, u32)) -> Result<(), Flaw> {
    let is_gzip = file.head(GZIP.len())?.starts_with(GZIP);
    let raw = file.reader();
    if is_gzip {
        let unpacked = MultiGzDecoder::new(BufReader::new(raw)).take(LOG);
        return lines(BufReader::new(unpacked), each).map_err(|e| match e {
            Flaw::Io(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                Flaw::malformed("gzip", "its data are damaged")
            }
            Flaw::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => Flaw::Truncated("gzip"),
            other => other,
        });
    }
    lines(BufReader::with_capacity(1 << 17, raw.take(LOG)), each)
}

fn lines<R: Read>(mut input: BufReader<io::Take<R>>, each: &mut dyn FnMut(&str, u32)) -> Result<(), Flaw> {
    let (mut line, mut number, mut any_long) = (Vec::new(), 0_u32, false);
    loop {
        line.clear();
        let mut long = false;
        loop {
            let block = match input.fill_buf() {
                Ok(block) => block,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            if block.is_empty() {
                if !line.is_empty() {
                    hand_on(&line, long, number.saturating_add(1), each);
                }
                return match input.get_ref().limit() {
                    0 => Err(Flaw::TooLarge(LOG)),
                    _ if any_long || long => Err(Flaw::TooLarge(u64::try_from(LINE).unwrap_or(u64::MAX))),
                    _ => Ok(()),
                };
            }
            let end = memchr::memchr(b'\n', block);
            let piece = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            long |= line.len() + piece.len() > LINE;
            if !long {
                line.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(end.is_some());
            input.consume(used);
            if end.is_some() {
                break;
            }
        }
        any_long |= long;
        number = number.saturating_add(1);
        hand_on(&line, long, number, each);
    }
}

fn hand_on(line: &[u8], long: bool, number: u32, each: &mut dyn FnMut(&str, u32)) {
    if !long {
        each(String::from_utf8_lossy(line).trim_end_matches('\r'), number);
    }
}
