//! A log in blocks: those without a marker word are passed over whole.

use std::{
    cell::RefCell,
    io::{self, Read},
    sync::LazyLock,
};

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr_iter, memrchr};

/// Bytes that are looked through at once.
const BLOCK: usize = 256 << 10;
/// Longer lines are not read.
pub const LINE: usize = 64 << 10;

/// Words of the lines that say something, with what stands before a list that follows. Every form of a line holds one of them.
pub const MARKERS: &[&str] = &[
    // pip, uv, pipx, poetry
    "Successfully installed ",
    "Collecting ",
    "Downloading ",
    "Using cached ",
    "already satisfied: ",
    "Installed ",
    "installed package ",
    "- Installing ",
    "\u{2022} Installing ",
    // npm, pnpm, yarn, bun
    // An archive that npm fetched; of most packages it asks only what there is.
    ".tgz ",
    "npm info run ",
    "npm warn ",
    "npm WARN deprecated ",
    " postinstall",
    " preinstall",
    " install$ ",
    "ependencies:",
    "info Direct dependencies",
    "info All dependencies",
    "Ignored build scripts: ",
    "YN00",
    "bun install v",
    "bun add v",
    "Z + ",
    "O + ",
    "\n+ ",
    "\u{251c}\u{2500}\u{2500} ",
    "\u{251c}\u{2500}\u{252c} ",
    "\u{2514}\u{2500}\u{2500} ",
    "\u{2514}\u{2500}\u{252c} ",
    // cargo
    "Compiling ",
    "Checking ",
    "Downloaded ",
    // container engines
    "Status: ",
    "Digest: sha256:",
    "Unable to find image '",
    "Trying to pull ",
    "Using docker image ",
    " : FROM ",
    "] FROM ",
    // the runner of GitHub
    "Download action repository '",
    "Download immutable action package '",
    "##[group]Run ",
    "Save archive 'https://",
    // what tests print
    "Captured std",
];

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(MARKERS).ok());

thread_local! {
    /// Made once per thread: a new one for each of fifty thousand logs costs more than searching them.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Who is shown a line: the line, what stands before it in its block, and its number from 1. Whether the next line is to be shown too,
/// whatever it holds.
pub type Each<'e> = dyn FnMut(&[u8], &[u8], u32) -> bool + 'e;

/// The place in a log.
#[derive(Default)]
pub struct Blocks {
    /// Lines before the block.
    lines: u32,
    /// The next line is wanted.
    following: bool,
    /// The line that goes on is too long.
    long: bool,
    /// A line was too long to be read.
    pub skipped: bool,
}

impl Blocks {
    /// Shows the lines that hold a marker. Whether the log was read to its end, rather than to the limit.
    ///
    /// # Errors
    /// Those of the reader; lines before that were shown.
    pub fn each_line(&mut self, input: &mut dyn Read, limit: u64, each: &mut Each<'_>) -> io::Result<bool> {
        BUFFER.with(|buffer| match buffer.try_borrow_mut() {
            Ok(mut buffer) => self.read(input, limit, &mut buffer, each),
            Err(_) => self.read(input, limit, &mut Vec::new(), each),
        })
    }

    fn read(
        &mut self,
        input: &mut dyn Read,
        limit: u64,
        buffer: &mut Vec<u8>,
        each: &mut Each<'_>,
    ) -> io::Result<bool> {
        buffer.resize(BLOCK, 0);
        let (mut filled, mut total) = (0_usize, 0_u64);
        loop {
            let n = match input.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    self.block(buffer.get(..filled).unwrap_or_default(), each);
                    return Err(e);
                }
            };
            filled += n;
            total = total.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
            if n == 0 || total > limit {
                self.block(buffer.get(..filled).unwrap_or_default(), each);
                return Ok(n == 0);
            }
            if filled < buffer.len() {
                continue;
            }
            let held = buffer.get(..filled).unwrap_or_default();
            match memrchr(b'\n', held) {
                Some(end) => {
                    self.block(held.get(..=end).unwrap_or_default(), each);
                    buffer.copy_within(end + 1..filled, 0);
                    filled -= end + 1;
                }
                None => {
                    // A line that is longer than a block.
                    (self.long, self.skipped) = (true, true);
                    filled = 0;
                }
            }
        }
    }

    /// Whole lines, but for the last of the log.
    fn block(&mut self, block: &[u8], each: &mut Each<'_>) {
        let (mut at, mut counted) = (0_usize, 0_usize);
        if self.long {
            at = memchr(b'\n', block).map_or(block.len(), |end| end + 1);
            self.long = at == block.len() && !block.ends_with(b"\n");
        }
        while at < block.len() {
            if !self.following {
                // Of the first line of a block nothing stands before it.
                let first = (at == 0 && block.starts_with(b"+ ")).then_some(0);
                let Some(found) = first.or_else(|| find(block, at)) else {
                    break;
                };
                let before = block.get(at..found).unwrap_or_default();
                at = memrchr(b'\n', before).map_or(at, |end| at + end + 1);
            }
            let rest = block.get(at..).unwrap_or_default();
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            let between = block.get(counted..at).unwrap_or_default();
            self.lines = self.lines.saturating_add(count(between));
            counted = at;
            self.following = if line.len() > LINE {
                self.skipped = true;
                false
            } else {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                each(line, block.get(..at).unwrap_or_default(), self.lines.saturating_add(1))
            };
            at += end + 1;
        }
        self.lines = self.lines.saturating_add(count(block.get(counted..).unwrap_or_default()));
    }
}

/// Where the first marker from a place on is: within its line.
fn find(block: &[u8], from: usize) -> Option<usize> {
    let finder = FINDER.as_ref()?;
    // A marker may begin with the end of the line before.
    let from = from.saturating_sub(1);
    let found = finder.find(aho_corasick::Input::new(block).range(from..))?;
    Some(if block.get(found.start()) == Some(&b'\n') { found.start() + 1 } else { found.start() })
}

fn count(bytes: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], following: usize) -> Vec<String> {
        let (mut all, mut left) = (Vec::new(), 0);
        let whole = Blocks::default().each_line(&mut &*bytes, 1 << 30, &mut |line, _, number| {
            let text = String::from_utf8_lossy(line);
            if text.contains("Compiling") {
                left = following;
            } else {
                left = left.saturating_sub(1);
            }
            all.push(format!("{number} {}", &text[..text.len().min(30)]));
            left > 0
        });
        assert!(whole.unwrap());
        all
    }

    #[test]
    fn only_lines_with_a_marker_and_those_that_follow_are_shown() {
        let text = b"a\nCompiling x\nb\nc\r\nd\n+ x\n";
        assert_eq!(shown(text, 0), ["2 Compiling x", "6 + x"]);
        assert_eq!(shown(text, 2), ["2 Compiling x", "3 b", "4 c", "6 + x"]);
        assert_eq!(shown(b"Compiling", 0), [""; 0]);
        assert_eq!(shown(b"x\nCompiling ", 0), ["2 Compiling "]);
        assert_eq!(shown(b"\n\n+ a", 0), ["3 + a"]);
    }

    #[test]
    fn borders_of_blocks_change_nothing() {
        for extra in [0, 1, 5, 9, 10, 11, 12] {
            let mut text = "x".repeat(99) + "\n";
            text = text.repeat(BLOCK / 100) + &"y".repeat(BLOCK % 100 + extra) + "\nCompiling z\nq\n";
            let line = BLOCK / 100 + 2;
            let want = [format!("{line} Compiling z"), format!("{} q", line + 1)];
            assert_eq!(shown(text.as_bytes(), 1), want, "{extra}");
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_and_nothing_with_it() {
        let mut bytes = vec![b'a'; 3 * BLOCK + 17];
        bytes.extend_from_slice(b"Compiling \nCompiling y\n");
        assert_eq!(shown(&bytes, 0), ["2 Compiling y"]);
        let mut bytes = b"Compiling ".to_vec();
        bytes.extend(vec![b'a'; LINE]);
        bytes.extend_from_slice(b"\nCompiling y\n");
        assert_eq!(shown(&bytes, 0), ["2 Compiling y"]);
    }

    #[test]
    fn the_limit_is_said() {
        let mut blocks = Blocks::default();
        assert!(!blocks.each_line(&mut io::repeat(b'\n'), 1 << 20, &mut |_, _, _| false).unwrap());
    }
}
