//! Reading an inventory: a line at a time, into the same bounds that an examination has.

use std::{
    collections::BTreeSet,
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use serde_json::error::Category;

use super::{
    LINE, fixed,
    recorded::Recorded,
    source,
    v1::{self, Line},
};
use crate::{
    accounts::Accounts,
    coverage::{Exclusion, Gap, SurfaceCount},
    fact::{Ecosystem, Origin, Seen, TreePath, is_job},
    interest::Interest,
    stop,
    tree::Visit as _,
    walk::{Inspection, Inspector},
};

/// Why an inventory is not read: the fault of whoever wrote or changed it.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It is no inventory at all.
    #[error(
        "it is not an inventory: its first line does not say `{}`\nhint: `dosimeter scan --inventory FILE` writes one; an SBOM is read as CycloneDX or SPDX 2.3 JSON",
        v1::FORMAT
    )]
    Other,
    /// A newer program wrote it.
    #[error(
        "it is an inventory of version {version}, and this program reads up to version {}\nhint: use a newer dosimeter",
        v1::VERSION
    )]
    Newer {
        /// Its version.
        version: u64,
    },
    /// A line is not as it should be.
    #[error("line {line}: {why}\nhint: the file was changed or damaged: copy it again, or write it anew")]
    Line {
        /// From 1.
        line: u64,
        /// Without quoting it.
        why: String,
    },
    /// It has no last line.
    #[error(
        "it ends too early, after line {0}\nhint: it was not written or copied to its end: copy it again, or write it anew"
    )]
    Short(u64),
    /// The medium fails.
    #[error("line {0}: cannot be read: {1}")]
    Io(u64, io::Error),
}

impl Flaw {
    /// Of the medium, before any line was read; a packed file that ends too early has none.
    pub fn from_first(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Short(0) } else { Self::Io(1, error) }
    }
}

/// What the start of a file is that of.
pub enum Begins {
    /// An inventory.
    Inventory(Box<v1::Head>),
    /// An inventory of a newer version.
    Newer,
    /// It may be a bill of materials.
    Sbom,
    /// A report of this program.
    Ours,
    /// Nothing of the kind.
    Neither,
}

/// Looks at the first bytes of a file, packed or not.
pub fn begins(start: &[u8]) -> Begins {
    let mut plain = Vec::new();
    // The start was cut: what comes before the end counts.
    let _ = unpacked(start).and_then(|u| u.take(64 << 10).read_to_end(&mut plain));
    match stored(plain.as_slice()) {
        Ok(stored) => Begins::Inventory(Box::new(stored.head)),
        Err(Flaw::Newer { .. }) => Begins::Newer,
        Err(_) if crate::report::format::is_ours(&plain) => Begins::Ours,
        Err(_) if super::sbom::names_a_format(&plain) => Begins::Sbom,
        Err(_) => Begins::Neither,
    }
}

/// What a file holds, whether it is packed with gzip or zstd, or not at all.
///
/// # Errors
/// Where its first bytes cannot be read.
pub fn unpacked<'s>(from: impl Read + 's) -> io::Result<Box<dyn Read + 's>> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let start = from.fill_buf()?;
    Ok(match start {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(from)?;
            // Eight megabytes of what came before are all that the usual levels refer to.
            decoder.window_log_max(23)?;
            Box::new(decoder)
        }
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
        _ => Box::new(from),
    })
}

/// An inventory whose head was read.
pub struct Stored<'s> {
    /// What it says of itself.
    pub head: v1::Head,
    lines: Lines<'s>,
}

/// What stands at the end of an inventory.
pub struct Ended {
    /// Names seen, and access times changed.
    pub files_seen: u64,
    /// Access times that may have changed.
    pub atime_changed: u64,
    /// The release of the system.
    pub os: Option<String>,
    /// Who lives there.
    pub accounts: Accounts,
    /// Problems beside the walk.
    pub gaps: Vec<Gap>,
    /// Facts of files that were compared.
    pub compared: Vec<Seen>,
    /// How many files that were.
    pub compared_files: SurfaceCount,
    /// Somebody ended the examination.
    pub interrupted: bool,
    /// What indicators of another day can be asked of it.
    pub recorded: Recorded,
}

struct Lines<'s> {
    from: Box<dyn BufRead + 's>,
    line: Vec<u8>,
    at: u64,
}

impl Lines<'_> {
    /// The next line, without its end.
    fn next(&mut self) -> Result<Option<&[u8]>, Flaw> {
        self.line.clear();
        let most = u64::try_from(LINE).unwrap_or(u64::MAX);
        let read = self.from.by_ref().take(most).read_until(b'\n', &mut self.line);
        self.at += 1;
        let read = read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Flaw::Short(self.at.saturating_sub(1)),
            _ => Flaw::Io(self.at, error),
        })?;
        if read == 0 {
            self.at -= 1;
            return Ok(None);
        }
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if read >= LINE => Err(self.flaw("longer than any line of an inventory")),
            None => Err(Flaw::Short(self.at.saturating_sub(1))),
        }
    }

    fn flaw(&self, why: &str) -> Flaw {
        Flaw::Line { line: self.at, why: why.to_owned() }
    }
}

/// What is wrong with a line, without quoting it.
fn why(error: &serde_json::Error) -> String {
    let at = error.column();
    match error.classify() {
        Category::Data => format!("not of an inventory's form, column {at}"),
        Category::Eof => format!("it ends too early, column {at}"),
        _ => format!("not JSON, column {at}"),
    }
}

/// Opens an inventory and reads its head. Whether it is compressed is seen from its first bytes.
///
/// # Errors
/// Where it is none, or a newer one.
pub fn stored<'s>(from: impl Read + 's) -> Result<Stored<'s>, Flaw> {
    let from = Box::new(BufReader::with_capacity(1 << 16, unpacked(from).map_err(|e| Flaw::Io(1, e))?));
    let mut lines = Lines { from, line: Vec::new(), at: 0 };
    let first = lines.next()?.unwrap_or_default();
    #[derive(serde::Deserialize)]
    struct Begin {
        format: String,
        version: u64,
    }
    let begin: Begin = serde_json::from_slice(first).map_err(|_| Flaw::Other)?;
    if begin.format != v1::FORMAT {
        return Err(Flaw::Other);
    }
    if begin.version > v1::VERSION {
        return Err(Flaw::Newer { version: begin.version });
    }
    let head = serde_json::from_slice(first).map_err(|e| Flaw::Line { line: 1, why: why(&e) })?;
    Ok(Stored { head, lines })
}

/// The indicators of today.
pub struct Today<'t> {
    /// Their texts.
    pub known: &'t v1::Known,
    /// They are those of the examination.
    pub same: bool,
    /// Whether a package is worth nothing to them, whatever its version.
    pub is_idle: &'t dyn Fn(&v1::Package) -> bool,
    /// Goes through names that were recorded beside the inventory, each with the size of a file.
    pub names: Option<&'t EachName<'t>>,
}

/// Calls back with each file and its size; that of a link is not known.
pub type EachName<'n> = dyn Fn(&mut dyn FnMut(&[u8], Option<u64>)) + 'n;

/// Puts an inventory into an inspector of its tree, as the examination did. `before_line` is called with the bytes of each line and
/// the facts kept before it.
///
/// # Errors
/// Where a line is not as it should be, or the last one is missing.
pub fn replay(
    stored: &mut Stored<'_>,
    tree: &Arc<str>,
    inspector: &Inspector<'_>,
    today: &Today<'_>,
    before_line: &dyn Fn(usize, usize),
) -> Result<Ended, Flaw> {
    let (lines, same) = (&mut stored.lines, today.same);
    let (mut compared, mut recorded) = (Vec::new(), Recorded::default());
    loop {
        if stop::requested() {
            return Err(Flaw::Io(lines.at, stop::ended()));
        }
        let before = lines.at;
        let Some(bytes) = lines.next()? else {
            return Err(Flaw::Short(before));
        };
        before_line(bytes.len(), inspector.kept());
        // Of a text whose bytes are known to be one, no string is looked at again.
        let line = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        };
        let line: Line = match line {
            Ok(line) => line,
            Err(error) => return Err(Flaw::Line { line: lines.at, why: why(&error) }),
        };
        let place = Place { tree, today, interest: inspector.interest() };
        let bad = || lines.flaw("it names a path or a word that is none");
        match line {
            Line::Read(read) => {
                if !same {
                    recorded.note(&read, inspector.interest());
                }
                inspector.replay(place.inspection(*read).ok_or_else(bad)?, same);
            }
            Line::Names(_) if same => {}
            Line::Names(names) => recorded.names(names, inspector.interest()).ok_or_else(bad)?,
            Line::Folder(path) => drop(inspector.folder(&path.read().ok_or_else(bad)?)),
            Line::Gap(gap) => inspector.gap(place.gap(gap).ok_or_else(bad)?),
            Line::Weighed(w) => {
                let gap = place.gap(w.gap).ok_or_else(bad)?;
                inspector.replay_weighed(gap, w.weight.into(), w.by_hand, same);
            }
            Line::Exclusion(e) => {
                let origin = e.place.read(tree).ok_or_else(bad)?;
                inspector.exclude(Exclusion { origin, reason: e.reason });
            }
            Line::Compared(c) if compared.len() < 40_000 => compared.push(place.compared(*c).ok_or_else(bad)?),
            Line::Compared(_) => return Err(lines.flaw("more files that differ than one inventory holds")),
            Line::End(end) if end.lines != before => return Err(lines.flaw("lines are missing before it")),
            Line::End(end) => {
                if lines.next()?.is_some() {
                    return Err(lines.flaw("it stands behind the last one"));
                }
                for (surface, files) in &end.silent {
                    recorded.texts = true;
                    inspector.replay_silent(fixed(surface).ok_or_else(|| lines.flaw("an unknown surface"))?, *files);
                }
                let gaps: Option<Vec<Gap>> = end.gaps.into_iter().map(|g| place.gap(g)).collect();
                let bad = || Flaw::Line { line: before + 1, why: "it names a path or a word that is none".to_owned() };
                return Ok(Ended {
                    files_seen: end.files_seen,
                    atime_changed: end.atime_changed,
                    os: end.os,
                    accounts: end.accounts.read().ok_or_else(bad)?,
                    gaps: gaps.ok_or_else(bad)?,
                    compared_files: SurfaceCount {
                        files: end.compared,
                        facts: u64::try_from(compared.len()).unwrap_or(u64::MAX),
                    },
                    compared,
                    interrupted: end.interrupted,
                    recorded: {
                        for each in today.names.iter().filter(|_| !same) {
                            each(&mut |path, size| recorded.name(path, size, inspector.interest()));
                        }
                        recorded.remove_read();
                        recorded
                    },
                });
            }
        }
    }
}

/// Where what is read belongs.
pub(super) struct Place<'p> {
    pub(super) tree: &'p Arc<str>,
    pub(super) today: &'p Today<'p>,
    pub(super) interest: &'p Interest,
}

impl Place<'_> {
    pub(super) fn gap(&self, gap: v1::Gap) -> Option<Gap> {
        let (origin, surface) = (gap.place.read(self.tree)?, fixed(&gap.surface)?);
        Some(Gap { origin, surface, kind: gap.kind, detail: gap.detail })
    }

    fn seen(
        &self,
        surface: &'static str,
        entry: &crate::tree::Entry,
        units: &[Option<Arc<crate::fact::Unit>>; 2],
        stood: v1::Stood,
    ) -> Option<Seen> {
        let [whole, member] = units;
        let unit = if stood.inner.is_some() { member } else { whole };
        let machine = match stood.machine {
            None => self.tree.clone(),
            Some(machine) => machine.into(),
        };
        if machine != *self.tree && !is_job(&machine) {
            return None;
        }
        let origin = Origin {
            inner: stood.inner.map(Into::into),
            line: stood.line,
            ..Origin::file(&machine, TreePath::clone(&entry.path))
        };
        let at = stood.at.map(|at| crate::fact::At { time: at.time, source: source(at.source) });
        let (uid, gid, mode) = (entry.uid, entry.gid, entry.mode);
        Some(Seen { surface, origin, at, uid, gid, mode, unit: unit.clone(), fact: stood.fact.read(self.today.known)? })
    }

    pub(super) fn inspection(&self, read: v1::Inspection) -> Option<Inspection> {
        let surface = fixed(&read.surface)?;
        let entry = read.file.read()?;
        let unit = |unit: &Option<v1::Unit>| match unit {
            None => Some(None),
            Some(unit) => unit.read().map(|u| Some(Arc::new(u))),
        };
        let units = [unit(&read.unit)?, unit(&read.member_unit)?];
        let all = |list: Vec<v1::Stood>| {
            list.into_iter().map(|s| self.seen(surface, &entry, &units, s)).collect::<Option<Vec<_>>>()
        };
        let asked = read.asked.iter().map(|text| {
            let (ecosystem, name) = text.split_once('/')?;
            Some((Ecosystem::from_word(ecosystem)?, name.into()))
        });
        let asked: BTreeSet<(Ecosystem, Box<str>)> = asked.collect::<Option<_>>()?;
        let (mut facts, mut further, mut passed) = (read.facts, read.further, 0);
        // What nobody asks for is as sound as the rest, and is not made ready.
        if self.today.same || !asked.iter().any(|(ecosystem, name)| self.interest.knows_package(*ecosystem, name)) {
            let sound = |s: &v1::Stood| self.is_sound(&s.fact);
            let further = std::mem::take(&mut further);
            further.iter().all(sound).then_some(())?;
            // Of a list in which one of them is known, the others may say why it is there.
            let is_package = |s: &v1::Stood| matches!(s.fact, v1::Fact::Package(_));
            let idle = |s: &v1::Stood| !matches!(&s.fact, v1::Fact::Package(p) if !(self.today.is_idle)(p));
            if !read.flawed && facts.iter().all(idle) {
                facts.iter().filter(|s| is_package(s)).all(sound).then_some(())?;
                let before = facts.len();
                facts.retain(|s| !is_package(s));
                passed = u64::try_from(before - facts.len()).unwrap_or(u64::MAX);
            }
        }
        Some(Inspection {
            surface,
            by_hand: read.by_hand,
            facts: all(facts)?,
            passed,
            further: all(further)?,
            asked,
            salvaged: all(read.salvaged)?,
            cut: read.cut,
            flawed: read.flawed,
            gaps: read.gaps.into_iter().map(|g| self.gap(g)).collect::<Option<_>>()?,
            more_gaps: read.more_gaps,
            weight: read.weight.map_or(crate::coverage::Weight::Unknown, Into::into),
            entry,
        })
    }

    /// Whether a fact can be read, without reading it where there are many of its kind.
    fn is_sound(&self, fact: &v1::Fact) -> bool {
        match fact {
            v1::Fact::Package(p) | v1::Fact::Named(p) => p.placement().is_some(),
            v1::Fact::Listed { paths } => paths.iter().all(v1::Path::is_path),
            other => other.clone().read(self.today.known).is_some(),
        }
    }

    fn compared(&self, c: v1::Compared) -> Option<Seen> {
        let unit = match &c.unit {
            None => None,
            Some(unit) => Some(Arc::new(unit.read()?)),
        };
        self.seen(fixed(&c.surface)?, &c.file.read()?, &[unit.clone(), unit], c.fact)
    }
}
