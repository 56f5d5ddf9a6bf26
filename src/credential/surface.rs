//! Credentials in files: every place that a kind of `iocs/credentials` names.
//!
//! ```text
//! ~/.aws/credentials         one credential a profile, by its access key id
//! ~/.ssh/id_ed25519          one per private key, by its fingerprint
//! **/.env                    one per variable, by the variable's name
//! …                          the places are data; `Reader` says how each is read
//! /proc/4711/environ         one per variable of a running process, by the variable's name
//! ```
//!
//! A hit proves that a credential stands in the file; not that it still works, and not that anybody took it. No value leaves the
//! reader that looked at it. Built when the program starts, since its claims come from the catalogue.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Catalog,
    moved::Moved,
    place::{Names, PlacePath},
    reader::{self, Compiled, FileName, Findings, Pointing, Vocabulary},
    systems,
    tag::{CaseKey, Tagger},
};
use crate::{
    fact::{At, Credential, Fact, TreePath},
    interest::Interest,
    surface::{Claim, FileMatch, Flaw, Meta, Opened, Sink, Subject, Surface, is_own_work},
    work,
};

/// The surface of all kinds.
pub static META: Meta = Meta {
    id: "credential/file",
    title: "credentials in files",
    proves: "a credential stands there; not that it still works or that anybody took it",
};

/// Id of the surface of the environment that every process of a tree has, as an image's configuration sets it.
pub const ENVIRONMENT: &str = "credential/environment";

/// That surface. The image's reader hands it the variables; there is no file to claim.
pub static ENVIRONMENT_META: Meta = Meta {
    id: ENVIRONMENT,
    title: "credentials in the environment that an image sets",
    proves: "every process of the image has it; not that it still works or that anybody took it",
};

/// The kind of a secret variable that no other kind names.
const ANY_VARIABLE: &str = "env.process";

/// The kind of such a variable that a build left in an image.
const BAKED_IN: &str = "container.image_baked_secrets";

/// The system gives a process no more variables than this by default.
const ENVIRON: usize = 2 << 20;

/// Whether it is the surface of the environment that an image sets.
pub fn is_environment(surface: &str) -> bool {
    surface == ENVIRONMENT
}

/// Whether a file holds the variables of a running process.
pub fn is_environ(path: &TreePath) -> bool {
    path.name() == b"environ" && path.as_bytes().starts_with(b"proc/")
}

/// All places of all kinds.
pub struct CredentialSurface {
    places: Vec<Known>,
    /// Positions in `places` by the name of the file, where it holds no `*`: hundreds of places are asked about each file.
    by_name: HashMap<Box<[u8]>, Vec<usize>>,
    /// Positions of the others, with what the file's name must be.
    others: Vec<(usize, FileMatch)>,
    words: Vocabulary,
    /// The key of the case, where tags are to be made.
    case_key: Option<Arc<CaseKey>>,
}

struct Known {
    kind: Arc<str>,
    /// Values of the kind are chosen by people.
    password: bool,
    path: PlacePath,
    /// Shared by the place and wherever variables moved it.
    reader: Arc<Compiled>,
    /// See `Place::file_name`; shared likewise.
    file_name: Option<Arc<FileName>>,
    /// See `Place::shared_name`.
    shared_name: bool,
    /// See `Place::own_work`.
    own_work: bool,
    /// The variable that moved it here.
    by: Option<Arc<str>>,
}

impl Known {
    fn claim(&self) -> Claim {
        let claim = self.path.claim();
        if self.own_work { claim.in_own_work().among_few() } else { claim }
    }

    fn fits(&self, path: &TreePath, names: &[&str]) -> bool {
        self.path.fits_names(names) && (!self.own_work || is_own_work(path.parent().as_bytes()))
    }
}

impl CredentialSurface {
    /// For these kinds, and for the places that variables moved.
    ///
    /// # Errors
    /// Where a kind holds a path, pointer or expression that is none; names the kind.
    pub fn new(catalog: &Catalog, moved: &[Moved]) -> Result<Self, String> {
        let (places, by_name, others) = (Vec::new(), HashMap::new(), Vec::new());
        let mut surface = Self { places, by_name, others, words: Vocabulary::default(), case_key: None };
        let mut elsewhere: HashMap<(&str, usize), Vec<&Moved>> = HashMap::new();
        for m in moved {
            elsewhere.entry((&m.kind, m.place)).or_default().push(m);
        }
        for kind in &catalog.kinds {
            let wrong = |what: &str, why: &str| format!("{}: {what}: {why}", kind.id);
            surface.words.add(kind).map_err(|e| wrong("variables", &e))?;
            let (id, password): (Arc<str>, bool) = (kind.id.as_str().into(), kind.password);
            let own: HashSet<&str> = kind.places.iter().map(|place| place.path.as_str()).collect();
            for (number, place) in kind.places.iter().enumerate() {
                let path = PlacePath::new(&place.path, &place.except).map_err(|e| wrong(&place.path, e))?;
                let reader = Arc::new(Compiled::new(&place.reader).map_err(|e| wrong(&place.path, &e))?);
                let named = place.file_name.as_deref().map(FileName::new).transpose();
                let file_name = named.map_err(|e| wrong(&place.path, &e))?.map(Arc::new);
                for m in elsewhere.remove(&(kind.id.as_str(), number)).unwrap_or_default() {
                    let Ok(path) = PlacePath::new(&m.path, &[]) else { continue };
                    let (kind, reader, file_name) = (id.clone(), reader.clone(), file_name.clone());
                    let by = Some(m.by.as_str().into());
                    surface.add(Known {
                        kind,
                        password,
                        path,
                        reader,
                        file_name,
                        shared_name: false,
                        own_work: false,
                        by,
                    });
                }
                let (shared_name, own_work) = (place.shared_name, place.own_work);
                for other in systems::elsewhere(&place.path).iter().filter(|other| !own.contains(other.as_str())) {
                    let Ok(path) = PlacePath::new(other, &place.except) else { continue };
                    let (kind, reader, file_name) = (id.clone(), reader.clone(), file_name.clone());
                    surface.add(Known { kind, password, path, reader, file_name, shared_name, own_work, by: None });
                }
                surface.add(Known {
                    kind: id.clone(),
                    password,
                    path,
                    reader,
                    file_name,
                    shared_name,
                    own_work,
                    by: None,
                });
            }
        }
        Ok(surface)
    }

    /// The same, with keyed tags of what it finds in files and processes.
    pub fn with_case_key(self, key: Option<Arc<CaseKey>>) -> Self {
        Self { case_key: key, ..self }
    }

    fn findings(&self, kind: Arc<str>, password: bool) -> Findings {
        Findings(Vec::new(), Tagger::new(self.case_key.clone(), kind, password), Vec::new())
    }

    fn add(&mut self, known: Known) {
        let at = self.places.len();
        match known.path.claim().file {
            FileMatch::Name(name) => self.by_name.entry(name.into_bytes().into()).or_default().push(at),
            pattern => self.others.push((at, pattern)),
        }
        self.places.push(known);
    }

    /// The places that a file is at, in their order.
    fn places_of(&self, path: &TreePath) -> Vec<&Known> {
        let usual = path.without_private();
        let names = Names::new(&usual);
        let names = names.list();
        let others = self.others.iter().filter(|(_, pattern)| pattern.fits(path.name())).map(|(at, _)| at);
        let named = self.by_name.get(path.name()).map_or([].as_slice(), Vec::as_slice);
        let mut all: Vec<usize> = named.iter().chain(others).copied().collect();
        all.sort_unstable();
        work::done(all.len());
        all.into_iter().filter_map(|at| self.places.get(at)).filter(|known| known.fits(path, &names)).collect()
    }
}

impl Surface for CredentialSurface {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn subject(&self) -> Subject {
        Subject::Secrets
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let mut met = HashSet::new();
        let all = std::iter::once(Claim::name("environ").below("proc"));
        all.chain(self.places.iter().map(Known::claim)).filter(|c| met.insert(c.clone())).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if is_environ(&file.entry.path) {
            return self.process(file, out);
        }
        let at = file.mtime("mtime of the file that holds it");
        let (mut reported, mut flaws) = (HashSet::new(), Vec::new());
        let mut points = Vec::new();
        let path = file.entry.path.clone();
        for known in self.places_of(&path) {
            let mut found = self.findings(known.kind.clone(), known.password);
            match self.read(known, file, &mut found) {
                Err(Flaw::Malformed { .. } | Flaw::Truncated(_)) if known.shared_name => {}
                Err(Flaw::TooLarge(_) | Flaw::Unsupported(_)) if known.shared_name && found.0.is_empty() => {}
                Err(flaw) => flaws.push(flaw),
                Ok(()) => {}
            }
            points.append(&mut found.2);
            let mut new = Vec::new();
            for fact in found.0 {
                // Two places of one kind may lead to one file.
                let kind = fact.kind.clone().unwrap_or_else(|| known.kind.clone());
                let key = (kind, fact.inner.clone(), fact.line);
                if !reported.contains(&key) {
                    let (kind, inner, line) = key.clone();
                    let named_by = known.by.clone();
                    let by_name = || known.file_name.as_ref().and_then(|form| form.identifier(path.name()));
                    let (identifier, note, tag) = (fact.identifier.or_else(by_name), fact.note, fact.tag);
                    let credential = Credential { kind, identifier, note, named_by, tag };
                    out.push_at(inner.as_deref(), line, at.clone(), Fact::Credential(credential));
                    new.push(key);
                }
            }
            reported.extend(new);
        }
        push_references(points, at.as_ref(), out);
        // Two readers of one broken file say the same.
        flaws.sort_by_cached_key(ToString::to_string);
        flaws.dedup_by_key(|flaw| flaw.to_string());
        flaws.iter().for_each(|flaw| out.gap(None, flaw));
        Ok(())
    }
}

/// Each place once for a store, whichever kinds' places lead to it.
fn push_references(mut points: Vec<Pointing>, at: Option<&At>, out: &mut Sink<'_>) {
    points.sort_by(|a, b| (&a.inner, a.store, a.line).cmp(&(&b.inner, b.store, b.line)));
    points.dedup_by(|a, b| a.inner == b.inner && a.store == b.store);
    for p in points {
        out.push_at(p.inner.as_deref(), p.line, at.cloned(), Fact::Reference(p.store));
    }
}

impl CredentialSurface {
    /// The secrets among variables that every process has, by name. `lines` are `NAME=value`, one per line.
    pub fn of_environment(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let mut found = Findings::default();
        // More of them than are reported of, or lines that are none: those read so far are reported.
        let _ = Compiled::Variables.read(lines, &self.words, &mut found);
        let reported = found.0.into_iter().filter_map(|f| {
            let kind = f.kind.unwrap_or_else(|| ANY_VARIABLE.into());
            Some((f.inner?, Credential { kind, identifier: f.identifier, note: f.note, ..Credential::default() }))
        });
        reported.collect()
    }

    /// The secrets among values that a build left in an image, by name.
    pub fn of_build(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let mut found = self.of_environment(lines);
        for (_, credential) in found.iter_mut().filter(|(_, c)| &*c.kind == ANY_VARIABLE) {
            credential.kind = BAKED_IN.into();
        }
        found
    }

    fn process(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut found = self.findings(ANY_VARIABLE.into(), false);
        let outcome = reader::environ(&self.words, file.head(ENVIRON)?, &mut found);
        push_references(std::mem::take(&mut found.2), None, out);
        for fact in found.0 {
            let kind = fact.kind.unwrap_or_else(|| ANY_VARIABLE.into());
            let (identifier, note, tag) = (fact.identifier, fact.note, fact.tag);
            let credential = Credential { kind, identifier, note, named_by: None, tag };
            out.push_at(fact.inner.as_deref(), None, None, Fact::Credential(credential));
        }
        outcome
    }

    fn read(&self, known: &Known, file: &mut Opened<'_, '_>, found: &mut Findings) -> Result<(), Flaw> {
        let limit = known.reader.limit();
        let bytes = if known.reader.head_only() { file.head(limit)? } else { file.all(limit)? };
        known.reader.read(bytes, &self.words, found)
    }
}
