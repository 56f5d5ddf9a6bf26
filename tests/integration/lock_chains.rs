//! Why a lock file names a malicious version: nobody chose it, so the file has to say who brought it in.

use crate::{
    machine::Machine,
    program::{finding, report},
};

/// The chain of a finding, from the package down to what was asked for.
fn chain(machine: &Machine, package: &str) -> String {
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    let found = finding(&report, package, "");
    let steps = found["chain"].as_array().unwrap().iter().rev();
    let steps = steps.map(|link| {
        let asked = if link["requested"] == true { " (asked for)" } else { "" };
        format!("{}{asked}", link["name"].as_str().unwrap())
    });
    steps.collect::<Vec<_>>().join(" < ")
}

/// What stands in each lock but for the packages that lead to a finding.
const NPM: &str = r#"{"name":"app","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{
"":{"name":"app","version":"1.0.0","dependencies":{"my-plugin":"^1.0.0"}},
"node_modules/left":{"version":"1.0.0","dependencies":{"right":"^1.0.0"}},
"node_modules/right":{"version":"1.0.0"},
"node_modules/my-plugin":{"version":"1.0.0","dependencies":{"axios":"^1.14.0","left":"^1.0.0"}},
"node_modules/axios":{"version":"1.14.1","dependencies":{"plain-crypto-js":"^4.2.1"}},
"node_modules/plain-crypto-js":{"version":"4.2.1","hasInstallScript":true}}}"#;

const YARN: &str = r#"# yarn lockfile v1


axios@^1.14.0:
  version "1.14.1"
  dependencies:
    plain-crypto-js "^4.2.1"

my-plugin@^1.0.0:
  version "1.0.0"
  dependencies:
    axios "^1.14.0"

plain-crypto-js@^4.2.1:
  version "4.2.1"
"#;

const PNPM: &str = "lockfileVersion: '9.0'

packages:

  axios@1.14.1:
    resolution: {integrity: sha512-AA==}

  my-plugin@1.0.0:
    resolution: {integrity: sha512-AA==}

  plain-crypto-js@4.2.1:
    resolution: {integrity: sha512-AA==}

snapshots:

  axios@1.14.1:
    dependencies:
      plain-crypto-js: 4.2.1

  my-plugin@1.0.0:
    dependencies:
      axios: 1.14.1

  plain-crypto-js@4.2.1: {}
";

#[test]
fn locks_of_node_say_who_brought_it_in() {
    let manifest = r#"{"name":"app","dependencies":{"my-plugin":"^1.0.0"}}"#;
    for (name, text) in [("package-lock.json", NPM), ("yarn.lock", YARN), ("pnpm-lock.yaml", PNPM)] {
        let lock = format!("app/{name}");
        let machine = Machine::new().home(&lock, text).home("app/package.json", manifest);
        let whole = "plain-crypto-js < axios < my-plugin (asked for)";
        assert_eq!(chain(&machine, "npm/plain-crypto-js@4.2.1"), whole, "{name}");
        assert_eq!(chain(&machine, "npm/axios@1.14.1"), "axios < my-plugin (asked for)", "{name}");
        // Without the manifest it starts where nothing requires the package.
        let machine = Machine::new().home(&lock, text);
        assert_eq!(chain(&machine, "npm/plain-crypto-js@4.2.1"), "plain-crypto-js < axios < my-plugin", "{name}");
    }
}

#[test]
fn locks_of_python_say_who_brought_it_in() {
    let poetry = "[[package]]\nname = \"my-plugin\"\nversion = \"1.0\"\n\n[package.dependencies]\ndspy = \">=2\"\n\n\
                  [[package]]\nname = \"dspy\"\nversion = \"2.6.0\"\n\n[package.dependencies]\nlitellm = {version = \">=1.60\", \
                  markers = \"python_version >= '3.8'\"}\n\n[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n";
    let pdm = "[[package]]\nname = \"my-plugin\"\nversion = \"1.0\"\ndependencies = [\"dspy>=2\"]\n\n\
               [[package]]\nname = \"dspy\"\nversion = \"2.6.0\"\ndependencies = [\"litellm>=1.60\"]\n\n\
               [[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n";
    let uv = include_str!("../fixtures/python-locks/uv.lock.sample");
    let manifest = "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"my-plugin\"]\n";
    for (name, text) in [("uv.lock", uv), ("poetry.lock", poetry), ("pdm.lock", pdm)] {
        let lock = format!("app/{name}");
        let machine = Machine::new().home(&lock, text).home("app/pyproject.toml", manifest);
        assert_eq!(chain(&machine, "pypi/litellm@1.82.8"), "litellm < dspy < my-plugin (asked for)", "{name}");
        let machine = Machine::new().home(&lock, text);
        assert_eq!(chain(&machine, "pypi/litellm@1.82.8"), "litellm < dspy < my-plugin", "{name}");
    }
}

#[test]
fn a_list_explains_only_itself() {
    let alone = r#"{"lockfileVersion":3,"packages":{"node_modules/axios":{"version":"1.14.1"}}}"#;
    let other = r#"{"lockfileVersion":3,"packages":{"node_modules/my-plugin":{"version":"1.0.0","dependencies":{"axios":"^1.14.0"}}}}"#;
    let machine = Machine::new().home("a/package-lock.json", alone).home("b/package-lock.json", other);
    assert_eq!(chain(&machine, "npm/axios@1.14.1"), "");
    let pin = Machine::new().home("a/package.json", r#"{"name":"a","dependencies":{"axios":"1.14.1"}}"#);
    assert_eq!(chain(&pin, "npm/axios@1.14.1"), "");
    let pipfile = Machine::new().home("a/Pipfile", "[packages]\nlitellm = \"==1.82.8\"\n");
    assert_eq!(chain(&pipfile, "pypi/litellm@1.82.8"), "");
}
