//! `pyproject.toml`: what a Python project asks for.
//!
//! ```text
//! [build-system] requires = […]                     runs when the project is built
//! [project] dependencies = […]
//! [project.optional-dependencies] extra = […]
//! [dependency-groups] dev = ["a==1", {include-group = "x"}]
//! [tool.poetry.dependencies], [tool.poetry.group.dev.dependencies], [tool.poetry.dev-dependencies]
//!     litellm = "1.82.8"                            exact, unlike "^1.82.8"; also {version = "1.82.8"}, and lists of such tables
//! [tool.uv] dev-dependencies, constraint-dependencies, override-dependencies, build-constraint-dependencies = […]
//! [tool.uv.sources] litellm = {url = "…/litellm-1.82.8-py3-none-any.whl"}
//! [tool.pdm.dev-dependencies] dev = […]
//! [tool.pdm.resolution.overrides] litellm = "1.82.8"
//! [tool.hatch.envs.NAME] dependencies, extra-dependencies = […]
//! [tool.rye] dev-dependencies = […]
//! [tool.setuptools.dynamic] dependencies = {file = ["deps/base.txt"]}       these files are read too, after the walk
//! [tool.hatch.metadata.hooks.requirements_txt] files = ["deps/base.txt"]
//! [tool.pixi.dependencies], [tool.pixi.pypi-dependencies], also of [tool.pixi.feature.NAME] and [….target.NAME]
//! ```
//!
//! Written by people and by `uv add`, `poetry add`, `pdm add`. Exact pins are facts, and the names of the direct requirements,
//! since they say why a package is in the project's environment. A hit proves that the project asks for the version; not that it
//! was installed. Documented in the `pyproject.toml` specification of packaging.python.org and by each tool.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    include::Includes,
    listing::{Listing, numbered, text},
    pin::{Pin, exactly, package_file},
    toml_doc::{DOCUMENT, Lines, field, items, parse, table},
};
use crate::{
    ecosystem::pypi::{is_version, normalise},
    fact::Package,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

const WHAT: &str = "pyproject.toml";

/// `pyproject.toml`.
pub struct Pyproject;

static META: Meta = Meta {
    id: "python/pyproject",
    title: "manifests of Python projects",
    proves: "the project asks for the version; not that it was installed",
};

impl Surface for Pyproject {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pyproject.toml")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[project]") || has_line(&text, "[build-system]") || line_starts(&text, "[tool.poetry"))
            .then_some("pyproject.toml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of pyproject.toml");
        let interest = file.interest;
        let text = text(file.all(DOCUMENT)?);
        let mut includes = Includes::new(out);
        let mut listing = Listing::new(out, at);
        let document = parse(&text, WHAT).inspect_err(|_| by_line(&text, &mut listing))?;
        let mut pins = Pins { lines: Lines::new(&text, 0), listing: &mut listing };
        dynamic(&document, &mut includes);
        project(&document, &mut pins);
        if let Some(tools) = table(&document, "tool") {
            poetry(tools, &mut pins);
            uv(tools, &mut pins);
            pdm(tools, &mut pins);
            hatch(tools, &mut pins);
            pins.asks(table(tools, "rye"), "dev-dependencies");
            pixi(table(tools, "pixi"), &mut pins, 2);
        }
        listing.end_of_manifest(interest);
        includes.end(out);
        Ok(())
    }
}

/// Takes pins with the places of their values.
pub(super) struct Pins<'l, 'o, 's> {
    pub lines: Lines,
    pub listing: &'l mut Listing<'o, 's>,
}

impl Pins<'_, '_, '_> {
    fn push(&mut self, pin: Option<Pin>, value: &Spanned<DeValue<'_>>) {
        if let Some(pin) = pin {
            self.listing.push(pin, self.lines.line_of(&value.span()));
        }
    }

    /// Requirements in a list.
    pub fn list(&mut self, holder: Option<&DeTable<'_>>, key: &str) {
        for item in holder.into_iter().flat_map(|h| items(h, key)) {
            self.push(item.get_ref().as_str().and_then(exactly), item);
        }
    }

    /// Requirements in a list that brings packages into the project's own environment.
    fn asks(&mut self, holder: Option<&DeTable<'_>>, key: &str) {
        self.list(holder, key);
        for text in holder.into_iter().flat_map(|h| items(h, key)).filter_map(|i| i.get_ref().as_str()) {
            self.listing.asks_for(text);
        }
    }

    /// Such lists in a table.
    fn groups(&mut self, groups: Option<&DeTable<'_>>) {
        for name in groups.into_iter().flat_map(|g| g.keys()) {
            self.asks(groups, name.get_ref());
        }
    }

    /// Such requirements by name.
    fn asks_versions(&mut self, named: Option<&DeTable<'_>>) {
        self.versions(named);
        named.into_iter().flat_map(|n| n.keys()).for_each(|name| self.listing.asks_for(name.get_ref()));
    }

    /// Versions by name: `litellm = "1.82.8"`, `{version = "1.82.8"}`, `{url = "…"}`, or a list of such tables.
    fn versions(&mut self, named: Option<&DeTable<'_>>) {
        for (name, value) in named.into_iter().flat_map(|n| n.iter()) {
            let single = std::iter::once(value);
            let list = value.get_ref().as_array().into_iter().flat_map(|a| a.iter());
            for value in single.chain(list) {
                self.push(version_of(name.get_ref(), value.get_ref()), value);
            }
        }
    }
}

/// The exact version of a value in the style of Poetry, where a bare version is exact.
fn version_of(name: &str, value: &DeValue<'_>) -> Option<Pin> {
    let part = |key| value.as_table().and_then(|t| field(t, key)).and_then(DeValue::as_str);
    if let Some(version) = value.as_str().or_else(|| part("version")) {
        let version = version.trim();
        let bare = version.starts_with(|c: char| c.is_ascii_digit()) && is_version(version);
        return if bare { Pin::new(name, version) } else { exactly(&format!("{name}{version}")) };
    }
    let file = ["url", "file", "path"].into_iter().find_map(part).and_then(package_file)?;
    (file.name == normalise(name)).then_some(file)
}

/// The files that hold requirements of the project, as setuptools and a plugin of hatch read them.
fn dynamic(document: &DeTable<'_>, includes: &mut Includes) {
    let tools = table(document, "tool");
    let within = |path: &[&str]| path.iter().try_fold(tools?, |holder, key| table(holder, key));
    let mut named = |value: &DeValue<'_>| {
        let list = value.as_array().into_iter().flat_map(|a| a.iter()).filter_map(|i| i.get_ref().as_str());
        value.as_str().into_iter().chain(list).for_each(|file| includes.add(file));
    };
    if let Some(dynamic) = within(&["setuptools", "dynamic"]) {
        let extras = table(dynamic, "optional-dependencies").into_iter().flat_map(|e| e.values());
        let holders = field(dynamic, "dependencies").into_iter().chain(extras.map(|e| e.get_ref()));
        holders.filter_map(|h| field(h.as_table()?, "file")).for_each(&mut named);
    }
    if let Some(hook) = within(&["hatch", "metadata", "hooks", "requirements_txt"]) {
        let extras = table(hook, "optional-dependencies").into_iter().flat_map(|e| e.values());
        field(hook, "files").into_iter().chain(extras.map(|e| e.get_ref())).for_each(named);
    }
}

fn project(document: &DeTable<'_>, pins: &mut Pins<'_, '_, '_>) {
    pins.list(table(document, "build-system"), "requires");
    let project = table(document, "project");
    pins.asks(project, "dependencies");
    pins.groups(project.and_then(|p| table(p, "optional-dependencies")));
    pins.groups(table(document, "dependency-groups"));
}

fn poetry(tools: &DeTable<'_>, pins: &mut Pins<'_, '_, '_>) {
    let Some(poetry) = table(tools, "poetry") else {
        return;
    };
    pins.asks_versions(table(poetry, "dependencies"));
    pins.asks_versions(table(poetry, "dev-dependencies"));
    let groups = table(poetry, "group").into_iter().flat_map(|g| g.values());
    for group in groups.filter_map(|g| g.get_ref().as_table()) {
        pins.asks_versions(table(group, "dependencies"));
    }
}

fn uv(tools: &DeTable<'_>, pins: &mut Pins<'_, '_, '_>) {
    let uv = table(tools, "uv");
    pins.asks(uv, "dev-dependencies");
    for key in ["constraint-dependencies", "override-dependencies", "build-constraint-dependencies"] {
        pins.list(uv, key);
    }
    pins.versions(uv.and_then(|uv| table(uv, "sources")));
}

fn pdm(tools: &DeTable<'_>, pins: &mut Pins<'_, '_, '_>) {
    let Some(pdm) = table(tools, "pdm") else {
        return;
    };
    pins.groups(table(pdm, "dev-dependencies"));
    pins.versions(table(pdm, "resolution").and_then(|r| table(r, "overrides")));
}

fn hatch(tools: &DeTable<'_>, pins: &mut Pins<'_, '_, '_>) {
    let environments = table(tools, "hatch").and_then(|h| table(h, "envs"));
    for environment in environments.into_iter().flat_map(|e| e.values()) {
        pins.asks(environment.get_ref().as_table(), "dependencies");
        pins.asks(environment.get_ref().as_table(), "extra-dependencies");
    }
}

/// Of a workspace, a feature or a platform; the latter two stand within the first, `deeper` levels at most.
pub(super) fn pixi(holder: Option<&DeTable<'_>>, pins: &mut Pins<'_, '_, '_>, deeper: usize) {
    let Some(holder) = holder else {
        return;
    };
    for key in ["dependencies", "pypi-dependencies", "host-dependencies", "build-dependencies"] {
        pins.asks_versions(table(holder, key));
    }
    let within =
        ["feature", "target"].into_iter().filter_map(|key| table(holder, key)).flat_map(|named| named.values());
    for part in within.filter(|_| deeper > 0) {
        pixi(part.get_ref().as_table(), pins, deeper - 1);
    }
}

/// Quoted requirements at the starts of lines, for a file that is no TOML: both sides of a conflict. Bare versions of Poetry
/// are left out, for without its table nobody knows whose they are.
pub(super) fn by_line(text: &str, listing: &mut Listing<'_, '_>) {
    for (number, line) in numbered(text) {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let quotes = ['"', '\''];
        let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|_| !line.starts_with(quotes));
        for quoted in line.split(quotes).skip(1).step_by(2) {
            let named = key.filter(|_| quoted.starts_with("==")).and_then(|key| exactly(&format!("{key}{quoted}")));
            if let Some(pin) = named.or_else(|| exactly(quoted)) {
                listing.push(pin, Some(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&Pyproject, "p/pyproject.toml", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn every_place_of_the_standard_is_read() {
        let text = r#"[build-system]
requires = ["hatchling==1.26.0", "a>=1"]
[project]
name = "litellm"
version = "1.82.8"
dependencies = [
    "litellm[proxy]==1.82.8 ; python_version > '3'",
    # "b==1",
]
[project.optional-dependencies]
x = ["c==1.0"]
[dependency-groups]
dev = ["d===1.0", {include-group = "x"}]
"#;
        let expected = ["hatchling 1.26.0@2", "litellm 1.82.8@7", "c 1.0@11", "d 1.0@13"].map(str::to_owned).to_vec();
        assert_eq!(pins(text), (expected, 0));
    }

    #[test]
    fn what_the_project_asks_for_is_distinguished_from_limits() {
        let text = r#"[build-system]
requires = ["hatchling"]
[project]
dependencies = ["My_Plugin[x]>=1 ; python_version > '3'", "a @ https://u:p@host.example/a.whl", "not one"]
optional-dependencies = {x = ["b"]}
[dependency-groups]
dev = ["c", {include-group = "x"}]
[tool.poetry.dependencies]
d = "^1"
[tool.uv]
dev-dependencies = ["e"]
constraint-dependencies = ["f!=1"]
[tool.uv.sources]
g = {git = "x"}
[tool.pdm.resolution.overrides]
h = "1.0"
"#;
        let mut asked = read(&Pyproject, "p/pyproject.toml", text.as_bytes()).asked;
        asked.sort();
        assert_eq!(asked, ["a", "b", "c", "d", "e", "my-plugin"]);
    }

    #[test]
    fn a_bare_version_is_exact_for_poetry() {
        let text = r#"[tool.poetry.dependencies]
a = "1.82.8"
b = {version = "==1.82.8", extras = ["x"]}
c = [{version = "1.0", python = "<3.9"}, {version = "^2", python = ">=3.9"}]
d = "^1.82.8"
e = "*"
f = "1.82.*"
g = ">=1.82.8,<2"
h = {git = "https://host.example/h.git", tag = "1.82.8"}
i = {url = "https://host.example/i-1.0-py3-none-any.whl"}
j = "1.0 || 2.0"
k = {path = "../k"}
[tool.poetry.group.dev.dependencies]
l = "1"
[tool.poetry.dev-dependencies]
m = "=1"
n = "==2"
"#;
        let expected = ["a 1.82.8@2", "b 1.82.8@3", "c 1.0@4", "i 1.0@10", "n 2@17", "l 1@14"];
        assert_eq!(pins(text), (expected.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn tables_of_uv_pdm_and_hatch_are_read() {
        let text = r#"[tool.uv]
dev-dependencies = ["a==1"]
constraint-dependencies = ["b==1"]
override-dependencies = ["c==1"]
sources = {d = {url = "https://host.example/d-1-py3-none-any.whl"}, e = {git = "x"}}
[tool.pdm.dev-dependencies]
t = ["f==1", "-e file:///x#egg=g"]
[tool.pdm.resolution.overrides]
h = "1.0"
[tool.hatch.envs.test]
dependencies = ["i==1"]
[tool.other]
dependencies = ["z==1"]
"#;
        let expected = ["a 1@2", "b 1@3", "c 1@4", "d 1@5", "f 1@7", "h 1.0@9", "i 1@11"];
        assert_eq!(pins(text), (expected.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn lists_may_stand_in_other_files() {
        let text = r#"[project]
dynamic = ["dependencies", "readme"]
[tool.setuptools.dynamic]
readme = {file = ["README.md"]}
dependencies = {file = ["deps/base.txt", "b.txt"]}
optional-dependencies = {dev = {file = "dev.txt"}}
[tool.hatch.metadata.hooks.requirements_txt]
files = ["h.txt"]
[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]
cli = ["i.txt"]
"#;
        let read = read(&Pyproject, "p/pyproject.toml", text.as_bytes());
        let want =
            ["b.txt", "deps/base.txt", "dev.txt", "h.txt", "i.txt"].map(|f| format!("python/requirements /p/{f}"));
        assert_eq!((read.includes, read.gaps.len()), (want.to_vec(), 0));
    }

    #[test]
    fn what_is_no_toml_is_read_by_line() {
        let text = "[project]\ndependencies = [\n<<<<<<< HEAD\n  \"litellm==1.82.7\",\n=======\n  'litellm==1.82.8',\n\
                    >>>>>>> b\n]\n# \"a==1\"\nb = \"==2\"\nc = \">=2\"\n";
        let expected = ["litellm 1.82.7@4", "litellm 1.82.8@6", "b 2@10"].map(str::to_owned).to_vec();
        assert_eq!(pins(text), (expected, 1));
    }

    #[test]
    fn odd_files_do_no_harm() {
        for text in
            ["", "project = 1", "[project]\ndependencies = \"a==1\"", "[tool]\nuv = []", "dependency-groups = [1]"]
        {
            assert_eq!(pins(text), (vec![], 0), "{text}");
        }
        let hostile = "[project]\ndependencies = [\"a\\u001b[2J==1\", \"b==1\\u202e\"]\n";
        assert_eq!(pins(hostile), (vec![], 0));
        assert_eq!(pins(&format!("{}a = 1", "tool.".repeat(100_000))).1, 1);
        assert_eq!(pins(&"#".repeat(3 << 20)).1, 1);
    }
}
