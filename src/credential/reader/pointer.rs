//! Pointers into nested data, followed while it is read, so that no tree of values is ever built.

use super::{
    Findings, Form, Found, MOST, identity, names,
    uses::{Met, Uses},
};
use crate::{
    credential::{
        form,
        model::{Fields, Identity},
        reference,
        tag::Tagger,
    },
    fact::Store,
    surface::Flaw,
};

/// Longest key that is remembered; a longer one fits stars only.
const KEY: usize = 256;

#[derive(Debug)]
pub enum Step {
    Key(Box<str>),
    Star,
    /// A star that stands for names of secret variables only.
    Secret,
}

#[derive(Debug)]
enum Public {
    None,
    /// The key that this star stood for, from 0.
    Star(usize),
    At(Vec<Step>),
}

/// Makes an identifier of a value, where that has the form.
type Make = fn(&[u8]) -> Option<String>;

/// Something that may be shown.
#[derive(Debug)]
struct Shown {
    public: Public,
    form: Form,
}

/// Where the secrets are and what identifies them.
#[derive(Debug)]
pub struct Pointers {
    secret: Vec<Vec<Step>>,
    identifier: Shown,
    /// What an identifier is made of, and how.
    identity: Option<(Vec<Step>, Make)>,
    name: Shown,
    uses: Option<Uses>,
}

impl Pointers {
    /// From the data.
    pub fn new(fields: &Fields) -> Result<Self, String> {
        let secret = fields.secret.iter().map(|s| steps(s)).collect::<Result<_, _>>()?;
        let identifier = Shown::new(fields.public.as_deref(), fields.public_form.as_deref())?;
        let uses = fields.used_by.as_ref().map(Uses::new);
        let name = Shown::new(fields.name.as_deref(), None)?;
        let identity = fields.identity.as_ref().map(|identity| {
            let (at, make): (&str, Make) = match identity {
                Identity::Certificate(at) => (at, identity::certificate),
                Identity::Token(at) => (at, identity::token),
            };
            Ok::<_, String>((steps(at)?, make))
        });
        let identity = identity.transpose()?;
        Ok(Self { secret, identifier, identity, name, uses: uses.transpose()? })
    }
}

impl Shown {
    fn new(public: Option<&str>, form: Option<&str>) -> Result<Self, String> {
        let last = public.and_then(|p| p.rsplit('/').next()).unwrap_or_default();
        let form = Form::for_field(last, form)?;
        let public = match public {
            None => Public::None,
            Some(p) => match p.strip_prefix('*') {
                Some(n) => Public::Star(n.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).ok_or("not a star")?),
                None => Public::At(steps(p)?),
            },
        };
        Ok(Self { public, form })
    }

    fn steps(&self) -> Option<&Vec<Step>> {
        match &self.public {
            Public::At(steps) => Some(steps),
            _ => None,
        }
    }

    /// The value that belongs to these stars.
    fn value(&self, stars: &Stars, met: &[(Stars, String)]) -> Option<String> {
        match &self.public {
            Public::None => None,
            Public::Star(n) => stars.get(*n).and_then(|(text, _)| self.form.shown(text.as_bytes())),
            Public::At(_) => met.iter().find(|(public, _)| stars.starts_with(public)).map(|(_, text)| text.clone()),
        }
    }
}

pub(super) fn steps(pointer: &str) -> Result<Vec<Step>, String> {
    let rest = pointer.strip_prefix('/').ok_or("a pointer begins with `/`")?;
    let step = |s: &str| match s {
        "*" => Step::Star,
        "*secret" => Step::Secret,
        s => Step::Key(s.replace("~1", "/").replace("~0", "~").into()),
    };
    Ok(rest.split('/').map(step).collect())
}

/// A key or a position on the way to a value.
struct Name {
    text: String,
    is_key: bool,
}

/// What the stars of a pointer stood for.
type Stars = Vec<(String, bool)>;

struct Hit {
    stars: Stars,
    line: Option<u32>,
    /// The secret is a marker: then the login is the token.
    marked: bool,
    /// Position of the pointer that led to it, in the data.
    pointer: usize,
    tag: Option<String>,
}

/// Follows the pointers through one file.
pub struct Walk<'p> {
    pointers: &'p Pointers,
    path: Vec<Name>,
    hits: Vec<Hit>,
    /// Public values that were met and may be shown.
    identifiers: Vec<(Stars, String)>,
    /// Identifiers that were made.
    made: Vec<(Stars, String)>,
    /// Secrets that stand in a store.
    points: Vec<(Stars, Option<u32>, Store)>,
    names: Vec<(Stars, String)>,
    uses: Met,
    tagger: Tagger,
}

impl<'p> Walk<'p> {
    /// At the top of a file.
    pub fn new(pointers: &'p Pointers, tagger: Tagger) -> Self {
        Self {
            pointers,
            path: Vec::new(),
            hits: Vec::new(),
            identifiers: Vec::new(),
            made: Vec::new(),
            points: Vec::new(),
            names: Vec::new(),
            uses: Met::default(),
            tagger,
        }
    }

    /// Down to the value of a key.
    pub fn key(&mut self, key: &str) {
        let text = if key.len() <= KEY { key.to_owned() } else { String::new() };
        self.path.push(Name { text, is_key: true });
    }

    /// Down to an element, from 0.
    pub fn element(&mut self, at: usize) {
        self.path.push(Name { text: at.to_string(), is_key: false });
    }

    /// Up again.
    pub fn up(&mut self) {
        self.path.pop();
    }

    /// Whether a pointer ends here or further down.
    pub fn leads(&self) -> bool {
        let public = [self.pointers.identifier.steps(), self.pointers.name.steps()].into_iter().flatten();
        let public = public.chain(self.pointers.uses.iter().flat_map(Uses::iter).map(|(_, steps)| steps));
        let public = public.chain(self.pointers.identity.iter().map(|(steps, _)| steps));
        let mut all = self.pointers.secret.iter().chain(public);
        all.any(|steps| steps.len() >= self.path.len() && self.stars(steps).is_some())
    }

    /// A value that is no container.
    pub fn leaf(&mut self, value: &[u8], line: Option<u32>) {
        self.at(line, Some(value), |name| match name {
            Some(name) => names::is_secret(name, value),
            None => form::concrete(value),
        });
        if let Some(store) = reference::store(value)
            && self.points.len() < MOST
            && let Some(stars) = self.secret_place()
        {
            self.points.push((stars, line, store));
        }
        let (identifier, name) = (self.met(&self.pointers.identifier, value), self.met(&self.pointers.name, value));
        if self.identifiers.len() <= MOST {
            self.identifiers.extend(identifier);
        }
        if self.names.len() <= MOST {
            self.names.extend(name);
        }
        if let Some((steps, make)) = &self.pointers.identity
            && steps.len() == self.path.len()
            && self.made.len() <= MOST
            && let Some(stars) = self.stars(steps)
            && let Some(identifier) = make(value)
        {
            self.made.push((stars, identifier));
        }
        for (part, steps) in self.pointers.uses.iter().flat_map(Uses::iter) {
            let stars = self.stars(steps).filter(|_| steps.len() == self.path.len());
            if let Some((star, _)) = stars.iter().flatten().next() {
                self.uses.add(part, star, value);
            }
        }
    }

    /// What the stars stand for, where this is the place of a secret.
    fn secret_place(&self) -> Option<Stars> {
        let mut here = self.pointers.secret.iter().filter(|steps| steps.len() == self.path.len());
        let secret = |step: &Step, name: &Name| !matches!(step, Step::Secret) || names::looks_secret(&name.text);
        here.find(|steps| steps.iter().zip(&self.path).all(|(s, n)| secret(s, n)) && self.stars(steps).is_some())
            .and_then(|steps| self.stars(steps))
    }

    /// The value, where this is its place and it may be shown.
    fn met(&self, shown: &Shown, value: &[u8]) -> Option<(Stars, String)> {
        let steps = shown.steps().filter(|steps| steps.len() == self.path.len())?;
        Some((self.stars(steps)?, shown.form.shown(value)?))
    }

    /// A value that stands elsewhere in the file, or is encrypted there.
    pub fn unseen(&mut self, line: Option<u32>, concrete: bool) {
        self.at(line, None, |name| concrete && name.is_none_or(names::looks_secret));
    }

    /// `concrete` is asked with the name of the variable, where the pointer wants those of secrets.
    fn at(&mut self, line: Option<u32>, value: Option<&[u8]>, concrete: impl Fn(Option<&str>) -> bool) {
        let mut fitting = self.pointers.secret.iter().enumerate().filter(|(_, s)| s.len() == self.path.len());
        let Some((pointer, steps, stars)) = fitting.find_map(|(n, s)| Some((n, s, self.stars(s)?))) else {
            return;
        };
        let named = steps.iter().position(|step| matches!(step, Step::Secret));
        let name = named.and_then(|at| self.path.get(at));
        if self.hits.len() <= MOST && concrete(name.map(|n| n.text.as_str())) {
            let field = steps.iter().zip(&self.path).rev().find(|(step, _)| !matches!(step, Step::Star));
            let field = field.map_or("", |(_, name)| name.text.as_str());
            let tag = value.and_then(|value| self.tagger.tag(field, value));
            self.hits.push(Hit { stars, line, marked: value.is_some_and(form::marks_login), pointer, tag });
        }
    }

    /// What the stars stand for, if the path agrees with the steps as far as it goes.
    fn stars(&self, steps: &[Step]) -> Option<Stars> {
        let mut stars = Vec::new();
        for (step, name) in steps.iter().zip(&self.path) {
            match step {
                Step::Key(key) if **key == *name.text => {}
                Step::Key(_) => return None,
                Step::Star | Step::Secret => stars.push((name.text.clone(), name.is_key)),
            }
        }
        Some(stars)
    }

    /// One credential each set of stars.
    pub fn finish(self, out: &mut Findings) -> Result<(), Flaw> {
        for (stars, line, store) in &self.points {
            out.point(joined(stars, |is_key| is_key), *line, *store);
        }
        let mut found_at: Vec<(&Stars, Found)> = Vec::new();
        for hit in &self.hits {
            if found_at.iter().any(|(stars, _)| **stars == hit.stars) {
                continue;
            }
            let name = self.pointers.name.value(&hit.stars, &self.names);
            let inner = name.or_else(|| joined(&hit.stars, |is_key| is_key));
            let identifier = self.pointers.identifier.value(&hit.stars, &self.identifiers);
            let identifier =
                identifier.filter(|_| !(hit.marked && matches!(self.pointers.identifier.form, Form::Login)));
            // Of several secrets the one that the data name first: in the file they may change places.
            let same = self.hits.iter().filter(|other| other.stars == hit.stars);
            let tag = same.min_by_key(|other| other.pointer).and_then(|first| first.tag.clone());
            found_at.push((&hit.stars, Found { inner, line: hit.line, identifier, tag, ..Found::default() }));
        }
        // Elements of a list that nothing else distinguishes are distinguished by their positions.
        let alike: Vec<bool> =
            found_at.iter().map(|(_, f)| found_at.iter().filter(|(_, other)| other == f).count() > 1).collect();
        for ((stars, mut found), alike) in found_at.into_iter().zip(alike) {
            if alike {
                found.inner = joined(stars, |_| true).or(found.inner);
            }
            let uses = found.identifier.as_deref().map(|id| self.uses.of(id)).unwrap_or_default();
            if let Some((_, made)) = self.made.iter().find(|(of, _)| stars.starts_with(of)) {
                // The name that people gave it stays beside it.
                found.note = found.identifier.replace(made.clone());
            }
            for (name, host) in &uses {
                let note = match (&found.note, host) {
                    (Some(called), Some(host)) => Some(format!("{called} at {host}")),
                    (None, Some(host)) => Some(format!("at {host}")),
                    (called, None) => called.clone(),
                };
                out.push(Found { inner: Some(name.clone()), note, ..found.clone() })?;
            }
            if uses.is_empty() {
                out.push(found)?;
            }
        }
        Ok(())
    }
}

/// The keys among what stars stood for, or the positions too, as a label.
fn joined(stars: &Stars, wanted: impl Fn(bool) -> bool) -> Option<String> {
    let parts: Vec<&[u8]> = stars.iter().filter(|(_, is_key)| wanted(*is_key)).map(|(t, _)| t.as_bytes()).collect();
    form::label(&parts.join(&b'/')).map(str::to_owned)
}
