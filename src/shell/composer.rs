//! Commands of Composer that name packages: `composer require acme/a:1.2.3`, `composer require acme/a "^1.2"`, `composer global require acme/a`,
//! `composer update acme/a`, `composer create-project acme/a folder 1.2.3`. What installs without a name installs what the lock file says, which
//! other surfaces read. Documented in "Command-line interface" of Composer.

use super::{
    args::{Long, Options, Parsed, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{composer::is_name, is_version, normal_name},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Install, Resolve, Uninstall};

static VALUED: &str =
    "working-dir prefer-install stability repository repository-url apcu-autoloader-prefix ignore-platform-req with";
const COMPOSER: Options = Options { short: "ds", long: Long::Valued(&[VALUED]) };

/// What the words of Composer do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    let is_composer =
        |word: &str| matches!(base_name(word), "composer" | "composer.phar" | "composer.bat" | "composer2");
    if is_composer(first) {
        return Some((command(rest), None));
    }
    // `php -d memory_limit=-1 composer.phar require x`
    if !base_name(first).starts_with("php") {
        return None;
    }
    let at = rest.iter().take(6).position(|word| is_composer(word))?;
    Some((command(rest.get(at + 1..)?), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let parsed = COMPOSER.all(rest);
    let words = match parsed.plain.split_first()? {
        (&"global", words) => words,
        _ => parsed.plain.as_slice(),
    };
    let (verb, words) = words.split_first()?;
    let trial = parsed.has(&["no-update", "no-install", "dry-run"]);
    let action = match *verb {
        "require" | "req" | "r" | "update" | "u" | "upgrade" if trial => Resolve,
        "require" | "req" | "r" | "update" | "u" | "upgrade" | "create-project" => Install,
        "remove" | "rm" | "uninstall" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["help", "h"]) {
        return None;
    }
    let wanted = match *verb {
        "create-project" => words.first().and_then(|word| wanted(word, words.get(2).copied())).into_iter().collect(),
        _ => all(words),
    };
    let found = (!wanted.is_empty()).then(|| Command::for_packages("composer", action, wanted));
    found.map(|c| Command { scripts: blocked(&parsed), ..c })
}

/// Whether the code of plug-ins does not run.
fn blocked(parsed: &Parsed<'_>) -> Option<bool> {
    parsed.has(&["no-plugins"]).then_some(false)
}

/// A version may be a word of its own behind the name.
fn all(words: &[&str]) -> Vec<Wanted> {
    let behind = words.iter().skip(1).map(|word| Some(*word)).chain([None]);
    let next = |word: Option<&str>| word.filter(|w| !w.contains('/') && !w.contains(':')).map(str::to_owned);
    words.iter().zip(behind).filter_map(|(word, behind)| wanted(word, next(behind).as_deref())).collect()
}

/// `acme/a:1.2.3`, `acme/a=^1.2`, or a version of its own.
fn wanted(word: &str, version: Option<&str>) -> Option<Wanted> {
    let (name, own) = word.split_once([':', '=']).map_or((word, None), |(name, version)| (name, Some(version)));
    if !is_name(name) || word.len() > 300 {
        return None;
    }
    let asked = own.or(version).unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_digit() || ".-~^<>=!*|, xv".contains(c);
    let exact = is_version(Ecosystem::Composer, asked) && !asked.contains(['x', '*']);
    let range = asked.len() <= 200 && asked.contains(|c: char| c.is_ascii_digit()) && asked.chars().all(plain);
    let specifier = match asked {
        asked if asked.starts_with('$') => Wanted::UNSAID,
        asked if !exact && range => asked,
        _ => "",
    };
    Some(Wanted {
        ecosystem: Ecosystem::Composer,
        name: normal_name(Ecosystem::Composer, name),
        pinned: exact.then(|| asked.into()),
        specifier: specifier.into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn packages_that_composer_is_asked_for() {
        for (text, is) in [
            ("composer require acme/a", "install acme/a@"),
            ("composer require --dev Acme/A:1.2.3 acme/b:^2.0", "install acme/a@1.2.3 acme/b@^2.0"),
            ("composer require acme/a 1.2.3", "install acme/a@1.2.3"),
            ("composer -d app require acme/a=v1.2.3 -W", "install acme/a@v1.2.3"),
            ("composer global require acme/a '~1.2'", "install acme/a@~1.2"),
            ("php -d memory_limit=-1 composer.phar require acme/a", "install acme/a@"),
            ("composer require acme/a --no-update", "resolve acme/a@"),
            ("composer update acme/a", "install acme/a@"),
            ("composer create-project acme/a folder 1.2.3", "install acme/a@1.2.3"),
            ("composer remove acme/a", "uninstall acme/a@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "composer",
            "composer install",
            "composer update",
            "composer show acme/a",
            "composer require",
            "composer require ./acme/a",
            "composer run acme/a",
            "php app.php require acme/a",
            "echo composer require acme/a",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn no_secret_rides_along() {
        let shown =
            format!("{:?}", install_commands("composer require acme/a:hunter2 acme/b 'hunter2' 'acme/hunter2!'"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
