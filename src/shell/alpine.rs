//! Commands of apk that name packages: `apk add xz=5.6.1-r0`, `apk add xz`, `apk upgrade xz`, `apk fetch xz`, `apk del xz`. Documented in apk(8).

use super::{
    args::{Long, Options, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::is_version,
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Resolve, Uninstall};

static VALUED: &str =
    "virtual root repository repositories-file keys-dir cache-dir cache-max-age arch wait output progress-fd timeout";
const APK: Options = Options { short: "tpXo", long: Long::Valued(&[VALUED]) };

/// What the words of apk do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    matches!(base_name(first), "apk" | "apk.static").then(|| (command(rest), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let parsed = APK.all(rest);
    let (verb, words) = parsed.plain.split_first()?;
    let action = match *verb {
        "add" | "upgrade" if parsed.has(&["s", "simulate"]) => Resolve,
        "add" | "upgrade" => Install,
        "fetch" => Download,
        "del" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["h", "help"]) {
        return None;
    }
    let wanted: Vec<Wanted> = words.iter().filter_map(|word| wanted(word)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages("apk", action, wanted))
}

/// `xz`, `xz=5.6.1-r0`, `xz>5.6`, `xz@edge`.
fn wanted(word: &str) -> Option<Wanted> {
    let end = word.find(['=', '<', '>', '~', '@']).unwrap_or(word.len());
    let (name, asked) = word.split_at_checked(end)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || name.len() > 200
        || !name.bytes().all(plain)
        || name.ends_with(".apk")
    {
        return None;
    }
    let asked = asked.split('@').next().unwrap_or_default();
    let bound = asked.trim_start_matches(['=', '<', '>', '~']);
    let operator = asked.strip_suffix(bound).unwrap_or_default();
    let sound = is_version(Ecosystem::Apk, bound);
    let pinned = (matches!(operator, "=" | "==") && sound).then(|| bound.into());
    let specifier = match () {
        () if bound.starts_with('$') => Wanted::UNSAID,
        () if pinned.is_none() && sound => asked,
        () => "",
    };
    Some(Wanted { ecosystem: Ecosystem::Apk, name: name.into(), pinned, specifier: specifier.into() })
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn packages_that_apk_is_asked_for() {
        for (text, is) in [
            ("apk add --no-cache xz=5.6.1-r0 curl", "install xz@5.6.1-r0 curl@"),
            ("apk add -t .build 'xz>5.6' xz-libs@edge", "install xz@>5.6 xz-libs@"),
            ("apk -U upgrade xz", "install xz@"),
            ("apk add -s xz", "resolve xz@"),
            ("apk fetch xz", "download xz@"),
            ("apk del xz", "uninstall xz@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "apk",
            "apk add",
            "apk update",
            "apk info xz",
            "apk add ./xz-5.6.1-r0.apk",
            "apk search xz",
            "echo apk add xz",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
        let shown =
            format!("{:?}", install_commands("apk add 'xz=hunter2!' 'hunter2/x' -X https://u:hunter2@r.example"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
