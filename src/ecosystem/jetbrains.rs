//! Plug-ins of JetBrains' products: an id that its author chose, exactly but for case (`com.acme.tool`, `Key Promoter X`), and versions that
//! are mostly numbers with dots.

use crate::{
    ecosystem::{extension::EXTENSION, generic},
    fact::{Ecosystem, TreePath, Unit},
};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name: name_of, ..generic::SEMANTICS };

/// How installed plug-ins lie. Each is loaded by itself.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Jetbrains,
    unit: unit_of,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |_| None,
};

fn name_of(name: &str) -> String {
    name.to_lowercase()
}

/// Whether a text can be an id, safe to show.
pub fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " ._-+#&()':/,!".contains(c);
    !text.is_empty() && text.len() <= 200 && text.trim() == text && text.chars().all(plain)
}

/// The folder of a plug-in, or its only archive, in which a path lies: below the folder of plug-ins of a product.
///
/// ```text
/// ~/.local/share/JetBrains/IntelliJIdea2026.1/PLUG-IN/…              Linux
/// ~/Library/Application Support/JetBrains/PyCharm2026.1/plugins/PLUG-IN/…      macOS
/// ~/AppData/Roaming/JetBrains/GoLand2026.1/plugins/PLUG-IN/…          Windows
/// …/Google/AndroidStudio2025.2/[plugins/]PLUG-IN/…
/// ```
pub fn installed(path: &TreePath) -> Option<TreePath> {
    let parts: Vec<&[u8]> = path.components().collect();
    let is_vendor = |at: usize, part: &[u8]| {
        let product = parts.get(at + 1).copied().unwrap_or_default();
        part == b"JetBrains" || part == b"Google" && product.starts_with(b"AndroidStudio")
    };
    let vendor = parts.iter().enumerate().position(|(at, part)| is_vendor(at, part))?;
    let product = parts.get(vendor + 1)?;
    // `Toolbox` holds whole products.
    let ends_in_digits = product.last().is_some_and(u8::is_ascii_digit);
    let above = parts.get(vendor.checked_sub(1)?)?;
    let data = matches!(*above, b"share" | b"Application Support" | b"Roaming");
    if !ends_in_digits || !data {
        return None;
    }
    let own = if parts.get(vendor + 2) == Some(&&b"plugins"[..]) { vendor + 3 } else { vendor + 2 };
    let name = parts.get(own)?;
    if own == vendor + 2 && *above != b"share" || name.starts_with(b".") {
        return None;
    }
    TreePath::new(&parts.get(..=own)?.join(&b'/'))
}

fn unit_of(path: &TreePath) -> Option<Unit> {
    // Asked of each file, and most are in no such folder.
    let bytes = path.as_bytes();
    let near =
        memchr::memmem::find(bytes, b"JetBrains/").or_else(|| memchr::memmem::find(bytes, b"Google/AndroidStudio"));
    near?;
    let folder = installed(path)?;
    Some(Unit { ecosystem: Ecosystem::Jetbrains, root: folder.clone(), folder, kind: EXTENSION, usual: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plug_in_is_a_unit() {
        let unit = |path: &str| installed(&TreePath::new(path.as_bytes()).unwrap()).map(|p| p.text().to_string());
        for (path, is) in [
            (
                "home/a/.local/share/JetBrains/IntelliJIdea2026.1/evil/lib/evil.jar",
                Some("/home/a/.local/share/JetBrains/IntelliJIdea2026.1/evil"),
            ),
            (
                "home/a/.local/share/JetBrains/PyCharm2025.3/one.jar",
                Some("/home/a/.local/share/JetBrains/PyCharm2025.3/one.jar"),
            ),
            (
                "Users/b/Library/Application Support/JetBrains/GoLand2026.1/plugins/x/lib/x.jar",
                Some("/Users/b/Library/Application Support/JetBrains/GoLand2026.1/plugins/x"),
            ),
            (
                "Users/b/AppData/Roaming/Google/AndroidStudio2025.2/plugins/x/lib/x.jar",
                Some("/Users/b/AppData/Roaming/Google/AndroidStudio2025.2/plugins/x"),
            ),
            ("home/a/.local/share/JetBrains/Toolbox/apps/idea/plugins/git4idea/lib/x.jar", None),
            ("home/a/.cache/JetBrains/IntelliJIdea2026.1/x/lib/x.jar", None),
            ("Users/b/AppData/Roaming/JetBrains/GoLand2026.1/options/x.jar", None),
            ("opt/idea/plugins/x/lib/x.jar", None),
            ("srv/JetBrains/x1/y/z.jar", None),
        ] {
            assert_eq!(unit(path).as_deref(), is, "{path}");
        }
        assert!(is_id("Key Promoter X") && is_id("com.acme.tool") && !is_id("a\u{1b}") && !is_id("") && !is_id(" a"));
    }
}
