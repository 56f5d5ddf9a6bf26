//! Writing an inventory while a tree is read.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    LINE,
    redact::Held,
    v1::{self, Line},
    without_secrets,
};
use crate::{
    accounts::Accounts,
    coverage::{Coverage, Exclusion, Gap, GapKind, Weight},
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    tree::Listed,
    walk::{Inspection, Recorder},
};

/// Names in one line.
const NAMES: usize = 10_000;

/// An inventory that is being written.
pub struct Writing<'w> {
    interest: &'w Interest,
    /// What indicators call repositories and the like: no name to hide.
    values: Vec<String>,
    state: Mutex<State<'w>>,
}

struct State<'w> {
    out: Box<dyn Write + Send + 'w>,
    /// What is not written before all names in it are known.
    held: Option<Held>,
    lines: u64,
    silent: BTreeMap<String, u64>,
    failed: Option<io::Error>,
}

impl State<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            let put = |out: &mut dyn Write| out.write_all(bytes).and_then(|()| out.write_all(b"\n"));
            self.failed = match &mut self.held {
                Some(held) => put(held).err(),
                None => put(&mut self.out).err(),
            };
        }
        self.lines += 1;
    }
}

impl<'w> Writing<'w> {
    /// Begins with the head.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn begin(
        mut out: Box<dyn Write + Send + 'w>,
        compressed: bool,
        head: &v1::Head,
        interest: &'w Interest,
    ) -> io::Result<Self> {
        if compressed {
            out = Box::new(zstd::stream::write::Encoder::new(out, 6)?.auto_finish());
        }
        let held = if head.redacted { Some(Held::new()?) } else { None };
        let mut state = State { out, held, lines: 0, silent: BTreeMap::new(), failed: None };
        let mut head = head.clone();
        head.target.id = without_secrets(&head.target.id);
        state.put(&serde_json::to_vec(&head)?);
        Ok(Self { interest, values: Vec::new(), state: Mutex::new(state) })
    }

    /// With what indicators call repositories and the like, which is not hidden.
    pub fn knowing(mut self, values: Vec<String>) -> Self {
        self.values = values;
        self
    }

    /// Ends with what is known at the end. `compared` are facts of a walk of their own.
    ///
    /// # Errors
    /// Where anything of it could not be written.
    pub fn end(
        self,
        coverage: &Coverage,
        accounts: &Accounts,
        os: Option<&str>,
        gaps: &[Gap],
        compared: (u64, &[Seen]),
    ) -> io::Result<()> {
        for seen in compared.1 {
            let file = v1::Entry {
                path: (&seen.origin.path).into(),
                size: 0,
                mtime: None,
                uid: seen.uid,
                gid: seen.gid,
                mode: seen.mode,
            };
            let unit = seen.unit.as_deref().map(v1::Unit::from);
            let fact = v1::Stood::new(seen, self.interest);
            self.line(&Line::Compared(Box::new(v1::Compared { surface: seen.surface.to_owned(), file, unit, fact })));
        }
        let (lines, silent) = {
            let mut state = self.state();
            (state.lines, std::mem::take(&mut state.silent))
        };
        self.line(&Line::End(Box::new(v1::End {
            lines,
            files_seen: coverage.files_seen,
            atime_changed: coverage.atime_changed,
            silent,
            compared: compared.0,
            os: os.map(str::to_owned),
            accounts: accounts.into(),
            gaps: gaps.iter().map(v1::Gap::from).collect(),
            interrupted: coverage.gaps.iter().any(|g| g.kind == GapKind::Interrupted),
        })));
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        if let Some(held) = state.held.take() {
            held.let_go(self.interest, &self.values, &mut state.out)?;
        }
        state.out.flush()
    }

    fn state(&self) -> MutexGuard<'_, State<'w>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &Line) {
        match encoded(line) {
            Ok(bytes) => self.state().put(&bytes),
            Err(error) => self.state().failed = Some(error),
        }
    }
}

/// As JSON, with nothing secret in the addresses that it names.
fn encoded(line: &impl Serialize) -> io::Result<Vec<u8>> {
    let bytes = serde_json::to_vec(line)?;
    if memchr::memmem::find(&bytes, b"://").is_none() {
        return Ok(bytes);
    }
    let mut value = serde_json::to_value(line)?;
    clean(&mut value);
    Ok(serde_json::to_vec(&value)?)
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_secrets(text),
        Value::Array(list) => list.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        _ => {}
    }
}

impl Recorder for Writing<'_> {
    fn inspection(&self, mut read: Inspection) {
        let silent = read.facts.is_empty() && read.further.is_empty() && read.gaps.is_empty() && !read.flawed;
        if silent && read.salvaged.is_empty() && read.more_gaps == 0 {
            *self.state().silent.entry(read.surface.to_owned()).or_default() += 1;
            return;
        }
        loop {
            let line = encoded(&Line::Read(Box::new(self.own(&read))));
            match line {
                Ok(bytes) if bytes.len() < LINE => return self.state().put(&bytes),
                Err(error) => {
                    self.state().failed = Some(error);
                    return;
                }
                Ok(_) => {}
            }
            // Longer than anybody shall have to read at once: half of it, and that is said.
            for list in [&mut read.facts, &mut read.further, &mut read.salvaged] {
                list.truncate(list.len() / 2);
            }
            if read.facts.is_empty() {
                read.asked.clear();
            }
            let detail = "more facts than one line of an inventory holds: not all of them were recorded";
            if read.gaps.iter().all(|g| g.detail != detail) {
                let tree: std::sync::Arc<str> = "".into();
                let origin = Origin::file(&tree, read.entry.path.clone());
                let (surface, detail) = (read.surface, detail.to_owned());
                read.gaps.push(Gap { origin, surface, kind: GapKind::TooLarge, detail });
            }
        }
    }

    fn folder(&self, path: &TreePath) {
        self.line(&Line::Folder(path.into()));
    }

    fn listed(&self, folder: &TreePath, files: Vec<Listed>) {
        // A name has at most 255 bytes, and six signs for each of them.
        for part in files.chunks(NAMES) {
            let files = part.iter().map(v1::Name::from).collect();
            self.line(&Line::Names(v1::Names { folder: folder.into(), files }));
        }
        if files.is_empty() {
            self.line(&Line::Names(v1::Names { folder: folder.into(), files: Vec::new() }));
        }
    }

    fn gap(&self, gap: &Gap) {
        self.line(&Line::Gap(gap.into()));
    }

    fn weighed(&self, gap: &Gap, weight: Weight, by_hand: bool) {
        self.line(&Line::Weighed(v1::Weighed { gap: gap.into(), weight: weight.into(), by_hand }));
    }

    fn exclusion(&self, exclusion: &Exclusion) {
        let place = (&exclusion.origin).into();
        self.line(&Line::Exclusion(v1::Exclusion { place, reason: exclusion.reason.clone() }));
    }
}

impl Writing<'_> {
    fn own(&self, read: &Inspection) -> v1::Inspection {
        let stood = |list: &[Seen]| list.iter().map(|s| v1::Stood::new(s, self.interest)).collect();
        let all = || read.facts.iter().chain(&read.further).chain(&read.salvaged);
        let unit = |inner: bool| {
            let first = all().find(|s| s.origin.inner.is_some() == inner);
            first.and_then(|s| s.unit.as_deref()).map(v1::Unit::from)
        };
        let used = !(read.further.is_empty() && read.salvaged.is_empty());
        let asked = read.asked.iter().filter(|_| used);
        v1::Inspection {
            surface: read.surface.to_owned(),
            file: (&read.entry).into(),
            by_hand: read.by_hand,
            unit: unit(false),
            member_unit: unit(true),
            facts: stood(&read.facts),
            further: stood(&read.further),
            asked: asked.map(|(e, name)| format!("{}/{name}", e.purl_type())).collect(),
            salvaged: stood(&read.salvaged),
            cut: read.cut,
            flawed: read.flawed,
            gaps: read.gaps.iter().map(v1::Gap::from).collect(),
            more_gaps: read.more_gaps,
            weight: (!read.gaps.is_empty()).then(|| read.weight.into()),
        }
    }
}
