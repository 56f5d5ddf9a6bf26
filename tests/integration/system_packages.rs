//! What pacman, dpkg and rpm installed, logged and stored, with packages of the embedded incidents and with others beside them.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{finding, findings, report},
};

/// 2026-06-11T07:12:04Z, while recipes were taken over.
const IN_WINDOW: i64 = 1_781_161_924;
/// 2026-09-01T00:00:00Z.
const AFTER: i64 = 1_788_220_800;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/system").join(name)).unwrap()
}

/// As pacman writes it.
fn entry(name: &str, version: &str, at: i64, checked: &str) -> String {
    format!(
        "%NAME%\n{name}\n\n%VERSION%\n{version}\n\n%BASE%\n{name}\n\n%DESC%\nx\n\n%ARCH%\nany\n\n%BUILDDATE%\n{at}\n\n\
         %INSTALLDATE%\n{at}\n\n%PACKAGER%\nUnknown Packager\n\n%SIZE%\n3\n\n%VALIDATION%\n{checked}\n\n"
    )
}

fn with_entry(machine: Machine, name: &str, version: &str, at: i64, checked: &str) -> Machine {
    machine.file(&format!("var/lib/pacman/local/{name}-{version}/desc"), entry(name, version, at, checked))
}

fn reason<'r>(report: &'r Value, indicator: &str, path: &str) -> &'r str {
    finding(report, indicator, path)["reason"].as_str().unwrap()
}

/// All that the steps of the checklist say and do.
fn plan(report: &Value) -> String {
    serde_json::to_string(&report["checklist"]).unwrap()
}

#[test]
fn a_package_built_from_a_bad_recipe_ran_while_it_was_built() {
    let log = "[2026-06-11T09:12:03+0200] [PACMAN] Running 'pacman -U -- /home/alice/.cache/yay/123pan-bin/x.pkg.tar.zst'\n\
        [2026-06-11T09:12:04+0200] [ALPM] installed 123pan-bin (2.5.4-1)\n\
        [2026-06-11T09:30:00+0200] [ALPM] installed 1code (1.0-1)\n[2026-06-12T09:30:00+0200] [ALPM] removed 1code (1.0-1)\n";
    let machine = with_entry(Machine::new(), "123pan-bin", "2.5.4-1", IN_WINDOW, "none");
    let machine = with_entry(machine, "acpitool", "0.5.1-8", IN_WINDOW, "pgp");
    let machine = machine.file("var/log/pacman.log", log);
    let (report, code) = report(machine.root());
    let found = findings(&report);
    let expected = [
        "executed/likely aur/123pan-bin@2.5.4-1 /var/lib/pacman/local/123pan-bin-2.5.4-1/desc",
        "executed/likely aur/1code@1.0-1 /var/log/pacman.log:3",
        "installed/possible aur/acpitool@0.5.1-8 /var/lib/pacman/local/acpitool-0.5.1-8/desc",
    ];
    assert_eq!((found.as_slice(), code), (expected.map(String::from).as_slice(), 1));
    let here = reason(&report, "aur/123pan-bin@2.5.4-1", "local");
    assert!(here.contains("`/var/log/pacman.log` says that it was installed at 2026-06-11T07:12:04Z"), "{here}");
    assert!(reason(&report, "aur/acpitool@0.5.1-8", "local").contains("a repository signed it"));
    // Nothing of pacman's own files is taken away, and pacman is started for nothing.
    let plan = plan(&report);
    assert!(plan.contains("use no pacman for this") && !plan.contains("keep s-"), "{plan}");
    assert!(plan.contains("Find where the removed version stood") && !plan.contains("out of /var/log"), "{plan}");
}

#[test]
fn the_same_packages_at_another_time_and_others_are_left_alone() {
    let machine = with_entry(Machine::new(), "123pan-bin", "2.5.4-1", AFTER, "none");
    let machine = with_entry(machine, "paru", "2.0.3-1", IN_WINDOW, "none");
    let machine = with_entry(machine, "librewolf-bin", "140.0-1", IN_WINDOW, "none");
    let log = "[2026-09-01T00:00:00+0000] [ALPM] installed 123pan-bin (2.5.4-1)\n[2026-06-11T09:12:04+0200] [ALPM] installed paru (2.0.3-1)\n\
        [2026-06-11T09:12:04+0200] [ALPM] removed acpitool (0.5.1-8)\n[2026-06-11T09:12:04+0200] [PACMAN] installed acpitool (0.5.1-8)\n";
    let info = "pkgbase = paru\n\tpkgver = 2.0.3\n\tpkgrel = 1\n\npkgname = paru\n";
    let machine = machine.file("var/log/pacman.log", log).home(".cache/yay/paru/.SRCINFO", info);
    let (report, code) = report(machine.root());
    assert_eq!((findings(&report), code), (vec![], 0));
}

#[test]
fn what_helpers_fetched_and_built_is_found_in_their_folders() {
    let info = "pkgbase = firefox-patch-bin\n\tpkgver = 140.0\n\tpkgrel = 1\n\npkgname = firefox-patch-bin\n";
    let built = fixture("pacman-package");
    let name = "firefox-patch-bin-140.0-1-any.pkg.tar.gz";
    let machine = Machine::new()
        .home(".cache/paru/clone/firefox-patch-bin/.SRCINFO", info)
        .home(".cache/paru/clone/firefox-patch-bin/PKGBUILD", "pkgname=firefox-patch-bin\npkgver=140.0\npkgrel=1\n")
        .home(&format!(".cache/yay/firefox-patch-bin/{name}"), &built)
        .file(&format!("var/cache/pacman/pkg/{name}"), &built);
    let (report, _) = report(machine.root());
    let indicator = "aur/firefox-patch-bin@140.0-1";
    let expected = [
        format!("cached/likely {indicator} /home/alice/.cache/paru/clone/firefox-patch-bin/.SRCINFO"),
        format!("cached/likely {indicator} /home/alice/.cache/paru/clone/firefox-patch-bin/PKGBUILD"),
        format!("cached/likely {indicator} /var/cache/pacman/pkg/{name}"),
        format!("executed/likely {indicator} /home/alice/.cache/yay/firefox-patch-bin/{name}"),
    ];
    assert_eq!(findings(&report), expected);
}

/// As dpkg writes it.
const STATUS: &str = "Package: trivy\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.69.4\nDescription: x\n\n\
    Package: xz-utils\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 5.6.1-1\n\n\
    Package: liblzma5\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.6.1+really5.4.5-1\n";

#[test]
fn what_dpkg_installed_and_what_it_had_installed_are_found() {
    let log = "2026-03-24 10:11:13 status installed trivy:amd64 0.69.4\n2026-03-24 10:12:00 remove liblzma-dev:amd64 5.6.0-0.2 <none>\n";
    let history = "Start-Date: 2026-03-24  10:11:12\nInstall: liblzma-dev:amd64 (5.6.0-0.2, automatic)\n";
    let machine = Machine::new()
        .file("var/lib/dpkg/status", STATUS)
        .file("var/log/dpkg.log", log)
        .file("var/log/apt/history.log", history)
        .file("var/cache/apt/archives/trivy_0.69.4_amd64.deb", b"!<arch>\ndebian-binary   ")
        .file("var/cache/apt/archives/trivy_0.69.5_amd64.deb", b"!<arch>\ndebian-binary   ");
    let (report, _) = report(machine.root());
    let expected = [
        "cached/confirmed deb/trivy@0.69.4 /var/cache/apt/archives/trivy_0.69.4_amd64.deb",
        "installed/confirmed deb/trivy@0.69.4 /var/lib/dpkg/status",
        "removed/likely deb/liblzma-dev@5.6.0-0.2 /var/log/apt/history.log:2",
        "removed/likely deb/liblzma-dev@5.6.0-0.2 /var/log/dpkg.log:2",
        "removed/likely deb/xz-utils@5.6.1-1 /var/lib/dpkg/status",
    ];
    assert_eq!(findings(&report), expected);
    let here = finding(&report, "deb/trivy@0.69.4", "status");
    assert_eq!(here["at"], "2026-03-24T10:11:13Z", "{here:#}");
    let plan = plan(&report);
    assert!(plan.contains("dpkg-deb --extract") && !plan.contains("take out what is not yours"), "{plan}");
    let steps = report["checklist"].as_array().unwrap().iter().flat_map(|i| i["steps"].as_array().unwrap());
    let kept: Vec<&str> = steps.filter_map(|s| s["command"].as_str()?.strip_prefix("keep s-")).collect();
    assert!(kept.len() == 1 && kept[0].ends_with(" /var/cache/apt/archives/trivy_0.69.4_amd64.deb"), "{kept:?}");
}

#[test]
fn an_image_without_dpkg_and_other_versions() {
    let bad = "Package: liblzma5\nVersion: 5.6.1-1\nArchitecture: amd64\n";
    let machine = Machine::new()
        .file("var/lib/dpkg/status.d/liblzma5", bad)
        .file("var/lib/dpkg/status.d/xz-utils", bad.replace("5.6.1-1", "5.6.2-1").replace("liblzma5", "xz-utils"))
        .file("var/lib/dpkg/status", STATUS.replace("0.69.4", "0.69.3").replace("5.6.1-1\n", "5.6.2-1\n"))
        .file("var/log/dpkg.log", "2026-03-24 10:11:13 status installed trivy:amd64 0.69.3\n");
    let (report, _) = report(machine.root());
    assert_eq!(findings(&report), ["installed/confirmed deb/liblzma5@5.6.1-1 /var/lib/dpkg/status.d/liblzma5"]);
}

#[test]
fn each_database_of_rpm_is_read() {
    for (place, name) in
        [("var/lib/rpm", "rpmdb.sqlite"), ("usr/lib/sysimage/rpm", "rpmdb.sqlite"), ("var/lib/rpm", "Packages")]
    {
        let machine = Machine::new().file(&format!("{place}/{name}"), fixture(name));
        let (report, _) = report(machine.root());
        let expected = [
            format!("installed/confirmed rpm/trivy@0.69.4-1 /{place}/{name}"),
            format!("installed/likely rpm/liblzma5@5.6.0-1.1 /{place}/{name}"),
        ];
        assert_eq!(findings(&report), expected, "{place}/{name}");
        assert!(plan(&report).contains("rpm2cpio") && !plan(&report).contains("keep s-"));
    }
}
