//! Where a file indicator says that its file stands.

use super::model::FileIndicator;
use crate::{
    fact::TreePath,
    interest::{WantedFile, WantedFolder, glob},
};

/// Names that so many packages have that a file of that name is opened only in the folder the indicator gives.
pub const COMMON: &[&str] = &[
    "__init__.py",
    "__main__.py",
    "README.md",
    "action.yml",
    "action.yaml",
    "binding.gyp",
    "build.rs",
    "bundle.js",
    "cli.js",
    "ci.yml",
    "config.js",
    "config.json",
    "entrypoint.sh",
    "extension.js",
    "index.cjs",
    "index.js",
    "index.mjs",
    "index.ts",
    "install.js",
    "launch.json",
    "lib.rs",
    "main.js",
    "main.py",
    "package.json",
    "postinstall.js",
    "preinstall.js",
    "pyproject.toml",
    "settings.json",
    "setup.js",
    "setup.py",
    "setup.sh",
    "tasks.json",
    "update.py",
    "util.js",
    "utils.js",
    "utils.py",
];

/// The last component.
pub fn base(pattern: &str) -> &str {
    pattern.rsplit(['/', ':']).next().unwrap_or(pattern)
}

/// `~/…` and `any:…` fit below any folder: homes are anywhere in evidence. `/…` fits from the root, `site:…` below a site folder.
pub fn fits(pattern: &str, path: &TreePath, site: Option<&[u8]>) -> bool {
    let text = String::from_utf8_lossy(path.as_bytes());
    if let Some(rest) = pattern.strip_prefix("any:") {
        let count = rest.split('/').count();
        let start = text.rmatch_indices('/').nth(count - 1).map_or(Some(0), |(i, _)| Some(i + 1));
        return start.and_then(|i| text.get(i..)).is_some_and(|tail| glob(rest, tail));
    }
    if let Some(rest) = pattern.strip_prefix("~/") {
        let count = rest.split('/').count();
        let at = text.rmatch_indices('/').nth(count - 1).map(|(i, _)| i);
        return at.is_some_and(|i| text.get(i + 1..).is_some_and(|tail| glob(rest, tail)));
    }
    if let Some(rest) = pattern.strip_prefix("site:") {
        return site.is_some_and(|below| glob(rest, &String::from_utf8_lossy(below)));
    }
    pattern.strip_prefix('/').is_some_and(|rest| glob(rest, &text))
}

/// A pattern without the word that says where it begins.
pub fn path(pattern: &str) -> &str {
    pattern.split_once(':').map_or(pattern, |(_, path)| path)
}

/// What the walk shall look for. A name that nobody else uses is opened wherever it stands, since a copy of it shows something
/// too; a common one only where the indicator says.
pub fn wanted(pattern: &str, file: &FileIndicator) -> WantedFile {
    let name = base(pattern);
    let sizes = if file.holds.is_empty() && file.role == super::model::FileRole::Module { file.size } else { None };
    let folder = match pattern.strip_suffix(name).unwrap_or_default() {
        _ if !COMMON.contains(&name) => WantedFolder::Any,
        within if within.contains('*') => WantedFolder::Any,
        within => match within.split_once('/') {
            Some(("", root)) => WantedFolder::Root(root.trim_end_matches('/').to_owned()),
            Some(("~", tail)) => WantedFolder::Tail(tail.trim_end_matches('/').to_owned()),
            _ => match within.split_once(':') {
                Some((_, tail)) if !tail.is_empty() => WantedFolder::Tail(tail.trim_end_matches('/').to_owned()),
                _ => WantedFolder::Any,
            },
        },
    };
    WantedFile { name: name.to_owned(), folder, size: sizes, holds: !file.holds.is_empty() }
}

/// The module whose bytecode shows that this file was imported, as `Interest::modules` has it.
pub fn module(pattern: &str) -> Option<String> {
    let path = pattern.strip_prefix("site:")?.strip_suffix(".py")?;
    let name = base(pattern);
    let common = COMMON.contains(&name) && path.contains('/') && !path.contains('*');
    Some(if common { path.to_owned() } else { name.strip_suffix(".py")?.to_owned() })
}

/// The folder of a package that holds such a module, as `Interest::module_folders` has it.
pub fn module_folder(pattern: &str) -> Option<String> {
    let (folder, _) = pattern.strip_prefix("site:")?.strip_suffix(".py")?.rsplit_once('/')?;
    (!folder.contains('*')).then(|| folder.to_owned())
}

/// The folder of such a module and those above it in its package: an import compiles some of what they hold, an installer all.
pub fn module_folders(pattern: &str) -> impl Iterator<Item = String> {
    let parent = |folder: &String| folder.rsplit_once('/').map(|(above, _)| above.to_owned());
    std::iter::successors(module_folder(pattern), parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_module_is_one_of_its_package() {
        for (pattern, is) in [
            ("site:litellm/proxy/proxy_server.py", Some("litellm/proxy")),
            ("site:cook/__init__.py", Some("cook")),
            ("site:cook.py", None),
            ("site:*/__init__.py", None),
            ("site:cook/index.js", None),
            ("~/cook/main.py", None),
        ] {
            assert_eq!(module_folder(pattern).as_deref(), is, "{pattern}");
        }
    }

    #[test]
    fn a_module_that_others_are_called_like_keeps_its_folders() {
        for (pattern, is) in [
            ("site:litellm/proxy/proxy_server.py", Some("proxy_server")),
            ("site:cook/__init__.py", Some("cook/__init__")),
            ("site:cook/client/__init__.py", Some("cook/client/__init__")),
            ("site:*/__init__.py", Some("__init__")),
            ("site:__init__.py", Some("__init__")),
            ("site:cook/index.js", None),
            ("~/cook/main.py", None),
        ] {
            assert_eq!(module(pattern).as_deref(), is, "{pattern}");
        }
    }

    #[test]
    fn paths_fit_by_component() {
        let fits = |pattern: &str, path: &str| {
            TreePath::new(path.as_bytes()).is_some_and(|p| fits(pattern, &p, Some(b"x.pth")))
        };
        assert!(fits("~/.config/sysmon/sysmon.py", "home/a/.config/sysmon/sysmon.py"));
        assert!(fits("~/.config/sysmon/sysmon.py", "root/.config/sysmon/sysmon.py"));
        assert!(!fits("~/.config/sysmon/sysmon.py", "home/a/x.config/sysmon/sysmon.py"));
        assert!(!fits("~/.config/sysmon/sysmon.py", ".config/sysmon/sysmon.py"));
        assert!(
            fits("any:.claude/setup.mjs", ".claude/setup.mjs")
                && fits("any:.claude/setup.mjs", "a/b/.claude/setup.mjs")
        );
        assert!(fits("any:x.js", "x.js") && fits("any:x.js", "a/x.js") && !fits("any:x.js", "a/xx.js"));
        assert!(fits("/tmp/pglog", "tmp/pglog") && !fits("/tmp/pglog", "home/a/tmp/pglog"));
        assert!(fits("site:x.pth", "v/site-packages/x.pth") && !fits("site:y.pth", "v/site-packages/y.pth"));
    }
}
