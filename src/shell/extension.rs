//! Commands that make editors install extensions: `code --install-extension publisher.name@1.2.3`, `code-server --install-extension …`.

use super::{args::base_name, python::Recognised};
use crate::{
    ecosystem::{extension::is_name, is_version},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};

/// Editors that take extensions from the Visual Studio Marketplace by default.
const VSCODE: &[&str] = &["code", "code-insiders", "code-tunnel", "code-server-insiders"];
/// Those that take them from Open VSX.
const OPENVSX: &[&str] = &[
    "codium",
    "codium-insiders",
    "vscodium",
    "code-oss",
    "cursor",
    "windsurf",
    "antigravity",
    "trae",
    "kiro",
    "positron",
    "code-server",
    "openvscode-server",
];

/// What the words of an editor do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    let name = base_name(first);
    let name = name.strip_suffix(".cmd").or_else(|| name.strip_suffix(".exe")).unwrap_or(name);
    let ecosystem = match name {
        name if VSCODE.contains(&name) => Ecosystem::Vscode,
        name if OPENVSX.contains(&name) => Ecosystem::Openvsx,
        _ => return None,
    };
    let of = |option: &str| -> Vec<Wanted> {
        let joined = rest.iter().filter_map(|w| w.strip_prefix(option)?.strip_prefix('='));
        let apart = rest.windows(2).filter(|w| w.first().is_some_and(|o| o == option)).filter_map(|w| w.get(1));
        joined.chain(apart.map(String::as_str)).filter_map(|text| wanted(ecosystem, text)).collect()
    };
    let command =
        |action, wanted: Vec<Wanted>| (!wanted.is_empty()).then(|| Command::for_packages(name, action, wanted));
    let removes = || command(CommandAction::Uninstall, of("--uninstall-extension"));
    Some((command(CommandAction::Install, of("--install-extension")).or_else(removes), None))
}

/// `publisher.name[@version]`; a `.vsix` file is named by its path.
fn wanted(ecosystem: Ecosystem, text: &str) -> Option<Wanted> {
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    if !is_name(name) || name.ends_with(".vsix") {
        return None;
    }
    let pinned = version.filter(|v| is_version(ecosystem, v)).map(Into::into);
    Some(Wanted { ecosystem, name: name.to_lowercase().into(), pinned, specifier: "".into() })
}

#[cfg(test)]
mod tests {
    use crate::shell::install_commands;

    fn said(text: &str) -> Vec<String> {
        let of = |c: crate::fact::Command| {
            let wanted = c
                .wanted
                .iter()
                .map(|w| format!("{}/{}@{}", w.ecosystem.purl_type(), w.name, w.pinned.as_deref().unwrap_or("")));
            format!("{} {} {}", c.tool, c.action.as_str(), wanted.collect::<Vec<_>>().join(" "))
        };
        install_commands(text).into_iter().map(of).collect()
    }

    #[test]
    fn extensions_that_editors_are_told_to_install() {
        for (text, is) in [
            ("code --install-extension A.b@1.2.3", "code install vscode/a.b@1.2.3"),
            ("code --force --install-extension=a.b --install-extension c.d", "code install vscode/a.b@ vscode/c.d@"),
            ("/usr/bin/cursor --install-extension a.b", "cursor install openvsx/a.b@"),
            ("code --uninstall-extension a.b", "code uninstall vscode/a.b@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "code .",
            "code --list-extensions",
            "code --install-extension x.vsix",
            "echo code --install-extension a.b",
            "code --install-extension",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
