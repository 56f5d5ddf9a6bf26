//! What cargo compiled and ran for a project.
//!
//! ```text
//! project/target/debug/                                      also release, a profile's own name; target/TRIPLE/debug; `$CARGO_TARGET_DIR`
//! ├── build/NAME-0a1b2c3d4e5f6a7b/build_script_build-….d     the build script was compiled: `/…/registry/src/HOST/NAME-VERSION/build.rs`
//! ├── build/NAME-7b6a5f4e3d2c1b0a/invoked.timestamp          it was started; says no version
//! ├── build/NAME-7b6a5f4e3d2c1b0a/output                     it ran to its end, and this is what it wrote
//! └── deps/NAME-0a1b2c3d4e5f6a7b.d                           the crate was compiled: `/…/NAME-VERSION/src/lib.rs`
//! ```
//!
//! A hit proves that the version was compiled here; with `invoked.timestamp` or `output` of the same name beside it, that a build script of
//! the crate ran. `cargo check` and rust-analyzer compile and run build scripts as well. Of crates under `vendor` no version is known from here. Not
//! documented; read in folders that cargo 1.95 made.

use super::package;
use crate::{
    ecosystem::{
        cargo::{self, TARGET, built, profile_of, target_of, unpacked},
        normal_name,
    },
    fact::{Ecosystem, Fact, Placement, ScriptOutcome, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Of a list of sources the first names count.
const HEAD: usize = 64 << 10;
/// Crates that are taken from one list. It names one, and what a build script includes.
const CRATES: usize = 20;

/// `target/*/build`, `target/*/deps`.
pub struct BuildOutput;

static META: Meta = Meta {
    id: "cargo/build-output",
    title: "what cargo compiled, and output of build scripts",
    proves: "the version was compiled here; with the output of its build script, that this ran",
};

impl Surface for BuildOutput {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let target = target_of(&profile_of(path)?);
        let root = target.parent();
        Some(cargo::unit(target, root, TARGET))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::affix("build_script_", ".d").within("build"),
            Claim::name("output").within("build"),
            Claim::name("invoked.timestamp").within("build"),
            Claim::suffix(".d").in_tail("deps"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some(profile) = profile_of(&path) else {
            return Ok(());
        };
        let normal = |name: &str| normal_name(Ecosystem::Cargo, name);
        let outcome = match path.name() {
            b"output" => Some(ScriptOutcome::Succeeded),
            b"invoked.timestamp" => Some(ScriptOutcome::Started),
            _ => None,
        };
        if let Some(outcome) = outcome {
            let folder = path.parent();
            if let Some(name) = built(folder.name()).filter(|_| folder.parent() == profile.join(b"build")) {
                let (version, folder) = ("".into(), Some(profile));
                let fact = Fact::InstallScript { name: normal(name), version, folder, outcome };
                out.push(file.mtime("mtime of what the build script left"), fact);
            }
            return Ok(());
        }
        let stem = path.name().strip_suffix(b".d").unwrap_or_default();
        // A project has a thousand of these, and what indicators know is rarely among them.
        let of_deps = path.parent() == profile.join(b"deps");
        if of_deps && !built(stem).is_some_and(|name| file.interest.knows_package(Ecosystem::Cargo, &normal(name))) {
            return Ok(());
        }
        let at = file.mtime("mtime of what was compiled");
        let text = String::from_utf8_lossy(file.head(HEAD)?).into_owned();
        let mut found: Vec<(String, String)> = Vec::new();
        for word in text.split_whitespace() {
            let word = word.trim_end_matches(':').replace('\\', "/");
            let Some(source) = TreePath::new(word.as_bytes()) else {
                continue;
            };
            let Some((_, name, version)) = unpacked(&source).filter(|(folder, ..)| *folder != source) else {
                continue;
            };
            let crate_ = (name.to_owned(), version.to_owned());
            if !found.contains(&crate_) && found.len() < CRATES {
                found.push(crate_);
            }
        }
        for (name, version) in found {
            out.push(at.clone(), Fact::Package(package(&name, &version, Placement::Built)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const SOURCE: &str = "/h/.cargo/registry/src/index.example-0a1b/arrayref-0.3.10/build.rs";

    fn read(path: &str, text: &str) -> Vec<String> {
        let (said, flaw) = said(&BuildOutput, path, text.as_bytes(), &["arrayref"]);
        assert!(flaw.is_none());
        said
    }

    #[test]
    fn what_was_compiled_says_its_version() {
        let text = format!("/p/target/debug/build/x.d: {SOURCE}\n\n{SOURCE}:\n");
        for path in [
            "p/target/debug/build/arrayref-0a1b2c3d4e5f6a7b/build_script_build-0a1b2c3d4e5f6a7b.d",
            "p/target/x86_64-unknown-linux-gnu/release/build/a-0a1b2c3d4e5f6a7b/build_script_main-0a1b2c3d4e5f6a7b.d",
            "p/target/debug/deps/arrayref-0a1b2c3d4e5f6a7b.d",
        ] {
            assert_eq!(read(path, &text), ["package arrayref 0.3.10 Built"], "{path}");
            let unit = BuildOutput.unit(&TreePath::new(path.as_bytes()).unwrap(), false).unwrap();
            assert_eq!((unit.folder.text(), unit.root.text()), ("/p/target".into(), "/p".into()), "{path}");
        }
        let windows = r"C:\p\x.d: C:\u\.cargo\registry\src\index.example-0a1b\arrayref-0.3.10\src\lib.rs";
        let path = "p/target/debug/deps/arrayref-0a1b2c3d4e5f6a7b.d";
        assert_eq!(read(path, windows), ["package arrayref 0.3.10 Built"]);
    }

    #[test]
    fn output_says_that_a_build_script_ended() {
        let path = "p/target/debug/build/ARRAY_ref-0a1b2c3d4e5f6a7b/output";
        assert_eq!(read(path, "cargo:rerun-if-changed=build.rs\n"), ["script array-ref  Succeeded"]);
        let path = "p/target/debug/build/arrayref-0a1b2c3d4e5f6a7b/invoked.timestamp";
        assert_eq!(read(path, ""), ["script arrayref  Started"]);
        for path in
            ["p/build/output", "p/target/debug/build/x/output", "p/target/debug/build/a-0a1b2c3d4e5f6a7b/out/output"]
        {
            assert_eq!(read(path, ""), [""; 0], "{path}");
        }
    }

    #[test]
    fn other_lists_of_sources_are_left_alone() {
        let path = "p/target/debug/deps/arrayref-0a1b2c3d4e5f6a7b.d";
        for text in [
            "",
            "x: /p/src/main.rs",
            "x: /p/vendor/arrayref/build.rs",
            "x: /p/arrayref-0.3.10/build.rs",
            "\u{0}\u{1b}[2J",
        ] {
            assert_eq!(read(path, text), [""; 0], "{text}");
        }
        let other = "p/target/debug/deps/libc-0a1b2c3d4e5f6a7b.d";
        assert_eq!(read(other, &format!("x: {SOURCE}")), [""; 0]);
        assert_eq!(read(path, &format!("{SOURCE} ").repeat(10_000)), ["package arrayref 0.3.10 Built"]);
    }
}
