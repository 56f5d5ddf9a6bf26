use super::*;

/// `a < b`, `a = b` or `a ? b` a line, as the ecosystem's own tool answered.
fn ordered(ecosystem: Ecosystem, table: &str) {
    for line in table.split(['\n', ';']).map(str::trim).filter(|l| !l.is_empty()) {
        let [a, sign, b] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let order = match sign {
            "<" => Some(Ordering::Less),
            "=" => Some(Ordering::Equal),
            _ => None,
        };
        assert_eq!(super::order(ecosystem, a, b), order, "{line}");
        assert_eq!(super::order(ecosystem, b, a), order.map(Ordering::reverse), "{line}, the other way");
    }
}

/// Versions that were found, and whether each is the known one.
fn same(ecosystem: Ecosystem, known: &str, yes: &[&str], no: &[&str]) {
    for found in yes {
        assert!(same_version(ecosystem, known, found), "{known} is {found}");
    }
    for found in no {
        assert!(!same_version(ecosystem, known, found), "{known} is not {found}");
    }
}

fn names(ecosystem: Ecosystem, name: &str, yes: &[&str], no: &[&str]) {
    for other in yes {
        assert_eq!(normal_name(ecosystem, other), normal_name(ecosystem, name), "{other} is {name}");
    }
    for other in no {
        assert_ne!(normal_name(ecosystem, other), normal_name(ecosystem, name), "{other} is not {name}");
    }
}

#[test]
fn names_are_those_of_their_ecosystem_and_look_alikes_are_not() {
    names(Ecosystem::Pypi, "litellm", &["LiteLLM", " litellm"], &["litellm-proxy", "lite-llm", "litellm2", "litell"]);
    names(Ecosystem::Pypi, "a.b", &["a-b", "A_b", "a--b"], &["ab", "a.b.c"]);
    names(Ecosystem::Npm, "@a/b", &["@a%2fb", "%40a/b"], &["a-b", "a/b", "@a/B", "@a/b-c", "b"]);
    names(Ecosystem::Cargo, "async_println", &["async-println", "Async_Println"], &["asyncprintln", "async-printl"]);
    let go = "github.com/BurntSushi/toml";
    names(
        Ecosystem::Golang,
        go,
        &["github.com/!burnt!sushi/toml"],
        &["github.com/burntsushi/toml", "github.com/BurntSushi/toml/v2", "github.com/BurntSushi/toml-test"],
    );
    names(Ecosystem::Gem, "Dendreo", &[], &["dendreo", "Dendreo-rails"]);
    names(Ecosystem::Maven, "org.a:b", &["org.a/b"], &["org.a:B", "org:a.b", "org.a:b-c"]);
    names(Ecosystem::Nuget, "Newtonsoft.Json", &["newtonsoft.json"], &["newtonsoft-json"]);
    names(Ecosystem::Composer, "laravel-lang/lang", &["Laravel-Lang/Lang"], &["laravel/lang", "laravel-lang/lang-x"]);
    names(Ecosystem::Openvsx, "Pub.Name", &["pub.name", "Pub/Name"], &["pub.name-x", "pub-name"]);
    names(Ecosystem::Deb, "liblzma5", &["liblzma5:amd64"], &["liblzma", "liblzma5-dev"]);
    names(Ecosystem::Rpm, "xz-libs", &["xz-libs.x86_64"], &["xz", "xz-libs.foo"]);
    names(Ecosystem::Rpm, "python3.11", &["python3.11.noarch"], &["python3"]);
    names(Ecosystem::Cocoapods, "Firebase", &["Firebase/Core"], &["firebase", "FirebaseCore"]);
    let swift = &["https://forge.example/A/B.git", "git@forge.example:a/b", "ssh://git@forge.example/a/b/"];
    names(Ecosystem::Swift, "forge.example/a/b", swift, &["forge.example/a/b-c", "other.example/a/b", "b"]);
    names(Ecosystem::Cran, "ggplot2", &[], &["GGplot2", "ggplot"]);
    names(Ecosystem::Brew, "xz", &["homebrew/core/xz", "XZ"], &["a/tap/xz", "xz@5"]);
    names(Ecosystem::Oci, "nginx", &["docker.io/library/nginx", "library/nginx"], &["x/nginx", "nginx.example/nginx"]);
}

#[test]
fn python_versions() {
    let table =
        "1.0.dev1 < 1.0a1; 1.0a1 < 1.0rc1; 1.0rc1 < 1.0; 1.0 < 1.0.post1; 1.0 = 1.0.0; 1.0 = v1.0; 1.0-1 = 1.0.post1
        2026.1 < 1!0.1; 1.0 < 1.0+cu117; 1.0+abc < 1.0+1; 1.0c1 = 1.0rc1; 1.0 ? one";
    ordered(Ecosystem::Pypi, table);
    let known = "2.0.0";
    same(Ecosystem::Pypi, known, &["2.0", "v2.0.0", "2.0.0+cu117", " 2.0.0 "], &["2.0.0.post1", "2.0.0rc1", "1!2.0.0"]);
    same(Ecosystem::Pypi, "2.0.0+a", &["2.0.0+a", "2.0+A"], &["2.0.0", "2.0.0+b"]);
    same(Ecosystem::Pypi, "0.1.2-1", &["0.1.2.post1"], &["0.1.2"]);
    same(Ecosystem::Pypi, "latest-x", &["latest-x"], &["latest"]);
}

#[test]
fn npm_versions() {
    let table = "1.0.0-alpha < 1.0.0-alpha.1; 1.0.0-alpha.1 < 1.0.0-alpha.beta; 1.0.0-beta.2 < 1.0.0-beta.11
        1.0.0-RC1 < 1.0.0-alpha; 1.0.0-rc.1 < 1.0.0; v1.0.0 = 1.0.0; =1.0.0 = 1.0.0+build; 1.2.9 < 1.2.10; 1.0 ? 1.0.0";
    ordered(Ecosystem::Npm, table);
    same(Ecosystem::Npm, "1.0.0", &["v1.0.0", "=1.0.0", "1.0.0+x"], &["1.0.0-0", "1.0.01", "1.0", "11.0.0"]);
    same(Ecosystem::Npm, "4.0.0-rc24-2773-beta.4", &["4.0.0-rc24-2773-beta.4"], &["4.0.0-rc24-2773-beta.5", "4.0.0"]);
    assert!(is_version(Ecosystem::Npm, "1.0.1637-dev") && !is_version(Ecosystem::Npm, "v1.0.0"));
}

#[test]
fn crate_versions() {
    ordered(Ecosystem::Cargo, "0.3.9 < 0.3.10; 1.0.0-rc.1 < 1.0.0; 1.0.0+a = 1.0.0+b; 1 ? 1.0.0");
    same(Ecosystem::Cargo, "0.1.9", &["0.1.9", "v0.1.9", "0.1.9+spec-1"], &["0.1.90", "0.1.9-pre", "0.1"]);
}

#[test]
fn go_versions() {
    let table = "v0.0.0-20260101120000-abcdefabcdef < v0.0.0-20260201120000-000000000000; v1.2 = v1.2.0; 1.2.0 = v1.2.0
        v2.0.0+incompatible = v2.0.0; v1.0.0-0.20260101120000-abcdefabcdef < v1.0.0; v1.0.0-pre.2 < v1.0.0-pre.10
        v1.02.0 ? v1.2.0; v1.2-pre ? v1.2.0";
    ordered(Ecosystem::Golang, table);
    same(Ecosystem::Golang, "v0.4.10", &["0.4.10", "v0.4.10+incompatible"], &["v0.4.1", "v0.4.10-pre", "v0.4.100"]);
    same(Ecosystem::Golang, "v1.0.0-RC1", &["v1.0.0-!r!c1"], &["v1.0.0-rc1"]);
    let pseudo = "v0.0.0-20260805040439-27421527967b";
    let commit = "27421527967b00112233445566778899aabbccdd";
    same(
        Ecosystem::Golang,
        pseudo,
        &[pseudo, "27421527967b", commit, "2742152"],
        &["v0.0.0-20260805040440-27421527967b", "27421527967c", "274215", "v0.0.0"],
    );
    same(Ecosystem::Golang, commit, &[pseudo], &["v0.0.0-20260805040439-17421527967b", "v1.0.0"]);
}

#[test]
fn ruby_versions() {
    let table = "1.0.a < 1.0; 1.0.a.2 < 1.0.b1; 1.0 = 1.0.0; 1.0.0-rc1 = 1.0.0.pre.rc1; 1.0.rc1 = 1.0.rc.1; 1.9 < 1.10
        1.0.pre < 1.0.rc; 1.0.a.10 = 1.0.a10; 1.0.99 < 1.0.20260101120000; 1.0-x86_64-linux = 1.0; a.1 ? 1.0";
    ordered(Ecosystem::Gem, table);
    same(
        Ecosystem::Gem,
        "1.15.0",
        &["1.15", "1.15.0-x86_64-linux-gnu", "1.15.0-java", "1.15.0-ruby"],
        &["1.15.0.rc1", "1.15.0-rc1", "1.15.1"],
    );
    same(Ecosystem::Gem, "1.15.0-java", &["1.15.0-java"], &["1.15.0", "1.15.0-arm64-darwin"]);
}

#[test]
fn maven_versions() {
    let table =
        "1.0-alpha-1 < 1.0-beta-1; 1.0-rc1 < 1.0-SNAPSHOT; 1.0-SNAPSHOT < 1.0; 1.0 = 1.0.0; 1.0 = 1-ga; 1.0.Final = 1
        1.0 < 1.0-sp; 1.0-sp < 1.0-foo; 1.0-foo < 1.0-1; 1.0-1 < 1.0.1; 1.0a1 = 1.0-alpha-1; 1.0a < 1.0b
        1.0-cr2 = 1.0-rc2; 2.9.9 < 2.9.10; 1.x < 1.1; 1-0.1 < 1-1; 32.0-android < 32.0-jre";
    ordered(Ecosystem::Maven, table);
    same(Ecosystem::Maven, "1.0", &["1.0"], &["1.0.0", "1", "1.0-SNAPSHOT", "1.0.Final"]);
    same(Ecosystem::Maven, "1.0-SNAPSHOT", &["1.0-20260101.120000-1"], &["1.0", "1.0-2026", "1.0-20260101.120000-x"]);
}

#[test]
fn nuget_versions() {
    let table = "1.0.0-BETA = 1.0.0-beta; 1.0 = 1.0.0.0; 1.01.1 = 1.1.1; 1.0.7+r3456 = 1.0.7; 1.0.0 < 1.0.0.1
        1.0.0-a.2 < 1.0.0-a.10; 1.0.0-2 < 1.0.0-a; 1.0.0-rc < 1.0.0; 1.0.0.0.0 ? 1.0";
    ordered(Ecosystem::Nuget, table);
    same(Ecosystem::Nuget, "1.2.0", &["1.2", "1.2.0.0", "01.2.0", "1.2.0+x"], &["1.2.0.1", "1.20", "1.2.0-a"]);
}

#[test]
fn composer_versions() {
    let table =
        "1.0-dev < 1.0-alpha1; 1.0a1 = 1.0.0-alpha.1; 1.0-b2 < 1.0.RC1; 1.0RC1 < 1.0; v1.0 = 1.0.0.0; 1.0 < 1.0-p1
        1.0-stable = 1.0+meta; 1.0.9 < 1.0.10; 1.9 < 1.x-dev; 1.x-dev < 2.0-alpha; dev-main = dev-main#abcdef
        dev-main ? dev-other; dev-main ? 1.0; 2010-01-02 < 2010-01-03; 1.0-foo ? 1.0";
    ordered(Ecosystem::Composer, table);
    same(Ecosystem::Composer, "v1.0.1", &["1.0.1", "V1.0.1", "1.0.1.0"], &["1.0.10", "1.0.1-p1", "dev-1.0.1"]);
    same(Ecosystem::Composer, "dev-main", &["dev-main#0123456"], &["dev-mainline", "main", "1.0"]);
}

#[test]
fn extension_versions() {
    ordered(
        Ecosystem::Vscode,
        "1.8.9 < 1.8.10; 0.10.0-alpha.2 < 0.10.0; 1.0.0-linux-x64 = 1.0.0; 1.0.0@win32-arm64 = 1.0.0",
    );
    same(
        Ecosystem::Openvsx,
        "1.8.12",
        &["1.8.12-linux-x64", "1.8.12@darwin-arm64", "v1.8.12"],
        &["1.8.12-rc", "1.8.1"],
    );
    same(Ecosystem::Vscode, "1.0.0-linux-x64", &["1.0.0@linux-x64"], &["1.0.0", "1.0.0-linux-arm64"]);
}

#[test]
fn versions_of_plug_ins_and_of_extensions_of_browsers() {
    ordered(Ecosystem::Chrome, "1.8.9 < 1.8.10; 1.0 = 1.0.0; 1.0.0.1 < 1.0.1; 2024.1 ? 1.0b");
    same(Ecosystem::Chrome, "1.2", &["1.2.0", "1.2.0.0"], &["1.2.1", "1.20", "1.2_0"]);
    same(Ecosystem::Firefox, "1.2b1", &["1.2b1"], &["1.2b10", "1.2"]);
    same(Ecosystem::Jetbrains, "2.5.1-241", &["2.5.1-241"], &["2.5.1", "2.5.1-242", "2.5.10-241"]);
    names(Ecosystem::Firefox, "Tool@Acme.Example", &["tool@acme.example"], &["tool@acme.example.x"]);
    names(Ecosystem::Jetbrains, "com.Acme.tool", &["COM.acme.tool"], &["com.acme", "com.acme.tool2"]);
}

#[test]
fn debian_versions() {
    let table =
        "1.0~rc1 < 1.0; 1.0~~ < 1.0~; 1.0 < 1.0+dfsg; 1.0 < 1.0a; 1.0a < 1.0+; 9.0 < 1:0.1; 1.0-0 = 1.0; 0:1.0 = 1.0
        5.6.1-1 < 5.6.1+really5.4.5-1; 5.5.1alpha-0.1 < 5.6.0-0.1; 1.0-1~bpo12+1 < 1.0-1; 1.09 = 1.9; 1.0_1 ? 1.0";
    ordered(Ecosystem::Deb, table);
    let no = ["5.6.1-1ubuntu1", "5.6.1-10", "1:5.6.1-1", "5.6.1+really5.4.5-1"];
    same(Ecosystem::Deb, "5.6.1-1", &["0:5.6.1-1", "0%3a5.6.1-1", "5.6.1-1+b1"], &no);
}

#[test]
fn rpm_versions() {
    let table = "1.0~rc1-1 < 1.0-1; 1.0-1 < 1.0^git1-1; 1.0^git1-1 < 1.0.1-1; 1.0a-1 < 1.0.1-1; 9-1 < 1:0-1; 1.0-9 < 1.0-10
        1.0-1.fc40 < 1.0-1.fc41; 1.0_1-1 = 1.0.1-1; 0:1.0-1 = 1.0-1; (none):1.0-1 = 1.0-1; 1.0-1.fc40.x86_64 = 1.0-1.fc40";
    ordered(Ecosystem::Rpm, table);
    let no = ["5.6.0-1.fc40.1", "5.6.0-2.fc40", "1:5.6.0-1.fc40", "5.6.0-1"];
    same(Ecosystem::Rpm, "5.6.0-1.fc40", &["0:5.6.0-1.fc40", "5.6.0-1.fc40.aarch64"], &no);
    same(Ecosystem::Rpm, "5.6.0", &["5.6.0-1.fc40", "5.6.0"], &["5.6.01-1", "5.6.0~rc1-1", "1:5.6.0-1"]);
}

#[test]
fn aur_versions() {
    // The first line is the manual of `vercmp`, the others follow from its code.
    let table = "1.0a < 1.0b; 1.0b < 1.0beta; 1.0beta < 1.0p; 1.0p < 1.0pre; 1.0pre < 1.0rc; 1.0rc < 1.0; 1.0 < 1.0.a; 1.0.a < 1.0.1
        1 < 1.0; 1.0 < 1.1; 1.1 < 1.1.1; 1.1.1 < 1.2; 1.2 < 2.0; 2.0 < 3.0.0; 1.09 = 1.9; 1.9 < 1.10; 9-1 < 1:0-1; 0:1.0-1 = 1.0-1
        1.0-1 < 1.0-2; 1.0-9 < 1.0-10; 1.0-1.1 < 1.0-2; r12.abc < r13.aaa; 1.0_1 = 1.0.1; 1.0.1 < 1.0..1; 1.0-1 ? x:1-1";
    ordered(Ecosystem::Aur, table);
    same(Ecosystem::Aur, "1.0-1", &["0:1.0-1", "1.0-1-x86_64", "1.0-1-any"], &["1.0-2", "1:1.0-1", "1.0", "1.0.0-1"]);
    same(Ecosystem::Aur, "1.0", &["1.0-1", "1.0-2-any", "1.0"], &["1:1.0-1", "1.0.0-1", "1.0a-1"]);
    names(Ecosystem::Aur, "alvr", &["ALVR", "aur/alvr"], &["alvr-git", "alvr-bin", "extra/alvr"]);
    let file = "alvr-git-1:20.1.r3-2-x86_64.pkg.tar.zst";
    assert_eq!(aur::split(file), Some(("alvr-git", "1:20.1.r3-2")));
    assert_eq!(aur::split("x-1.0-1-any.pkg.tar.xz.sig"), Some(("x", "1.0-1")));
    for no in ["alvr", "alvr-git", "x-1.0-any.pkg.tar.zst", "-1.0-1-any.pkg.tar.zst", ".pkg.tar.zst", "x-1.0-1.tar.gz"]
    {
        assert_eq!(aur::split(no), None, "{no}");
    }
}

#[test]
fn versions_of_smaller_registries() {
    ordered(Ecosystem::Hex, "1.0.0-rc.1 < 1.0.0; 1.0.0+a = 1.0.0+b; 1.9.0 < 1.10.0; 1.0.0- ? 1.0.0; x ? 1.0.0");
    ordered(Ecosystem::Pub, "1.0.0-dev.2 < 1.0.0; 1.0.0 < 1.0.0+1; 1.0.0+1 < 1.0.0+2; 1.0.0+2 < 1.0.1");
    same(Ecosystem::Pub, "1.0.0+1", &["1.0.0+1"], &["1.0.0", "1.0.0+2"]);
    same(Ecosystem::Cocoapods, "1.2", &["1.2.0"], &["1.2.1", "1.2-beta"]);
    same(Ecosystem::Swift, "v1.2.0", &["1.2.0", "1.2"], &["1.2.0-beta.1", "1.20.0"]);
    ordered(Ecosystem::Cran, "1.0 < 1.0.0; 1.0-1 = 1.0.1; 1.9 < 1.10; 1.0a ? 1.0");
    same(Ecosystem::Conan, "1.2.13", &["1.2.13"], &["1.2.13-rc1", "1.2.130"]);
    ordered(Ecosystem::Brew, "1.0 < 1.0_1; 1.0_1 < 1.0_2; 1.0_9 < 1.0_10; 1.0_2 < 1.1; r1 ? 1.0");
    same(Ecosystem::Brew, "5.6.1", &["5.6.1_1", "5.6.1"], &["5.6.10", "5.6.1_x", "5.6"]);
    same(Ecosystem::Brew, "5.6.1_1", &["5.6.1_1"], &["5.6.1", "5.6.1_2"]);
}

#[test]
fn alpine_versions() {
    let table = "1.0_alpha1 < 1.0_alpha2; 1.0_alpha2 < 1.0_beta; 1.0_rc1 < 1.0; 1.0 < 1.0_git20200101; 1.0_git1 < 1.0_p1; 1.0 < 1.0a
        1.0a < 1.0b; 1.0 < 1.0.0; 1.9 < 1.10; 1.0-r0 < 1.0-r1; 1.0-r9 < 1.0-r10; 1.0 = 1.0-r0; 1.0-x ? 1.0; 1.0_foo ? 1.0";
    ordered(Ecosystem::Apk, table);
    same(Ecosystem::Apk, "5.6.1", &["5.6.1-r0", "5.6.1-r3"], &["5.6.1.0-r0", "5.6.10-r0", "5.6.1_rc1-r0"]);
    same(Ecosystem::Apk, "5.6.1-r1", &["5.6.1-r1", "5.6.1-r01"], &["5.6.1-r2", "5.6.1"]);
}

#[test]
fn generic_versions() {
    ordered(Ecosystem::Generic, "18.11.1213 < 18.12.402; v0.69.4 = 0.69.4; 1.0-rc1 < 1.0; stable ? 1.0");
    same(Ecosystem::Generic, "v0.69.4", &["0.69.4"], &["0.69.40", "0.69.4.0", "v0.69"]);
    same(Ecosystem::Generic, "vnext", &["vnext"], &["next"]);
}

#[test]
fn ranges_use_the_order_of_their_ecosystem() {
    let within = |e, range: &str, yes: &[&str], no: &[&str]| {
        yes.iter().for_each(|v| assert!(fits(e, range, v), "{v} in {range}"));
        no.iter().for_each(|v| assert!(!fits(e, range, v), "{v} not in {range}"));
    };
    within(Ecosystem::Pypi, ">=1.2,<1.4", &["1.2", "1.3.9.post1", "1.4rc1"], &["1.4", "1.4+cu117", "1.2rc1", "x"]);
    within(Ecosystem::Pypi, "<= 1.4", &["1.4+cu117"], &["1.4.post1"]);
    within(Ecosystem::Npm, ">=1.2.9 , <1.2.11", &["1.2.10", "v1.2.9"], &["1.2.9-beta", "1.2.11", "latest"]);
    within(Ecosystem::Deb, ">=5.6.0,<=5.6.1-1", &["5.6.0-0.1", "5.6.1-1+b1"], &["5.6.1+really5.4.5-1", "5.4.5-0.3"]);
    within(Ecosystem::Maven, ">1.0,<2", &["1.0-sp", "2-SNAPSHOT"], &["1.0.0", "2.0"]);
    within(Ecosystem::Npm, "*", &["anything"], &[]);
    within(Ecosystem::Oci, ">1", &[], &["2"]);
    assert!(is_pattern(Ecosystem::Gem, ">= 1.0, < 2") && is_pattern(Ecosystem::Gem, "*"));
    for broken in ["", ">=", ">=1.0 <2", "=>1", "~>1.0", ">=x"] {
        assert!(!is_pattern(Ecosystem::Npm, broken), "{broken}");
    }
}

#[test]
fn what_was_asked_for_admits_what_its_tool_would_take() {
    let cases = [
        (Ecosystem::Pypi, ">=1.80,!=1.82.7", "1.82.8", "1.82.7"),
        (Ecosystem::Npm, "^1.2.0", "1.9.9", "2.0.0"),
        (Ecosystem::Npm, "~1.2.3 || 3.x", "3.1.0", "1.3.0"),
        (Ecosystem::Npm, "^1.0.0", "1.0.1", "1.1.0-beta"),
        (Ecosystem::Npm, "1.2.3", "1.2.3", "1.2.4"),
        (Ecosystem::Cargo, "0.3", "0.3.10", "0.4.0"),
        (Ecosystem::Golang, "v1.2", "v1.2.9", "v1.20.0"),
        (Ecosystem::Gem, "~> 1.2, != 1.2.4", "1.9", "2.0"),
        (Ecosystem::Gem, "~> 1.2.0", "1.2.9", "1.3"),
        (Ecosystem::Maven, "[1.0,2.0),[3.0]", "3.0", "2.0"),
        (Ecosystem::Nuget, "1.0", "1.5", "0.9"),
        (Ecosystem::Nuget, "1.*", "1.5", "2.0"),
        (Ecosystem::Composer, "v1.0.1", "1.0.1", "1.0.2"),
        (Ecosystem::Deb, "=5.6.1-1", "5.6.1-1", "5.6.2-1"),
        (Ecosystem::Aur, "=1.0", "1.0-3", "1.1-1"),
        (Ecosystem::Hex, "~> 1.2", "1.9.0", "2.0.0"),
        (Ecosystem::Hex, "== 1.2.0", "1.2.0", "1.2.1"),
        (Ecosystem::Pub, "^1.2.0", "1.9.0", "2.0.0"),
        (Ecosystem::Pub, ">=1.0.0 <2.0.0", "1.9.0", "2.0.0"),
        (Ecosystem::Cocoapods, "~> 1.2.0", "1.2.9", "1.3.0"),
        (Ecosystem::Swift, "1.2.0", "1.2.0", "1.2.1"),
        (Ecosystem::Cran, "1.0-1", "1.0.1", "1.0"),
        (Ecosystem::Apk, "=1.0-r0", "1.0-r0", "1.0-r1"),
        (Ecosystem::Apk, ">1.0", "1.1-r0", "1.0-r0"),
        (Ecosystem::Brew, "1.0", "1.0_1", "1.1"),
    ];
    for (ecosystem, specifier, yes, no) in cases {
        assert!(admits(ecosystem, specifier, yes), "{specifier} admits {yes}");
        assert!(!admits(ecosystem, specifier, no), "{specifier} does not admit {no}");
    }
    for open in ["latest", "", "git+ssh://x", "^1 what"] {
        assert!(admits(Ecosystem::Npm, open, "1.0.0"), "{open}");
    }
}

#[test]
fn hostile_texts_are_compared_without_harm() {
    let long =
        ["1".repeat(100_000), "-".repeat(100_000), "1.".repeat(50_000), "a1".repeat(50_000), "~".repeat(100_000)];
    let odd =
        ["", ".", "-", ":", "é1", "1é", "1.0\u{202e}", "v", "==", "@", "*", "%3a", "!", "x", "1-", "+", "[", "~>"];
    let texts: Vec<&str> = odd.into_iter().chain(long.iter().map(String::as_str)).collect();
    for ecosystem in Ecosystem::ALL {
        for a in &texts {
            normal_name(ecosystem, a);
            is_version(ecosystem, a);
            is_pattern(ecosystem, a);
            for b in ["1.0.0", "1.0-1", a] {
                assert!(same_version(ecosystem, a, a));
                same_version(ecosystem, a, b);
                admits(ecosystem, a, b);
                assert_eq!(order(ecosystem, a, b), order(ecosystem, b, a).map(Ordering::reverse), "{ecosystem:?}");
            }
        }
    }
}
