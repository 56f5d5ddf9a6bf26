//! What each ecosystem allows as the name of a package.

use crate::{ecosystem::pypi, fact::Ecosystem};

/// What a name of the ecosystem looks like, where this text is none.
pub fn fault(ecosystem: Ecosystem, name: &str) -> Option<&'static str> {
    let (good, form) = match ecosystem {
        Ecosystem::Pypi => (pypi::is_name(name), "letters, digits, `-`, `_`, `.`, between letters or digits"),
        Ecosystem::Npm => (is_npm(name), "`name` or `@scope/name`"),
        Ecosystem::Cargo => (
            name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_made_of(name, "-_"),
            "letters, digits, `-`, `_`, after a letter",
        ),
        Ecosystem::Golang => (is_go(name), "a module's path, as `forge.example/owner/name`"),
        Ecosystem::Gem => (is_made_of(name, "-_."), "letters, digits, `-`, `_`, `.`"),
        Ecosystem::Maven => (
            name.split_once(':')
                .is_some_and(|(group, artifact)| is_made_of(group, "-_.") && is_made_of(artifact, "-_.")),
            "`group:artifact`",
        ),
        Ecosystem::Nuget => (name.len() <= 100 && is_made_of(name, "-_."), "letters, digits, `-`, `_`, `.`"),
        Ecosystem::Composer => (
            name.split_once('/').is_some_and(|(vendor, package)| {
                is_made_of(vendor, "-_.") && is_made_of(package, "-_.") && !name.contains(char::is_uppercase)
            }),
            "`vendor/package`, lower case",
        ),
        Ecosystem::Vscode | Ecosystem::Openvsx => {
            (name.split_once('.').is_some_and(|(p, n)| is_made_of(p, "-_") && is_made_of(n, "-_.")), "`publisher.name`")
        }
        Ecosystem::Jetbrains => (crate::ecosystem::jetbrains::is_id(name), "the id in `plugin.xml`"),
        Ecosystem::Chrome => (crate::ecosystem::browser::is_chrome_id(name.as_bytes()), "32 letters from `a` to `p`"),
        Ecosystem::Firefox => (crate::ecosystem::browser::is_firefox_id(name), "`name@place` or a UUID in braces"),
        Ecosystem::Oci => (
            name.split('/').all(|part| is_made_of(part.split(':').next().unwrap_or_default(), "-_."))
                && !name.rsplit('/').next().unwrap_or_default().contains(':'),
            "a repository without tag and digest",
        ),
        Ecosystem::Deb => (
            name.len() >= 2 && is_made_of(name, "-+.") && !name.contains(char::is_uppercase),
            "lower-case letters, digits, `+`, `-`, `.`",
        ),
        Ecosystem::Rpm => (is_made_of(name, "-+._"), "letters, digits, `+`, `-`, `.`, `_`"),
        Ecosystem::Aur => (
            is_made_of(name, "@._+-") && !name.starts_with(['-', '.']) && !name.contains(char::is_uppercase),
            "lower-case letters, digits, `@`, `.`, `_`, `+`, `-`, not after `-` or `.`",
        ),
        Ecosystem::Hex | Ecosystem::Pub => {
            (is_made_of(name, "_") && !name.contains(char::is_uppercase), "lower-case letters, digits, `_`")
        }
        Ecosystem::Cocoapods => (is_made_of(name, "-_.+"), "letters, digits, `-`, `_`, `.`, `+`"),
        Ecosystem::Swift => (is_go(name), "the address of its repository, as `forge.example/owner/name`"),
        Ecosystem::Cran => (
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_made_of(name, "."),
            "letters, digits, `.`, after a letter",
        ),
        Ecosystem::Conan => (is_made_of(name, "-_.+"), "letters, digits, `-`, `_`, `.`, `+`"),
        Ecosystem::Apk => (is_made_of(name, "-+._"), "letters, digits, `+`, `-`, `.`, `_`"),
        Ecosystem::Brew => (
            matches!(name.split('/').count(), 1 | 3) && name.split('/').all(|part| is_made_of(part, "-+._@")),
            "`name`, or `owner/tap/name`",
        ),
        Ecosystem::Generic => (
            !name.is_empty() && !name.contains(char::is_whitespace) && !name.contains('@'),
            "`owner/name`, without blanks and version",
        ),
    };
    (!good).then_some(form)
}

/// Letters and digits, and what else is allowed; not empty.
fn is_made_of(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn is_npm(name: &str) -> bool {
    let part = |p: &str| is_made_of(p, "-_.~!'()*");
    let fits = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name) && !name.starts_with(['.', '_']),
    };
    fits && name.len() <= 214
}

fn is_go(name: &str) -> bool {
    let (host, _) = name.split_once('/').unwrap_or((name, ""));
    host.contains('.') && name.split('/').all(|part| is_made_of(part, "-_.~")) && !name.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ecosystem_has_names_and_no_names() {
        use Ecosystem::*;
        let names = [
            (Pypi, "made-up.name", "made up"),
            (Npm, "@made/up", "made/up"),
            (Cargo, "made_up", "1made"),
            (Golang, "forge.example/made/up", "made/up"),
            (Gem, "made-up", "made/up"),
            (Maven, "org.example:made-up", "org.example.made-up"),
            (Nuget, "Made.Up", "Made/Up"),
            (Composer, "made/up", "made"),
            (Vscode, "made.up", "made/up"),
            (Openvsx, "Made.up-x", "made"),
            (Jetbrains, "com.made.up", "made<up"),
            (Chrome, "abcdefghijklmnopabcdefghijklmnop", "made-up"),
            (Firefox, "made@up.example", "made/up"),
            (Oci, "registry.example:5000/made/up", "made/up:latest"),
            (Deb, "made-up", "Made"),
            (Rpm, "Made-up", "made up"),
            (Aur, "made-up+x", "-made"),
            (Hex, "made_up", "made-up"),
            (Pub, "made_up", "Made"),
            (Cocoapods, "MadeUp", "Made/Up"),
            (Swift, "forge.example/made/up", "made"),
            (Cran, "made.Up", "1made"),
            (Conan, "made-up", "made/1.0"),
            (Apk, "made-up", "made up"),
            (Brew, "made/tap/up", "made/up"),
            (Generic, "made/up", "made/up@1"),
        ];
        assert_eq!(names.len(), Ecosystem::ALL.len());
        for (ecosystem, good, bad) in names {
            assert_eq!(fault(ecosystem, good), None, "{good}");
            assert!(fault(ecosystem, bad).is_some() && fault(ecosystem, "").is_some(), "{bad}");
        }
    }
}
