//! Packages that apk installed, on Alpine and what descends from it.
//!
//! ```text
//! lib/apk/db/installed              usr/lib/apk/db/installed since Alpine 3.23
//! │   P:xz
//! │   V:5.6.1-r0
//! │   A:x86_64
//! │   t:1711000000                  when it was built
//! │   F:usr/bin                     a folder, then its files
//! ```
//!
//! A hit proves that the version is installed for the whole machine. When it was installed is not in here. Documented in "Apk spec" of Alpine.

use super::{fact, text_lines};
use crate::{
    fact::{Ecosystem, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `apk/db/installed`.
pub struct ApkInstalled;

static META: Meta = Meta {
    id: "system/apk-installed",
    title: "packages that apk installed",
    proves: "the version is installed for the whole machine; not that anybody used it",
};

impl Surface for ApkInstalled {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("installed").in_tail("lib/apk/db")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let first = lines.next().is_some_and(|line| line.starts_with("C:Q1") || line.starts_with("P:"));
        (first && lines.take(3).any(|line| line.starts_with("V:"))).then_some("lib/apk/db/installed")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let is_empty = file.head(1)?.is_empty();
        let (mut name, mut line_of, mut named, mut odd) = (String::new(), 0, false, false);
        let end = text_lines::each(file, &mut |line, number| match line.split_once(':') {
            Some(("P", value)) if value.len() <= 1000 => {
                value.trim().clone_into(&mut name);
                (line_of, named) = (number, true);
            }
            Some(("V", value)) if !name.is_empty() => {
                match fact(Ecosystem::Apk, &name, value.trim(), Placement::Loadable) {
                    Some(found) => out.push_at(None, Some(line_of), None, found),
                    None => odd = true,
                }
                name.clear();
            }
            None if line.trim().is_empty() => name.clear(),
            _ => {}
        });
        end?;
        match () {
            () if odd => Err(Flaw::malformed("database of apk", "a package without a proper name and version")),
            () if !named && !is_empty => Err(Flaw::malformed("database of apk", "it names no package")),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const TEXT: &str = "C:Q1zwvKMnYs1b6ZdPTBJ0Z7D5P3jyA=\nP:xz\nV:5.6.1-r0\nA:x86_64\nT:a tool\nD:so:libc.musl-x86_64.so.1\nF:usr/bin\nR:xz\n\n\
                        C:Q1x=\nP:xz-libs\nV:5.6.1-r0\no:xz\n\n";

    fn of(text: &str) -> Vec<String> {
        said(&ApkInstalled, "lib/apk/db/installed", text.as_bytes(), &[])
    }

    #[test]
    fn each_package_is_read() {
        assert_eq!(of(TEXT), ["xz 5.6.1-r0 Loadable :2", "xz-libs 5.6.1-r0 Loadable :11"]);
        assert_eq!(of(&TEXT.replace('\n', "\r\n")), of(TEXT));
        assert!(of("").is_empty());
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["x", "\u{0}", "V:1.0-r0\n", "{\"a\": 1}", &"a".repeat(1 << 21)] {
            assert!(of(text).iter().all(|l| l.starts_with("flaw: ")), "{}", text.get(..10).unwrap_or(text));
        }
        for bad in ["P:a\u{1b}\nV:1.0-r0\n", "P:a\nV:x\n", "P:a b\nV:1.0\n"] {
            let found = of(&format!("{TEXT}{bad}"));
            assert_eq!(found.len(), 3, "{bad}");
            assert!(found[2].starts_with("flaw: "), "{bad}");
        }
        // A file of a package may be called so.
        assert_eq!(of(&format!("{TEXT}P:a\n\nV:1.0\n")).len(), 2);
        let many: String = (0..20_000).map(|n| format!("P:a{n}\nV:1.{n}-r0\n\n")).collect();
        assert_eq!(of(&many).len(), 20_000);
    }
}
