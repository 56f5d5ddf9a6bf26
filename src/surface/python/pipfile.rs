//! The manifest of Pipenv.
//!
//! ```text
//! project/
//! └── Pipfile          [packages], [dev-packages] and tables of other categories:
//!                      litellm = "==1.82.8", {version = "==1.82.8"}, {file = "https://…whl"}
//! ```
//!
//! Written by people and by `pipenv install`. The names of the packages say why one is in the project's environment.
//! A hit proves that the project asks for the version; not that it was installed.
//! Documented under "Pipfile & Pipfile.lock" of Pipenv.

use toml::de::DeValue;

use super::{
    listing::{Listing, text},
    pin::{Pin, exactly, package_file},
    pyproject::by_line,
    toml_doc::{DOCUMENT, Lines, parse, string},
};
use crate::{
    ecosystem::pypi::normalise,
    fact::Package,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::has_line},
};

/// Tables that hold no packages.
const OTHER: &[&str] = &["source", "requires", "scripts", "pipenv"];

/// `Pipfile`.
pub struct Pipfile;

static META: Meta = Meta {
    id: "python/pipfile",
    title: "the manifest of Pipenv",
    proves: "the project asks for the version; not that it was installed",
};

impl Surface for Pipfile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("Pipfile")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[packages]") && (has_line(&text, "[[source]]") || has_line(&text, "[dev-packages]")))
            .then_some("Pipfile")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of Pipfile");
        let interest = file.interest;
        let text = text(file.all(DOCUMENT)?);
        let mut listing = Listing::new(out, at);
        let document = parse(&text, "Pipfile").inspect_err(|_| by_line(&text, &mut listing))?;
        let lines = Lines::new(&text, 0);
        for (_, packages) in document.iter().filter(|(key, _)| !OTHER.contains(&key.get_ref().as_ref())) {
            for (name, value) in packages.get_ref().as_table().into_iter().flat_map(|p| p.iter()) {
                listing.asks_for(name.get_ref());
                if let Some(pin) = pin(name.get_ref(), value.get_ref()) {
                    listing.push(pin, lines.line_of(&name.span()));
                }
            }
        }
        listing.end_of_manifest(interest);
        Ok(())
    }
}

fn pin(name: &str, value: &DeValue<'_>) -> Option<Pin> {
    let part = |key| value.as_table().and_then(|t| string(t, key));
    if let Some(version) = value.as_str().or_else(|| part("version")) {
        return exactly(&format!("{name}{version}")).filter(|_| version.trim_start().starts_with('='));
    }
    let file = part("file").or_else(|| part("path")).and_then(package_file)?;
    (file.name == normalise(name)).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&Pipfile, "p/Pipfile", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn pins_of_every_category_and_nothing_else() {
        let text = r#"[[source]]
name = "==1"
url = "https://registry.example/simple"
[packages]
litellm = "==1.82.8"
dspy = {version = "==2.6.0", extras = ["x"]}
a = "*"
b = ">=1"
c = "1.0"
d = {git = "https://host.example/d.git", ref = "==1"}
e = {file = "https://host.example/e-1.0-py3-none-any.whl"}
[docs]
f = "==1 ; python_version > '3'"
[requires]
python_version = "==3.12"
"#;
        let mut found = pins(text);
        found.0.sort();
        let expected = ["dspy 2.6.0@6", "e 1.0@11", "f 1@13", "litellm 1.82.8@5"].map(str::to_owned).to_vec();
        assert_eq!(found, (expected, 0));
        let mut asked = read(&Pipfile, "p/Pipfile", text.as_bytes()).asked;
        asked.sort();
        assert_eq!(asked, ["a", "b", "c", "d", "dspy", "e", "f", "litellm"]);
    }

    #[test]
    fn broken_and_hostile_files_are_gaps() {
        let text = "[packages]\n<<<<<<< HEAD\nlitellm = \"==1.82.7\"\n=======\nlitellm = \"==1.82.8\"\n>>>>>>> b\n";
        let expected = ["litellm 1.82.7@3", "litellm 1.82.8@5"].map(str::to_owned).to_vec();
        assert_eq!(pins(text), (expected, 1));
        assert_eq!(pins(&format!("{}a = 1", "a.".repeat(100_000))).1, 1);
        assert_eq!(pins("packages = 1\n"), (vec![], 0));
        assert_eq!(pins("[packages]\n\"a\\u001b\" = \"==1\"\n"), (vec![], 0));
    }
}
