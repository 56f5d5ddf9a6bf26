//! Ecosystems of which no incident is in the database yet: packages of an incident that is given with `--ioc`, in every place where their
//! tools leave traces. Each is found in its class; the same places with another version say nothing.

use std::collections::BTreeSet;

use crate::{
    machine::Machine,
    program::{findings, report_with},
};

/// A small home with every layout, by the version that stands in all of them.
struct Ecosystem {
    /// As `--ioc` takes it, without the version.
    known: &'static str,
    /// The version that is known, and another one.
    versions: [&'static str; 2],
    files: fn(&str) -> Vec<(String, String)>,
    /// `class name-of-the-file` of each finding; `@` stands for the version.
    expected: &'static [&'static str],
}

fn files<const N: usize>(files: [(String, String); N]) -> Vec<(String, String)> {
    files.to_vec()
}

fn nuget(v: &str) -> Vec<(String, String)> {
    let spec = format!("<package><metadata><id>Evil.Log</id><version>{v}</version></metadata></package>");
    let libraries = format!("\"libraries\": {{\"Evil.Log/{v}\": {{\"type\": \"package\", \"sha512\": \"\"}}}}");
    let packages = format!("home/ada/.nuget/packages/evil.log/{v}");
    let store = format!("home/ada/.dotnet/tools/.store/evil.log/{v}/evil.log/{v}");
    let path = format!("$(NuGetPackageRoot)evil.log/{v}/build/Evil.Log.targets");
    files([
        (
            "srv/a/packages.lock.json".into(),
            format!("{{\"dependencies\": {{\"net8.0\": {{\"Evil.Log\": {{\"resolved\": \"{v}\"}}}}}}}}"),
        ),
        ("srv/a/paket.lock".into(), format!("NUGET\n  remote: https://registry.example/\n    Evil.Log ({v})\n")),
        ("srv/a/obj/project.assets.json".into(), format!("{{\"version\": 3, {libraries}}}")),
        ("srv/a/obj/A.csproj.nuget.g.targets".into(), format!("<Project><Import Project=\"{path}\" /></Project>")),
        (
            "srv/a/A.csproj".into(),
            format!("<Project><PackageReference Include=\"Evil.Log\" Version=\"{v}\" /></Project>"),
        ),
        ("srv/a/packages.config".into(), format!("<packages><package id=\"Evil.Log\" version=\"{v}\" /></packages>")),
        (
            "srv/a/.config/dotnet-tools.json".into(),
            format!("{{\"tools\": {{\"evil.log\": {{\"version\": \"{v}\"}}}}}}"),
        ),
        ("app/A.deps.json".into(), format!("{{\"runtimeTarget\": {{}}, {libraries}}}")),
        (format!("{packages}/evil.log.nuspec"), spec.clone()),
        (format!("{store}/evil.log.nuspec"), spec),
        ("home/ada/.bash_history".into(), format!("dotnet add package Evil.Log --version {v}\n")),
    ])
}

fn hex(v: &str) -> Vec<(String, String)> {
    let metadata = format!("{{<<\"name\">>,<<\"evil_json\">>}}.\n{{<<\"version\">>,<<\"{v}\">>}}.\n");
    files([
        (
            "srv/a/mix.lock".into(),
            format!("%{{\n  \"evil_json\": {{:hex, :evil_json, \"{v}\", \"x\", [:mix], [], \"hexpm\", \"y\"}},\n}}\n"),
        ),
        ("srv/a/deps/evil_json/hex_metadata.config".into(), metadata),
        ("home/ada/.bash_history".into(), format!("mix archive.install hex evil_json {v}\n")),
    ])
}

fn dart(v: &str) -> Vec<(String, String)> {
    let entry = format!(
        "packages:\n  evil_http:\n    description: {{name: evil_http}}\n    source: hosted\n    version: \"{v}\"\n"
    );
    files([
        ("srv/a/pubspec.lock".into(), entry),
        (format!("home/ada/.pub-cache/hosted/registry.example/evil_http-{v}/pubspec.yaml"), "name: evil_http\n".into()),
        ("home/ada/.bash_history".into(), format!("dart pub add evil_http:{v}\n")),
    ])
}

fn cocoapods(v: &str) -> Vec<(String, String)> {
    let text = format!("PODS:\n  - EvilKit/Core ({v})\n\nCOCOAPODS: 1.15.2\n");
    files([("srv/a/Podfile.lock".into(), text.clone()), ("srv/a/Pods/Manifest.lock".into(), text)])
}

fn swift(v: &str) -> Vec<(String, String)> {
    let address = "https://forge.example/Evil/Kit.git";
    let pin =
        format!("{{\"pins\": [{{\"location\": \"{address}\", \"state\": {{\"version\": \"{v}\"}}}}], \"version\": 3}}");
    files([
        ("srv/a/Package.resolved".into(), pin),
        ("home/ada/.bash_history".into(), format!("swift package add-dependency {address} --exact {v}\n")),
    ])
}

fn cran(v: &str) -> Vec<(String, String)> {
    let entry = format!("{{\"Package\": \"evilplot\", \"Version\": \"{v}\", \"Source\": \"Repository\"}}");
    files([("srv/a/renv.lock".into(), format!("{{\"Packages\": {{\"evilplot\": {entry}}}}}"))])
}

fn conan(v: &str) -> Vec<(String, String)> {
    files([
        ("srv/a/conan.lock".into(), format!("{{\"version\": \"0.5\", \"requires\": [\"evilz/{v}#0%1\"]}}")),
        ("home/ada/.bash_history".into(), format!("conan install --requires=evilz/{v}\n")),
    ])
}

fn apk(v: &str) -> Vec<(String, String)> {
    files([
        ("lib/apk/db/installed".into(), format!("P:musl\nV:1.2.4-r2\n\nP:evil-tool\nV:{v}\n\n")),
        ("etc/apk/world".into(), format!("musl\nevil-tool={v}\n")),
        (format!("var/cache/apk/evil-tool-{v}.0a1b2c3d.apk"), "\u{1f}x".into()),
        ("home/ada/.bash_history".into(), format!("apk add evil-tool={v}\n")),
    ])
}

fn brew(v: &str) -> Vec<(String, String)> {
    let downloads = format!("Users/ada/Library/Caches/Homebrew/downloads/{}", "0a1b2c3d".repeat(8));
    let receipt = "{\"time\": 1722991679, \"source\": {\"tap\": \"homebrew/core\"}}";
    files([
        (format!("opt/homebrew/Cellar/evilz/{v}_1/INSTALL_RECEIPT.json"), receipt.into()),
        (format!("opt/homebrew/Caskroom/evilz/.metadata/{v}/20260331101500.123/Casks/evilz.json"), "{}".into()),
        (format!("{downloads}--evilz--{v}.arm64_sonoma.bottle.tar.gz"), "x".into()),
        ("Users/ada/.zsh_history".into(), format!("brew install evilz@{v}\n")),
    ])
}

const ALL: &[Ecosystem] = &[
    Ecosystem {
        known: "nuget:Evil.Log",
        versions: ["1.2.3", "1.2.4"],
        files: nuget,
        expected: &[
            "referenced packages.lock.json",
            "referenced paket.lock",
            "referenced project.assets.json",
            "executed A.csproj.nuget.g.targets",
            "referenced A.csproj",
            "referenced packages.config",
            "referenced dotnet-tools.json",
            "installed A.deps.json",
            "cached evil.log.nuspec",
            "installed evil.log.nuspec",
            "removed .bash_history",
        ],
    },
    Ecosystem {
        known: "hex:evil_json",
        versions: ["1.4.1", "1.4.2"],
        files: hex,
        expected: &["referenced mix.lock", "executed hex_metadata.config", "removed .bash_history"],
    },
    Ecosystem {
        known: "pub:evil_http",
        versions: ["1.1.0", "1.1.0+1"],
        files: dart,
        expected: &["referenced pubspec.lock", "cached pubspec.yaml", "removed .bash_history"],
    },
    Ecosystem {
        known: "cocoapods:EvilKit",
        versions: ["5.4.3", "5.4.30"],
        files: cocoapods,
        expected: &["referenced Podfile.lock", "referenced Manifest.lock"],
    },
    Ecosystem {
        known: "swift:forge.example/evil/kit",
        versions: ["1.2.3", "1.2.30"],
        files: swift,
        expected: &["referenced Package.resolved", "referenced .bash_history"],
    },
    Ecosystem { known: "cran:evilplot", versions: ["1.0-1", "1.0"], files: cran, expected: &["referenced renv.lock"] },
    Ecosystem {
        known: "conan:evilz",
        versions: ["1.2.13", "1.2.12"],
        files: conan,
        expected: &["referenced conan.lock", "removed .bash_history"],
    },
    Ecosystem {
        known: "apk:evil-tool",
        versions: ["5.6.1-r0", "5.6.1-r1"],
        files: apk,
        expected: &[
            "executed installed",
            "referenced world",
            "cached evil-tool-@.0a1b2c3d.apk",
            "removed .bash_history",
        ],
    },
    Ecosystem {
        known: "brew:evilz",
        versions: ["5.6.1", "5.6.10"],
        files: brew,
        expected: &[
            "executed INSTALL_RECEIPT.json",
            "executed evilz.json",
            "cached 0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d--evilz--@.arm64_sonoma.bottle.tar.gz",
            "removed .zsh_history",
        ],
    },
];

/// `class name-of-the-file` of each finding.
fn said(files: Vec<(String, String)>, known: &str) -> BTreeSet<String> {
    let machine = files.into_iter().fold(Machine::new(), |machine, (path, text)| machine.file(&path, text));
    let (report, _) = report_with(machine.root(), &["--ioc", known]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    let of = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let path = words[2].trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
        format!("{} {}", words[0].split('/').next().unwrap(), path.rsplit('/').next().unwrap())
    };
    findings(&report).into_iter().map(of).collect()
}

#[test]
fn every_package_is_found_where_its_tools_leave_it() {
    for Ecosystem { known, versions: [bad, good], files, expected } in ALL {
        let expected: BTreeSet<String> = expected.iter().map(|line| line.replace('@', bad)).collect();
        assert_eq!(said(files(bad), &format!("{known}@{bad}")), expected, "{known}");
        assert_eq!(said(files(good), &format!("{known}@{bad}")), BTreeSet::new(), "{known}");
    }
}
