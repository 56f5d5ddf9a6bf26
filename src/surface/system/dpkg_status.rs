//! Packages that dpkg installed.
//!
//! ```text
//! var/lib/dpkg/status              one paragraph per package, also of those that were removed
//! var/lib/dpkg/status.d/NAME       one file per package: images without dpkg ("distroless")
//!
//! Package: trivy
//! Status: install ok installed     the last word counts: `config-files` says that it was removed, and its settings were not
//! Architecture: amd64
//! Version: 0.69.4
//! ```
//!
//! A hit proves that dpkg unpacked the version and did not remove it. `half-configured`, `unpacked` and the like have their files on the
//! disk too. When it was installed is not in here. Documented in deb-status and dpkg(1).

use super::{fact, text_lines};
use crate::{
    fact::{Ecosystem, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `status`, `status.d/*`.
pub struct DpkgStatus;

static META: Meta = Meta {
    id: "system/dpkg-status",
    title: "packages that dpkg installed",
    proves: "the version is installed for the whole machine; not that anybody used it",
};

impl Surface for DpkgStatus {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("status").in_tail("lib/dpkg"), Claim::any().in_tail("lib/dpkg/status.d")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let first = lines.next().is_some_and(|l| l.starts_with("Package: "));
        (first && lines.next().is_some_and(|l| l.starts_with("Status: "))).then_some("var/lib/dpkg/status")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        let alone = path.parent().name() == b"status.d";
        if alone && path.name().ends_with(b".md5sums") {
            return Ok(());
        }
        let is_empty = file.head(1)?.is_empty();
        let (mut paragraph, mut named) = (Paragraph::default(), false);
        let end = text_lines::each(file, &mut |line, _| {
            if line.trim().is_empty() {
                named |= paragraph.push(alone, out);
            } else {
                paragraph.add(line);
            }
        });
        named |= paragraph.push(alone, out);
        end?;
        if !named && !is_empty {
            return Err(Flaw::malformed("database of dpkg", "it names no package"));
        }
        Ok(())
    }
}

/// What counts of one package.
#[derive(Default)]
struct Paragraph {
    name: String,
    version: String,
    status: String,
}

impl Paragraph {
    fn add(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(':').filter(|(_, value)| value.len() <= 1000) else {
            return;
        };
        let field = match key {
            "Package" => &mut self.name,
            "Version" => &mut self.version,
            "Status" => &mut self.status,
            _ => return,
        };
        if field.is_empty() {
            value.trim().clone_into(field);
        }
    }

    /// Pushes it and starts anew; whether it named a package.
    fn push(&mut self, alone: bool, out: &mut Sink<'_>) -> bool {
        let Self { name, version, status } = std::mem::take(self);
        let placement = match status.rsplit(' ').next() {
            Some("installed" | "unpacked" | "half-configured" | "half-installed") => Some(Placement::Loadable),
            Some("triggers-awaited" | "triggers-pending") => Some(Placement::Loadable),
            Some("config-files") => Some(Placement::Leftover),
            _ if alone && status.is_empty() => Some(Placement::Loadable),
            _ => None,
        };
        let found = placement.and_then(|placement| fact(Ecosystem::Deb, &name, &version, placement));
        found.into_iter().for_each(|found| out.push(None, found));
        !name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const STATUS: &str = "Package: xz-utils\nStatus: install ok installed\nPriority: standard\nSection: utils\nInstalled-Size: 612\n\
        Architecture: amd64\nMulti-Arch: foreign\nVersion: 5.6.1-1\nDepends: libc6 (>= 2.34), liblzma5 (>= 5.4.0)\nDescription: XZ-format\n \
        Package: other\n .\n Version: 1\n\nPackage: liblzma5\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 5.6.0-0.2\n";

    fn of(text: &str) -> Vec<String> {
        said(&DpkgStatus, "var/lib/dpkg/status", text.as_bytes(), &[])
    }

    #[test]
    fn each_package_has_its_state() {
        assert_eq!(of(STATUS), ["xz-utils 5.6.1-1 Loadable", "liblzma5 5.6.0-0.2 Leftover"]);
        assert_eq!(of(&STATUS.replace('\n', "\r\n")), of(STATUS));
        for (state, is) in [
            ("hold ok installed", "Loadable"),
            ("install ok triggers-pending", "Loadable"),
            ("install reinstreq half-installed", "Loadable"),
            ("install ok unpacked", "Loadable"),
            ("purge ok config-files", "Leftover"),
        ] {
            assert_eq!(
                of(&format!("Package: a\nStatus: {state}\nVersion: 1:2.0-1\n")),
                [format!("a 1:2.0-1 {is}")],
                "{state}"
            );
        }
        for state in ["purge ok not-installed", "install", "", "installed ok"] {
            assert_eq!(of(&format!("Package: a\nStatus: {state}\nVersion: 1\n")), [""; 0], "{state}");
        }
    }

    #[test]
    fn an_image_without_dpkg_has_a_file_per_package() {
        let control = "Package: liblzma5\nVersion: 5.6.1-1\nArchitecture: amd64\n";
        let of = |path: &str| said(&DpkgStatus, path, control.as_bytes(), &[]);
        assert_eq!(of("var/lib/dpkg/status.d/liblzma5"), ["liblzma5 5.6.1-1 Loadable"]);
        assert_eq!(of("var/lib/dpkg/status.d/liblzma5.md5sums"), [""; 0]);
        assert_eq!(of("var/lib/dpkg/status"), [""; 0]);
    }

    #[test]
    fn damage_takes_only_its_own_package() {
        let flaw = ["flaw: not a valid database of dpkg: it names no package"];
        assert_eq!(of(""), [""; 0]);
        for text in ["\0\0\0", "x", "Status: install ok installed\n", "\n\n\n"] {
            assert_eq!(of(text), flaw, "{text:?}");
        }
        for text in [
            "Package: a\n",
            "Package: ../a\nStatus: install ok installed\nVersion: 1\n",
            "Package: a\nStatus: install ok installed\n",
        ] {
            assert_eq!(of(text), [""; 0], "{text}");
        }
        let broken =
            [b"Package: b\xff\nStatus: install ok installed\nVersion: 1\n\n".as_slice(), STATUS.as_bytes()].concat();
        assert_eq!(said(&DpkgStatus, "var/lib/dpkg/status", &broken, &[]).len(), 2);
        let long =
            format!("Package: a\nStatus: install ok installed\nConffiles: {}\nVersion: 1\n", "x".repeat(3 << 20));
        assert_eq!(of(&long), ["a 1 Loadable", "flaw: larger than 1048576 bytes"]);
        assert_eq!(of(&format!("Package: a\nStatus: install ok installed\nVersion: {}\n", "1".repeat(5000))), [""; 0]);
    }

    #[test]
    fn a_database_under_another_name_is_known_by_its_start() {
        assert!(DpkgStatus.recognises(STATUS.as_bytes()).is_some());
        assert!(DpkgStatus.recognises(b"Package: a\nVersion: 1\n").is_none() && DpkgStatus.recognises(b"").is_none());
    }
}
