//! Hooks that no distribution owns, and files whose bytes differ from what their distribution says.

use super::super::super::units::{Units, folder_of};
use crate::fact::{Fact, HookContent, HookKind, Seen};

/// Start-up code that well-known tools write without listing it in any `RECORD`: name and SHA-256.
const KNOWN: &[(&str, &str)] = &[
    // virtualenv writes it into each environment that it makes.
    ("_virtualenv.pth", "69ac3d8f27e679c81b94ab30b3b56e9cd138219b1ba94a1fa3606d5a76a1433d"),
    // pex writes it into each environment that a program is run from, of late with a call, and for Python 3.15 as a .start file.
    ("PEX_EXTRA_SYS_PATH.pth", "50ca0a9f615965cdeee33d19d61b4bcf17e5a8815628ceaee3ca1ba835049446"),
    ("PEX_EXTRA_SYS_PATH.pth", "fd9d8df3e22367f3e038f271ed690826308b8f225cea92dee633a2b713d0099f"),
    ("PEX_EXTRA_SYS_PATH.start", "1c8ec29a4e53aa8c2b9f7567fae8c2a92e1379fd841d3d795cf6a5d1b3cde86b"),
    // setuptools, as Debian installs it: owned by dpkg, not by a RECORD.
    ("distutils-precedence.pth", "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224"),
];

pub(super) fn odd(units: &Units, seen: &Seen) -> Option<String> {
    let (sha256, is_hook) = match &seen.fact {
        Fact::Hook { content: HookContent::Runs, sha256, .. } => (sha256.as_deref(), true),
        Fact::File { sha256: Some(sha256), .. } => (Some(sha256.as_str()), false),
        _ => return None,
    };
    let path = &seen.origin.path;
    let site = units.in_folder(&seen.origin.tree, &folder_of(seen));
    match site.and_then(|s| s.owned.get(path)) {
        Some(Some(listed)) if sha256.is_none_or(|s| listed != s) => {
            Some("its bytes differ from what RECORD says".to_owned())
        }
        Some(_) => None,
        None if is_hook => unowned(seen, sha256),
        None => None,
    }
}

fn unowned(seen: &Seen, sha256: Option<&str>) -> Option<String> {
    let Fact::Hook { kind, odd, .. } = &seen.fact else {
        return None;
    };
    let path = &seen.origin.path;
    let name = String::from_utf8_lossy(path.name());
    if sha256.is_some_and(|s| KNOWN.contains(&(name.as_ref(), s))) {
        return None;
    }
    // Systems ship their own (Debian's apport hook), and their files belong to the system's package manager.
    let of_system = path.as_bytes().starts_with(b"usr/lib/") || path.as_bytes().starts_with(b"usr/lib64/");
    let unit = seen.unit.as_ref().filter(|u| u.usual);
    let in_library = !unit.is_some_and(|u| u.folder.as_bytes().ends_with(b"-packages"));
    if matches!(kind, HookKind::Sitecustomize | HookKind::Usercustomize) && (of_system || in_library) {
        return None;
    }
    let mut what = "start-up code that no distribution owns".to_owned();
    if !odd.is_empty() {
        what = format!("{what}; it uses {}", odd.join(", "));
    }
    Some(what)
}
