//! Commands of smaller registries that name packages: `dart pub add http:1.1.0`, `flutter pub global activate x 1.2.3`, `mix archive.install hex x 1.2.3`,
//! `swift package add-dependency https://… --exact 1.2.3`, `conan install --requires=zlib/1.2.13`. Documented in the manual of each tool.

use super::{
    args::{Long, Options, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{is_version, normal_name, swift::repository},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Resolve, Uninstall};

static VALUED: &str = "version exact from branch revision type hosted-url git-url git-path git-ref path requires tool-requires build profile remote \
                       output-folder directory dependency-type organization repo";
const ANY: Options = Options { short: "CorpsgbD", long: Long::Valued(&[VALUED]) };

/// What the words of these tools do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    let program = base_name(first);
    let program = program.strip_suffix(".bat").unwrap_or(program);
    let find = match program {
        "dart" | "flutter" => pub_,
        "mix" => mix,
        "swift" => swift,
        "conan" => conan,
        _ => return None,
    };
    let parsed = ANY.all(rest);
    let plain: Vec<&str> = parsed.plain.clone();
    let option = |name: &str| parsed.values(&[name]).next();
    Some((find(&plain, &option), None))
}

type Value<'v, 'w> = dyn Fn(&str) -> Option<&'w str> + 'v;

fn one(ecosystem: Ecosystem, name: &str, asked: &str) -> Option<Wanted> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-/~".contains(&b);
    if name.is_empty() || name.len() > 300 || name.starts_with(['.', '-', '/']) || !name.bytes().all(plain) {
        return None;
    }
    let asked = asked.trim();
    let pinned = is_version(ecosystem, asked).then(|| asked.into());
    let bound = |c: char| c.is_ascii_digit() || ".^~<>=! ".contains(c);
    let is_range = asked.len() <= 100 && asked.contains(|c: char| c.is_ascii_digit()) && asked.chars().all(bound);
    let specifier = match asked {
        asked if asked.starts_with('$') => Wanted::UNSAID,
        asked if pinned.is_none() && is_range => asked,
        _ => "",
    };
    Some(Wanted { ecosystem, name: normal_name(ecosystem, name), pinned, specifier: specifier.into() })
}

fn of(tool: &str, action: CommandAction, wanted: Vec<Wanted>) -> Option<Command> {
    (!wanted.is_empty()).then(|| Command::for_packages(tool, action, wanted))
}

fn pub_(words: &[&str], option: &Value<'_, '_>) -> Option<Command> {
    if ["git-url", "path", "hosted-url"].iter().any(|name| option(name).is_some()) {
        return None;
    }
    let (action, names) = match words {
        ["pub", "add", names @ ..] if option("dry-run").is_some() => (Resolve, names),
        ["pub", "add" | "upgrade", names @ ..] => (Install, names),
        ["pub", "remove", names @ ..] | ["pub", "global", "deactivate", names @ ..] => (Uninstall, names),
        ["pub", "global", "activate", name, rest @ ..] | ["install", name, rest @ ..] => {
            let asked = rest.first().copied().unwrap_or_default();
            return of("pub", Install, one(Ecosystem::Pub, name, asked).into_iter().collect());
        }
        ["pub", "cache", "add", name, ..] => {
            let asked = option("version").unwrap_or_default();
            return of("pub", Download, one(Ecosystem::Pub, name, asked).into_iter().collect());
        }
        _ => return None,
    };
    let each = |word: &&str| {
        let word = word.strip_prefix("dev:").or_else(|| word.strip_prefix("override:")).unwrap_or(word);
        let (name, asked) = word.split_once(':').unwrap_or((word, ""));
        one(Ecosystem::Pub, name, asked)
    };
    of("pub", action, names.iter().filter_map(each).collect())
}

fn mix(words: &[&str], _: &Value<'_, '_>) -> Option<Command> {
    match words {
        ["archive.install" | "escript.install", "hex", name, rest @ ..] => {
            let asked = rest.first().copied().unwrap_or_default();
            of("mix", Install, one(Ecosystem::Hex, name, asked).into_iter().collect())
        }
        ["hex.package", "fetch", name, rest @ ..] => {
            let asked = rest.first().copied().unwrap_or_default();
            of("mix", Download, one(Ecosystem::Hex, name, asked).into_iter().collect())
        }
        ["deps.update", names @ ..] => {
            of("mix", Install, names.iter().filter_map(|name| one(Ecosystem::Hex, name, "")).collect())
        }
        _ => None,
    }
}

fn swift(words: &[&str], option: &Value<'_, '_>) -> Option<Command> {
    let ["package", "add-dependency", address, ..] = words else {
        return None;
    };
    let name = repository(address)?;
    of("swift", Resolve, one(Ecosystem::Swift, &name, option("exact").unwrap_or_default()).into_iter().collect())
}

fn conan(words: &[&str], option: &Value<'_, '_>) -> Option<Command> {
    let (action, named) = match words {
        ["install", rest @ ..] => (Install, rest.first().copied()),
        ["download", rest @ ..] => (Download, rest.first().copied()),
        _ => return None,
    };
    let asked = [option("requires"), option("tool-requires"), named];
    let each = |reference: &str| {
        // Somebody's own has a user and a channel.
        let reference = reference.split('#').next().filter(|r| !r.trim_end_matches('@').contains('@'))?;
        let (name, version) = reference.trim_end_matches('@').split_once('/')?;
        is_version(Ecosystem::Conan, version).then(|| one(Ecosystem::Conan, name, version))?
    };
    of("conan", action, asked.into_iter().flatten().filter_map(each).collect())
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn packages_that_are_asked_for() {
        for (text, is) in [
            ("dart pub add http:1.1.0 dev:lints:^2.0.0", "install http@1.1.0 lints@^2.0.0"),
            ("flutter pub add http", "install http@"),
            ("dart pub global activate melos 3.0.0", "install melos@3.0.0"),
            ("dart pub cache add http --version 1.1.0", "download http@1.1.0"),
            ("dart pub remove http", "uninstall http@"),
            ("mix archive.install hex phx_new 1.7.0 --force", "install phx_new@1.7.0"),
            ("mix deps.update jason", "install jason@"),
            (
                "swift package add-dependency https://forge.example/A/B.git --exact 1.2.3",
                "resolve forge.example/a/b@1.2.3",
            ),
            ("conan install --requires=zlib/1.2.13 --build=missing", "install zlib@1.2.13"),
            ("conan download zlib/1.2.13 -r x", "download zlib@1.2.13"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "dart run http",
            "dart pub get",
            "flutter pub add x --path ../x",
            "mix deps.get",
            "mix archive.install github a/b",
            "swift build",
            "swift package add-dependency ../b",
            "conan install .",
            "conan install zlib/1.2.13@me/stable",
            "echo dart pub add http",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
        let shown =
            format!("{:?}", install_commands("dart pub add 'http:hunter2' ; mix archive.install hex 'x y' 'hunter2'"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
