//! Pointers into nested data, followed while it is read, so that no tree of values is ever built.

use super::{Findings, Form, Found, MOST};
use crate::{
    credential::{form, model::Fields},
    surface::Flaw,
};

/// Longest key that is remembered; a longer one fits stars only.
const KEY: usize = 256;

#[derive(Debug)]
enum Step {
    Key(Box<str>),
    Star,
}

#[derive(Debug)]
enum Public {
    None,
    /// The key that this star stood for, from 0.
    Star(usize),
    At(Vec<Step>),
}

/// Where the secrets are and what identifies them.
#[derive(Debug)]
pub struct Pointers {
    secret: Vec<Vec<Step>>,
    public: Public,
    form: Form,
}

impl Pointers {
    /// From the data.
    pub fn new(fields: &Fields) -> Result<Self, String> {
        let secret = fields.secret.iter().map(|s| steps(s)).collect::<Result<_, _>>()?;
        let public = match fields.public.as_deref() {
            None => Public::None,
            Some(p) => match p.strip_prefix('*') {
                Some(n) => Public::Star(n.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).ok_or("not a star")?),
                None => Public::At(steps(p)?),
            },
        };
        Ok(Self { secret, public, form: Form::new(fields.public_form.as_deref())? })
    }
}

fn steps(pointer: &str) -> Result<Vec<Step>, String> {
    let rest = pointer.strip_prefix('/').ok_or("a pointer begins with `/`")?;
    let step = |s: &str| match s {
        "*" => Step::Star,
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
}

/// Follows the pointers through one file.
pub struct Walk<'p> {
    pointers: &'p Pointers,
    path: Vec<Name>,
    hits: Vec<Hit>,
    /// Public values that were met and may be shown.
    shown: Vec<(Stars, String)>,
}

impl<'p> Walk<'p> {
    /// At the top of a file.
    pub fn new(pointers: &'p Pointers) -> Self {
        Self { pointers, path: Vec::new(), hits: Vec::new(), shown: Vec::new() }
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
        let public = match &self.pointers.public {
            Public::At(steps) => Some(steps),
            _ => None,
        };
        let mut all = self.pointers.secret.iter().chain(public);
        all.any(|steps| steps.len() >= self.path.len() && self.stars(steps).is_some())
    }

    /// A value that is no container.
    pub fn leaf(&mut self, value: &[u8], line: Option<u32>) {
        self.at(line, |_| form::concrete(value));
        if let Public::At(steps) = &self.pointers.public {
            let here = (steps.len() == self.path.len()).then(|| self.stars(steps)).flatten();
            if let Some(stars) = here.filter(|_| self.shown.len() <= MOST)
                && let Some(text) = self.pointers.form.shown(value)
            {
                self.shown.push((stars, text));
            }
        }
    }

    /// A value that stands elsewhere in the file, or is encrypted there.
    pub fn unseen(&mut self, line: Option<u32>, concrete: bool) {
        self.at(line, |_| concrete);
    }

    fn at(&mut self, line: Option<u32>, concrete: impl Fn(&Self) -> bool) {
        let mut fitting = self.pointers.secret.iter().filter(|s| s.len() == self.path.len());
        let Some(stars) = fitting.find_map(|s| self.stars(s)) else {
            return;
        };
        if self.hits.len() <= MOST && concrete(self) {
            self.hits.push(Hit { stars, line });
        }
    }

    /// What the stars stand for, if the path agrees with the steps as far as it goes.
    fn stars(&self, steps: &[Step]) -> Option<Stars> {
        let mut stars = Vec::new();
        for (step, name) in steps.iter().zip(&self.path) {
            match step {
                Step::Key(key) if **key == *name.text => {}
                Step::Key(_) => return None,
                Step::Star => stars.push((name.text.clone(), name.is_key)),
            }
        }
        Some(stars)
    }

    /// One credential each set of stars.
    pub fn finish(self, out: &mut Findings) -> Result<(), Flaw> {
        let mut told: Vec<&Stars> = Vec::new();
        for hit in &self.hits {
            if told.contains(&&hit.stars) {
                continue;
            }
            told.push(&hit.stars);
            let names: Vec<&[u8]> = hit.stars.iter().filter(|(_, key)| *key).map(|(t, _)| t.as_bytes()).collect();
            let inner = form::label(&names.join(&b'/')).map(str::to_owned);
            out.push(Found { inner, line: hit.line, identifier: self.identifier(&hit.stars), ..Found::default() })?;
        }
        Ok(())
    }

    fn identifier(&self, stars: &Stars) -> Option<String> {
        match &self.pointers.public {
            Public::None => None,
            Public::Star(n) => stars.get(*n).and_then(|(text, _)| self.pointers.form.shown(text.as_bytes())),
            Public::At(_) => {
                let fitting = self.shown.iter().find(|(public, _)| stars.starts_with(public));
                fitting.map(|(_, text)| text.clone())
            }
        }
    }
}
