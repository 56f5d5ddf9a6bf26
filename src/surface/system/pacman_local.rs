//! Packages that pacman installed.
//!
//! ```text
//! var/lib/pacman/local/NAME-VERSION-RELEASE/
//! ├── desc        %NAME%, %VERSION%, %BASE%, %BUILDDATE%, %INSTALLDATE%, %VALIDATION%: each on a line, its values below, an empty line
//! ├── files       what it brought
//! ├── install     its scriptlets, which pacman runs as root
//! └── mtree
//! ```
//!
//! A hit proves that pacman installed the version for the whole machine and did not remove it. The database does not say where a package
//! came from: one that was built from the Arch User Repository is only like it, by its name. What a repository signed was built by
//! somebody else (`%VALIDATION%` names `pgp`), and code that runs while it is built did not run here. Where the recipe has another name
//! than the package (`%BASE%`), both are reported: who takes over a recipe takes all its packages. Written by pacman 3.5 and later;
//! documented in pacman's source, `lib/libalpm/be_local.c`.

use super::{fact, is_name, package};
use crate::{
    ecosystem::{aur, is_version, normal_name},
    fact::{At, Ecosystem, Fact, Placement, ScriptOutcome, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// A package with a thousand optional dependencies has less.
const FILE: usize = 4 << 20;
const DESC: &[u8] = b"desc";

/// `var/lib/pacman/local/*/desc`.
pub struct PacmanLocal;

static META: Meta = Meta {
    id: "system/pacman-local",
    title: "packages that pacman installed",
    proves: "the version is installed for the whole machine; not where it was built, nor that anybody used it",
};

impl Surface for PacmanLocal {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("desc").nested("pacman", "local")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = by_folder(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(Ecosystem::Aur, name, version, Placement::Loadable)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let Some((folder_name, folder_version)) = by_folder(&file.entry.path) else {
            return Ok(());
        };
        let known = |name: &str| interest.knows_package(Ecosystem::Aur, &normal_name(Ecosystem::Aur, name));
        let entry = file.entry.path.parent();
        let text = String::from_utf8_lossy(file.all(FILE)?);
        let desc = Desc::new(&text);
        let (Some(name), Some(version)) = (desc.name, desc.version) else {
            return match known(folder_name) {
                true => Err(Flaw::malformed("entry of pacman", "it says no name or no version")),
                false => Ok(()),
            };
        };
        let installed = desc.installed.and_then(|at| At::unix(at, "time of installation in pacman's database"));
        if (name, version) != (folder_name, folder_version) {
            let what = format!("its folder says {folder_name} {folder_version}, the entry says {name} {version}");
            out.push(None, Fact::Disagreement { names: [folder_name.into(), name.into()], what });
            let named = package(Ecosystem::Aur, folder_name, folder_version, Placement::Loadable);
            named.into_iter().for_each(|named| out.push(installed.clone(), Fact::Named(named)));
        }
        for name in [Some(name), desc.base.filter(|base| *base != name && known(base))].into_iter().flatten() {
            let here = fact(Ecosystem::Aur, name, version, Placement::Loadable);
            here.iter().for_each(|here| out.push(installed.clone(), here.clone()));
            if !known(name) {
                continue;
            }
            // A bad recipe counts while it is built and while it is installed; these may be weeks apart.
            let built = desc.built.filter(|built| Some(*built) != desc.installed);
            if let Some(at) = built.and_then(|at| At::unix(at, "time of the build in pacman's database")) {
                here.into_iter().for_each(|here| out.push(Some(at.clone()), here));
            }
            if desc.signed {
                let (name, version, folder) = (name.into(), version.into(), Some(entry.clone()));
                let script = Fact::InstallScript { name, version, folder, outcome: ScriptOutcome::Skipped };
                out.push(installed.clone(), script);
            }
        }
        Ok(())
    }
}

/// Name and version by the folder of an entry, `NAME-VERSION-RELEASE`.
fn by_folder(path: &TreePath) -> Option<(&str, &str)> {
    let mut components = path.components().rev();
    let (file, folder) = (components.next()?, components.next()?);
    if file != DESC || components.next()? != b"local" {
        return None;
    }
    aur::full_name(std::str::from_utf8(folder).ok()?).filter(|(name, _)| is_name(name))
}

/// What an entry says.
#[derive(Default)]
struct Desc<'t> {
    name: Option<&'t str>,
    version: Option<&'t str>,
    base: Option<&'t str>,
    /// Seconds since 1970.
    built: Option<i64>,
    /// Seconds since 1970.
    installed: Option<i64>,
    /// Its signature was checked.
    signed: bool,
}

impl<'t> Desc<'t> {
    /// The first value of each key; of the ways in which it was checked, all.
    fn new(text: &'t str) -> Self {
        let (mut desc, mut key) = (Self::default(), "");
        for line in text.lines() {
            let line = line.trim_end();
            if line.is_empty() {
                key = "";
            } else if let Some(name) = line.strip_prefix('%').and_then(|l| l.strip_suffix('%')) {
                key = name;
            } else {
                match key {
                    "NAME" => desc.name = desc.name.or(Some(line).filter(|n| is_name(n))),
                    "BASE" => desc.base = desc.base.or(Some(line).filter(|n| is_name(n))),
                    "VERSION" => {
                        desc.version = desc.version.or(Some(line).filter(|v| is_version(Ecosystem::Aur, v)));
                    }
                    "BUILDDATE" => desc.built = desc.built.or(line.parse().ok()),
                    "INSTALLDATE" => desc.installed = desc.installed.or(line.parse().ok()),
                    "VALIDATION" => desc.signed |= line == "pgp",
                    _ => {}
                }
            }
        }
        desc
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    // Written by pacman 6.0.2 for a package that makepkg built.
    const DESC: &str = "%NAME%\nfirefox-patch-bin\n\n%VERSION%\n140.0-1\n\n%BASE%\nfirefox-patch-bin\n\n%DESC%\nx\n\n%URL%\n\n\n\
        %ARCH%\nany\n\n%BUILDDATE%\n1752710000\n\n%INSTALLDATE%\n1752710400\n\n%PACKAGER%\nUnknown Packager\n\n%SIZE%\n3\n\n\
        %LICENSE%\nMIT\n\n%VALIDATION%\nnone\n\n";
    const PLACE: &str = "var/lib/pacman/local/firefox-patch-bin-140.0-1/desc";

    fn of(path: &str, text: &str) -> Vec<String> {
        let known = ["firefox-patch-bin", "alvr"].map(|name| (Ecosystem::Aur, name));
        said(&PacmanLocal, path, text.as_bytes(), &known)
    }

    #[test]
    fn an_entry_says_what_was_installed_and_when() {
        let both = [
            "firefox-patch-bin 140.0-1 Loadable 2025-07-17T00:00:00Z",
            "firefox-patch-bin 140.0-1 Loadable 2025-07-16T23:53:20Z",
        ];
        assert_eq!(of(PLACE, DESC), both);
        // One that no indicator knows needs no second time; an epoch, and a name with digits behind a dash.
        let other = DESC.replace("firefox-patch-bin", "r8168-2-dkms").replace("140.0-1", "1:8.0-3");
        assert_eq!(
            of("mnt/var/lib/pacman/local/r8168-2-dkms-1:8.0-3/desc", &other),
            ["r8168-2-dkms 1:8.0-3 Loadable 2025-07-17T00:00:00Z"]
        );
    }

    #[test]
    fn what_a_repository_signed_was_not_built_here() {
        let signed = DESC.replace("%VALIDATION%\nnone", "%VALIDATION%\nmd5\nsha256\npgp");
        assert_eq!(of(PLACE, &signed)[2..], ["script firefox-patch-bin 140.0-1 Skipped 2025-07-17T00:00:00Z"]);
        let summed = DESC.replace("%VALIDATION%\nnone", "%VALIDATION%\nmd5\nsha256");
        assert_eq!(of(PLACE, &summed).len(), 2);
    }

    #[test]
    fn a_package_of_a_known_recipe_is_the_recipe_s() {
        let split = DESC.replace("%BASE%\nfirefox-patch-bin", "%BASE%\nalvr");
        assert_eq!(of(PLACE, &split)[2], "alvr 140.0-1 Loadable 2025-07-17T00:00:00Z");
        let plain = DESC.replace("%BASE%\nfirefox-patch-bin", "%BASE%\nother");
        assert_eq!(of(PLACE, &plain).len(), 2);
    }

    #[test]
    fn a_folder_of_another_name_is_reported_too() {
        let all = of("var/lib/pacman/local/alvr-1.0-1/desc", DESC);
        assert!(all[0].contains("its folder says alvr 1.0-1, the entry says firefox-patch-bin 140.0-1"), "{all:?}");
        assert_eq!(all[1], "named alvr 1.0-1 Loadable 2025-07-17T00:00:00Z");
    }

    #[test]
    fn damage_is_a_flaw_of_a_known_package_only() {
        let flaw = ["flaw: not a valid entry of pacman: it says no name or no version"];
        for text in ["", "%NAME%", "%NAME%\n\n%VERSION%\n1-1\n", "%NAME%\na b\n\n%VERSION%\n1-1\n", "\0\0\0", "140.0-1"]
        {
            assert_eq!(of(PLACE, text), flaw, "{text}");
            assert_eq!(of("var/lib/pacman/local/other-140.0-1/desc", text), [""; 0], "{text}");
        }
        let large = [DESC.as_bytes(), &vec![b'x'; FILE]].concat();
        assert!(said(&PacmanLocal, PLACE, &large, &[])[0].starts_with("flaw: larger than"));
        let broken = [b"%NAME%\n\xff\xfe\n\n".as_slice(), DESC.as_bytes()].concat();
        assert_eq!(said(&PacmanLocal, PLACE, &broken, &[]).len(), 1);
        // A clock that was never set, a number that is none.
        for date in ["-1", "x", "99999999999999999999"] {
            let odd = DESC.replace("1752710400", date);
            assert_eq!(of(PLACE, &odd).len(), 2, "{date}");
        }
    }

    #[test]
    fn other_places_hold_no_entries() {
        for path in [
            "var/lib/pacman/local/desc",
            "var/lib/pacman/sync/firefox-patch-bin-140.0-1/desc",
            "home/a/pacman/local/x/desc",
        ] {
            assert_eq!(of(path, DESC), [""; 0], "{path}");
        }
    }
}
