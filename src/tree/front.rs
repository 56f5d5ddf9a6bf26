//! Reading a file of a disk within bounds: no further than it reached when it was opened, not through its holes, and no longer
//! than the user wishes. Whoever fills a disk decides how large a file says it is; a hole of a terabyte costs him nothing.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{fs as sys, io::Errno};

use super::body::{BodyError, count};
use crate::stop;

/// Bytes of a file that says it has none, as those of `/proc` do.
const UNSIZED: u64 = 64 << 20;
/// Bytes of one file that are read front to back. The history of a life has a hundredth of it.
const MOST: u64 = 1 << 30;
/// A file with fewer bytes in holes is read through them: that needs no report.
const HOLES: u64 = 64 << 20;
/// Parts between holes; a file made by hand has millions.
const PARTS: u32 = 1 << 16;

/// Reads a file by position, so that two readers of one file do not move each other, up to where it ended when it was opened.
pub(super) struct HostReader<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    stop: &'a AtomicBool,
}

impl<'a> HostReader<'a> {
    pub(super) fn new(file: &'a File, at: u64, len: u64, stop: &'a AtomicBool) -> Self {
        Self { file, at, end: if len == 0 { UNSIZED } else { len }, stop }
    }
}

impl Read for HostReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(stop::ended());
        }
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX).min(buf.len());
        if left == 0 {
            return Ok(0);
        }
        let n = self.file.read_at(buf.get_mut(..left).unwrap_or_default(), self.at)?;
        count(n);
        self.at = self.at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}

impl Seek for HostReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Reads a file front to back. What was left out is an error behind the last byte.
pub(super) struct FrontToBack<'a> {
    data: HostReader<'a>,
    len: u64,
    /// Whether its holes are passed over.
    sparse: bool,
    /// The end of the part with data that is being read.
    part: u64,
    parts: u32,
    /// Bytes of holes that were passed over.
    holes: u64,
    left: u64,
    /// What is to be said at the end, once the line that was begun is closed.
    end: Option<BodyError>,
}

impl<'a> FrontToBack<'a> {
    pub(super) fn new(file: &'a File, len: u64, stop: &'a AtomicBool) -> Self {
        let stored = file.metadata().map_or(u64::MAX, |m| m.blocks().saturating_mul(512));
        let sparse = len.saturating_sub(stored) > HOLES;
        let data = HostReader::new(file, 0, len, stop);
        let part = if sparse { 0 } else { data.end };
        Self { data, len, sparse, part, parts: 0, holes: 0, left: MOST, end: None }
    }

    /// Goes to the next part with data. Whether a hole was passed over.
    fn next_part(&mut self) -> io::Result<bool> {
        self.parts = self.parts.saturating_add(1);
        let at = self.data.at;
        let data = match sys::seek(self.data.file, sys::SeekFrom::Data(at)) {
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => self.len,
            // A file system that does not know.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            other => other?.min(self.len),
        };
        self.part = match sys::seek(self.data.file, sys::SeekFrom::Hole(data)) {
            Ok(hole) if hole > data => hole.min(self.len),
            _ => self.len,
        };
        self.data.at = data;
        let hole = data.saturating_sub(at);
        self.holes = self.holes.saturating_add(hole);
        Ok(hole > 0)
    }
}

impl Read for FrontToBack<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(why) = self.end.take() {
            return Err(io::Error::other(why));
        }
        let ended = self.data.at >= self.data.end;
        if ended && self.holes == 0 {
            return Ok(0);
        }
        let end = match ended {
            true => Some(BodyError::Holes(self.holes)),
            false => (self.left == 0 || self.parts >= PARTS).then_some(BodyError::TooLarge(MOST)),
        };
        if end.is_some() {
            self.end = end;
            return line_end(buf);
        }
        if self.sparse && self.data.at >= self.part && self.next_part()? {
            return line_end(buf);
        }
        let wanted = self.left.min(self.part.saturating_sub(self.data.at));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(buf.len());
        let n = self.data.read(buf.get_mut(..wanted).unwrap_or_default())?;
        self.left = self.left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}

/// What stands before a hole and what stands behind it are two lines.
fn line_end(buf: &mut [u8]) -> io::Result<usize> {
    Ok(buf.first_mut().map_or(0, |first| {
        *first = b'\n';
        1
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn read(file: &File) -> (String, Option<BodyError>) {
        let mut text = Vec::new();
        let len = file.metadata().unwrap().len();
        let outcome = FrontToBack::new(file, len, &NEVER).read_to_end(&mut text);
        (String::from_utf8(text).unwrap(), outcome.err().map(BodyError::from_io))
    }

    #[test]
    fn holes_are_passed_over_and_reported() {
        let terabyte = 1 << 40;
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"first\n", 0).unwrap();
        file.write_all_at(b"middle", 512 << 30).unwrap();
        file.set_len(terabyte).unwrap();
        let (text, end) = read(&file);
        let lines: Vec<&str> = text.lines().map(|l| l.trim_matches('\0')).filter(|l| !l.is_empty()).collect();
        assert_eq!(lines, ["first", "middle"]);
        // Blocks that hold a line are read whole.
        assert!(matches!(end, Some(BodyError::Holes(n)) if n > terabyte - (1 << 20) && n < terabyte), "{end:?}");
    }

    #[test]
    fn a_small_hole_is_read_through() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"end\n", 1 << 20).unwrap();
        let (text, end) = read(&file);
        assert_eq!(text.len(), (1 << 20) + 4);
        assert!(end.is_none(), "{end:?}");
    }

    #[test]
    fn a_file_is_read_as_far_as_it_reached() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one\n").unwrap();
        let mut reader = FrontToBack::new(&file, 4, &NEVER);
        (&file).write_all(b"two\n").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\n");
    }

    #[test]
    fn a_wish_to_end_is_met_between_two_reads() {
        let stop = AtomicBool::new(false);
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        let mut reader = FrontToBack::new(&file, 1 << 20, &stop);
        assert!(reader.read(&mut [0; 16]).is_ok());
        stop.store(true, Ordering::Relaxed);
        assert!(reader.read(&mut [0; 16]).is_err());
    }
}
