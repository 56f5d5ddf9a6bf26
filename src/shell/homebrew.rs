//! Commands of Homebrew that name formulae and casks: `brew install xz`, `brew install owner/tap/name`, `brew upgrade xz`, `brew fetch xz`. A version is a
//! part of the name (`python@3.11`): both the formula of that name and that version of the other are asked about. Documented in brew(1).

use super::{
    args::{Long, Options, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{
        brew::{is_name, is_version},
        normal_name,
    },
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Resolve, Uninstall};

static VALUED: &str = "cc appdir language bottle-arch env os arch";
const BREW: Options = Options { short: "", long: Long::Valued(&[VALUED]) };

/// What the words of Homebrew do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    (base_name(first) == "brew").then(|| (command(rest), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let parsed = BREW.all(rest);
    let (verb, words) = match parsed.plain.split_first()? {
        // `brew cask install x` before 2020.
        (&"cask", words) => words.split_first()?,
        both => both,
    };
    let action = match *verb {
        "install" | "reinstall" | "upgrade" if parsed.has(&["n", "dry-run"]) => Resolve,
        "install" | "reinstall" | "upgrade" => Install,
        "fetch" => Download,
        "uninstall" | "remove" | "rm" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["h", "help"]) {
        return None;
    }
    let wanted: Vec<Wanted> = words.iter().flat_map(|word| wanted(word)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages("brew", action, wanted))
}

fn wanted(word: &str) -> Vec<Wanted> {
    if !is_name(word) || word.ends_with(".rb") || word.starts_with('.') {
        return Vec::new();
    }
    let of = |name: &str, pinned: Option<&str>| Wanted {
        ecosystem: Ecosystem::Brew,
        name: normal_name(Ecosystem::Brew, name),
        pinned: pinned.map(Into::into),
        specifier: "".into(),
    };
    let version = word.rsplit_once('@').filter(|(_, v)| is_version(v) && v.starts_with(|c: char| c.is_ascii_digit()));
    let other = version.map(|(name, version)| of(name, Some(version)));
    [of(word, None)].into_iter().chain(other).collect()
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn formulae_that_brew_is_asked_for() {
        for (text, is) in [
            ("brew install xz", "install xz@"),
            ("brew install xz@5.6.1", "install xz@5.6.1@ xz@5.6.1"),
            ("/opt/homebrew/bin/brew install --cask Ada/Tools/x", "install ada/tools/x@"),
            ("brew cask install firefox", "install firefox@"),
            ("brew upgrade homebrew/core/xz", "install xz@"),
            ("brew fetch --force xz", "download xz@"),
            ("brew install -n xz", "resolve xz@"),
            ("brew uninstall xz", "uninstall xz@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "brew",
            "brew install",
            "brew upgrade",
            "brew info xz",
            "brew install ./xz.rb",
            "brew tap a/b",
            "echo brew install xz",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
        let shown =
            format!("{:?}", install_commands("brew install 'hunter2 x' 'xz@hunter2!' https://u:hunter2@r.example/x"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
