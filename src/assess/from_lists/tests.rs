use std::sync::Arc;

use super::*;
use crate::{
    assess::{Evidence, assess},
    credential::Catalog,
    fact::{At, Origin},
    ioc::{Database, Index},
    shell::typed_commands,
};

const TYPED: i64 = 1_774_350_000;
const LIST: &str = "home/al/app/requirements.txt";

fn seen(path: &str, surface: &'static str, at: i64, fact: Fact) -> Evidence {
    let path = TreePath::new(path.as_bytes()).unwrap();
    let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&path, false)));
    let (origin, at) = (Origin::file(&"host".into(), path), At::unix(at, "time"));
    Seen { surface, origin, at, uid: Some(1000), gid: None, mode: None, unit, fact }.into()
}

fn package(name: &str, version: &str, placement: Placement, needs: &[&str]) -> Fact {
    Fact::Package(Package {
        ecosystem: Ecosystem::Pypi,
        name: name.into(),
        version: version.into(),
        placement,
        artifacts: Vec::new(),
        requires: needs.iter().map(|n| Requirement::new(n.split('>').next().unwrap(), *n)).collect(),
    })
}

fn pins(path: &str, version: &str, changed: i64) -> Evidence {
    seen(path, "python/requirements", TYPED + changed, package("litellm", version, Placement::Listed, &[]))
}

fn asks(path: &str, text: &str) -> Evidence {
    let asked = vec![Requirement::new("litellm", text)];
    seen(path, "python/requirements", TYPED - 9999, Fact::Project { ecosystem: Ecosystem::Pypi, asked })
}

fn stands(name: &str, version: &str, after: i64, needs: &[&str]) -> Evidence {
    let path = format!("home/al/app/.venv/lib/python3.11/site-packages/{name}-{version}.dist-info/METADATA");
    seen(&path, "python/dist-info", TYPED + after, package(name, version, Placement::Loadable, needs))
}

fn typed(text: &str, after: i64) -> Vec<Evidence> {
    let line = |c| seen("home/al/.zsh_history", "history/zsh", TYPED + after, Fact::Command(c));
    typed_commands(text).into_iter().map(line).collect()
}

/// How sure it is that the command installed the malicious version.
fn sure(text: &str, after: i64, evidence: Vec<Evidence>) -> Option<Confidence> {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let evidence = typed(text, after).into_iter().chain(evidence).collect();
    let catalog = Catalog { kinds: Vec::new() };
    let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings;
    let mut own = found.into_iter().filter(|f| f.rule == Rule::InstallFromList);
    own.next().map(|f| f.confidence)
}

#[test]
fn a_list_that_pins_it() {
    use Confidence::{Likely, Possible};
    let before = || vec![pins(LIST, "1.82.8", -9999)];
    for (text, expected) in [
        ("cd ~/app && pip install -r requirements.txt", Some(Likely)),
        ("cd /home/al; uv pip install -r app/requirements.txt", Some(Likely)),
        ("pip install -r ~/app/requirements.txt", Some(Likely)),
        ("pip install -r requirements.txt", Some(Possible)),
        ("cd ~/other && pip install -r requirements.txt", None),
        ("cd ~/app && pip install -r other.txt", None),
        ("cd ~/app && pip download -r requirements.txt", None),
        ("cd ~/app && pip install --dry-run -r requirements.txt", None),
        ("ssh build1 'cd ~/app && pip install -r requirements.txt'", None),
    ] {
        assert_eq!(sure(text, 0, before()), expected, "{text}");
    }
    let text = "cd ~/app && pip install -r requirements.txt";
    assert_eq!(sure(text, 0, vec![pins(LIST, "1.82.6", -9999)]), None);
    // The file was changed later; it was withdrawn; nobody had uploaded it.
    assert_eq!(sure(text, 0, vec![pins(LIST, "1.82.8", 9999)]), Some(Possible));
    assert_eq!(sure(text, 5 * 86_400, before()), Some(Possible));
    assert_eq!(sure(text, -5 * 86_400, vec![pins(LIST, "1.82.8", -6 * 86_400)]), None);
    // A file of another home.
    assert_eq!(sure("pip install -r requirements.txt", 0, vec![pins("home/bo/requirements.txt", "1.82.8", -9)]), None);
}

#[test]
fn a_list_that_admits_it() {
    let text = "cd ~/app && pip install -r requirements.txt";
    let open = || asks(LIST, "litellm>=1.80");
    assert_eq!(sure(text, 0, vec![open()]), Some(Confidence::Possible));
    assert_eq!(sure(text, 0, vec![asks(LIST, "litellm>=1.80,!=1.82.7,!=1.82.8")]), None);
    assert_eq!(sure(text, -9 * 86_400, vec![open()]), None);
    // The environment of the project shows which version it took; one that came later shows nothing.
    assert_eq!(sure(text, 0, vec![open(), stands("litellm", "1.82.6", 20, &[])]), None);
    assert_eq!(sure(text, 0, vec![open(), stands("litellm", "1.83.0", 90_000, &[])]), Some(Confidence::Possible));
    // A lock beside the manifest that it reads decides.
    let sync = "cd ~/app && uv sync";
    let manifest = || asks("home/al/app/pyproject.toml", "litellm>=1.80");
    assert_eq!(sure(sync, 0, vec![manifest()]), Some(Confidence::Possible));
    assert_eq!(sure(sync, 0, vec![manifest(), pins("home/al/app/uv.lock", "1.82.6", -99)]), None);
}

#[test]
fn a_package_that_is_known_to_need_it() {
    let dspy = || stands("dspy", "2.6", 90_000, &["litellm>=1.60"]);
    let later = || stands("litellm", "1.83.0", 90_000, &[]);
    assert_eq!(sure("pip install dspy", 0, vec![dspy(), later()]), Some(Confidence::Possible));
    let plugin = stands("plugin", "1", 90_000, &["dspy"]);
    assert_eq!(sure("uv tool install plugin", 0, vec![plugin, dspy()]), Some(Confidence::Possible));
    assert_eq!(sure("pip install dspy", 0, vec![dspy(), stands("litellm", "1.82.6", 5, &[])]), None);
    assert_eq!(sure("pip install dspy", -9 * 86_400, vec![dspy(), later()]), None);
    assert_eq!(sure("pip install dspy", 0, vec![stands("dspy", "2.6", 0, &["litellm>=1.83"])]), None);
    for text in ["pip install requests", "pip install dspy==2.6.0 --dry-run", "pip uninstall dspy"] {
        assert_eq!(sure(text, 0, vec![dspy(), later()]), None, "{text}");
    }
    // Packages that need each other.
    let (a, b) = (stands("a", "1", 0, &["b"]), stands("b", "1", 0, &["a"]));
    assert_eq!(sure("pip install a", 0, vec![a, b]), None);
}
