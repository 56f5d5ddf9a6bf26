//! Environment files of conda, mamba and micromamba.
//!
//! ```text
//! project/
//! └── environment*.yml, environment*.yaml, *environment.yml, *environment.yaml
//!
//! dependencies:
//!   - litellm=1.82.8            one `=` is a prefix: 1.82.8 and what follows it; `=1.82` names no version and is left out
//!   - conda-forge::six==1.17.0
//!   - numpy=1.26.4=py312_0      with the build
//!   - pip:
//!     - litellm==1.82.8         a requirement of pip
//!     - -r base.txt             that file is read too, after the walk
//! ```
//!
//! Written by people and by `conda env export`. Names of conda packages are taken as names of PyPI, which they mostly are. A hit
//! proves that the file names the version; not that it was installed. Documented under "Managing environments" of conda.

use yaml_rust2::{
    Event,
    parser::Parser,
    scanner::{Marker, ScanError},
};

use super::{
    include::Includes,
    listing::{Listing, numbered, text},
    pin::{Pin, exactly},
};
use crate::{
    fact::Package,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::line_starts},
};

const WHAT: &str = "environment file";

/// Far above any environment that was ever exported.
const FILE: usize = 4 << 20;

/// Of scalars, lists and mappings. Aliases are never followed.
const NODES: u32 = 100_000;

/// Brackets and indents; what is looked for stands in the fourth level.
const DEPTH: usize = 64;

/// `environment.yml` and its kin.
pub struct CondaEnv;

static META: Meta = Meta {
    id: "python/conda-env",
    title: "environment files of conda",
    proves: "the file names the version; not that it was installed",
};

impl Surface for CondaEnv {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::affix("environment", ".yml"),
            Claim::affix("environment", ".yaml"),
            Claim::suffix("environment.yml"),
            Claim::suffix("environment.yaml"),
        ]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (line_starts(&text, "dependencies:") && (line_starts(&text, "channels:") || line_starts(&text, "name:")))
            .then_some("environment.yml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the environment file");
        let text = text(file.all(FILE)?);
        let mut includes = Includes::new(out);
        for (_, line) in numbered(&text) {
            if let Some(item) = line.trim_start().strip_prefix("- ") {
                includes.add_option(item.trim().trim_matches(['"', '\'']));
            }
        }
        includes.end(out);
        let mut listing = Listing::new(out, at);
        // A conflict or a template makes it no YAML; its lines still speak.
        let found = entries(&text).inspect_err(|_| by_line(&text, &mut listing))?;
        for (pin, line) in found {
            listing.push(pin, Some(line));
        }
        Ok(())
    }
}

/// A list or mapping that is open.
enum Open {
    /// Of this place: its items are looked at.
    List(Place),
    /// The key that waits for its value.
    Mapping(Place, Option<String>),
}

/// Where in the file a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Dependencies,
    Pip,
    Elsewhere,
}

/// The pins of a document with their lines. Reads events one by one, so neither depth nor aliases cost anything.
fn entries(text: &str) -> Result<Vec<(Pin, u32)>, Flaw> {
    let mut parser = Parser::new_from_str(text);
    let (mut open, mut found) = (Vec::new(), Vec::new());
    for _ in 0..NODES {
        let (event, mark) = parser.next_token().map_err(|error| flaw(&error))?;
        match event {
            Event::StreamEnd => return Ok(found),
            Event::Scalar(value, ..) => scalar(value, mark, &mut open, &mut found),
            Event::Alias(_) => drop(place(&mut open)),
            Event::SequenceStart(..) => {
                let place = place(&mut open);
                open.push(Open::List(place));
            }
            Event::MappingStart(..) => {
                let place = if open.is_empty() { Place::Top } else { place(&mut open) };
                open.push(Open::Mapping(place, None));
            }
            Event::SequenceEnd | Event::MappingEnd => drop(open.pop()),
            _ => {}
        }
        if open.len() > DEPTH {
            return Err(Flaw::malformed(WHAT, "nested too deeply"));
        }
    }
    Err(Flaw::malformed(WHAT, "more nodes than are read"))
}

fn flaw(_: &ScanError) -> Flaw {
    Flaw::malformed(WHAT, "not YAML")
}

/// Where the value that comes now stands. Takes the key that waited for it.
fn place(open: &mut [Open]) -> Place {
    match open.last_mut() {
        Some(Open::List(place)) => *place,
        Some(Open::Mapping(place, key)) => match (*place, key.take().as_deref()) {
            (Place::Top, Some("dependencies")) => Place::Dependencies,
            (Place::Dependencies, Some("pip")) => Place::Pip,
            // A list or mapping as a key: whatever follows is nothing of ours, and its value must not be taken for a key.
            (_, None) => {
                *key = Some(String::new());
                Place::Elsewhere
            }
            _ => Place::Elsewhere,
        },
        None => Place::Elsewhere,
    }
}

fn scalar(value: String, mark: Marker, open: &mut [Open], found: &mut Vec<(Pin, u32)>) {
    match open.last_mut() {
        Some(Open::Mapping(_, key)) => *key = if key.is_some() { None } else { Some(value) },
        Some(Open::List(place)) => {
            let pin = match place {
                Place::Dependencies => conda_pin(&value),
                Place::Pip => exactly(value.split(" #").next().unwrap_or_default()),
                Place::Top | Place::Elsewhere => None,
            };
            let line = u32::try_from(mark.line()).ok();
            found.extend(pin.zip(line));
        }
        None => {}
    }
}

/// `channel::name=version=build`, `name ==version`, `name version build`.
fn conda_pin(text: &str) -> Option<Pin> {
    let text = text.rsplit_once("::").map_or(text, |(_, spec)| spec).trim();
    let end = text.find(|c: char| c == '=' || c.is_whitespace())?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start();
    let (exact, rest) = match rest.strip_prefix("==") {
        Some(version) => (true, version),
        None => (false, rest.strip_prefix('=').unwrap_or(rest)),
    };
    let mut parts = rest.trim_start().split(|c: char| c == '=' || c.is_whitespace());
    let version = parts.next()?;
    let build = parts.any(|part| !part.is_empty());
    let digit = version.starts_with(|c: char| c.is_ascii_digit());
    let named = exact || build || version.matches('.').count() >= 2;
    if digit && named { Pin::new(name, version) } else { None }
}

/// Each `- name=version` line, for a file that is no YAML.
fn by_line(text: &str, listing: &mut Listing<'_, '_>) {
    for (number, line) in numbered(text) {
        let Some(item) = line.trim().strip_prefix("- ") else {
            continue;
        };
        let item = item.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        if item.contains('=')
            && let Some(pin) = exactly(item).or_else(|| conda_pin(item))
        {
            listing.push(pin, Some(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{claims, read},
        *,
    };

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&CondaEnv, "p/environment.yml", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    fn list(pins: &[&str]) -> Vec<String> {
        pins.iter().map(|p| (*p).to_owned()).collect()
    }

    #[test]
    fn conda_and_pip_pins_are_found() {
        let text = "name: x\nchannels: [conda-forge==1.0.0]\ndependencies:\n- python=3.11\n- litellm=1.82.8\n\
                    - 'conda-forge::dspy==2.6'  # why\n- numpy=1.26.4=py312_0\n- six 1.17.0\n- pip\n- pip:\n  - -r x.txt\n  \
                    - \"litellm[proxy]==1.82.7\"\n  - my_plugin>=1\n  - tomli=2.0.1\nprefix: /x\n";
        let expected = list(&["litellm 1.82.8@5", "dspy 2.6@6", "numpy 1.26.4@7", "six 1.17.0@8", "litellm 1.82.7@12"]);
        assert_eq!(pins(text), (expected, 0));
        let flow = "{dependencies: [litellm=1.82.8, {pip: [litellm==1.82.7]}]}";
        assert_eq!(pins(flow), (list(&["litellm 1.82.8@1", "litellm 1.82.7@1"]), 0));
        assert!(claims(&CondaEnv, "a/environment-dev.yaml") && claims(&CondaEnv, "dev-environment.yml"));
        assert!(!claims(&CondaEnv, "env.yml") && !claims(&CondaEnv, "environment.ts"));
    }

    #[test]
    fn ranges_other_keys_and_comments_are_nothing() {
        let text = "variables:\n  A: litellm=1.82.8\nother:\n- litellm=1.82.8\ndependencies:\n# - litellm=1.82.8\n\
                    - litellm=1.82\n- litellm>=1.82.8\n- litellm!=1.82.8\n- litellm=1.82.*\n- litellm 1.82.8|1.82.9\n- litellm\n\
                    - notpip: [litellm==1.82.8]\n- {? [dependencies] : [litellm==1.82.8]}\n";
        assert_eq!(pins(text), (vec![], 0));
        // Angular projects have files of this name too.
        assert_eq!(pins("production: true\n"), (vec![], 0));
        assert_eq!(pins("- litellm=1.82.8\n"), (vec![], 0));
        assert_eq!(pins(""), (vec![], 0));
    }

    #[test]
    fn what_is_no_yaml_is_read_by_line() {
        let text = "dependencies:\n<<<<<<< HEAD\n- litellm=1.82.7\n=======\n- litellm==1.82.8 # x\n>>>>>>> b\n{% if x %}\n- a\n";
        assert_eq!(pins(text), (list(&["litellm 1.82.7@3", "litellm 1.82.8@5"]), 1));
    }

    #[test]
    fn bombs_are_gaps() {
        let n = 100_000;
        let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ndependencies: [*c, litellm==1.82.8]\n";
        assert_eq!(pins(bomb), (list(&["litellm 1.82.8@4"]), 0));
        for text in [
            "[".repeat(n),
            "{a: ".repeat(n),
            "- ".repeat(n),
            "? ".repeat(n),
            format!("dependencies:\n{}", "- a=1.0\n".repeat(200_000)),
            format!("dependencies: [{}", "a, ".repeat(n)),
            "a: *nothing\n".into(),
            "\"".into(),
            "%YAML 9\n---\n\t- \u{0}".into(),
        ] {
            assert_eq!(pins(&text).1, 1, "{}", text.chars().take(20).collect::<String>());
        }
        let hostile = "dependencies:\n- \"litellm=1.82.8\\e[2J\"\n- \"a\\u202e==1.0.0\"\n";
        assert_eq!(pins(hostile), (vec![], 0));
    }
}
