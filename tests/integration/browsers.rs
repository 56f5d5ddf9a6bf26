//! Extensions of browsers and plug-ins of JetBrains' products, in every place that they are installed to.

use std::fs;

use serde_json::json;

use crate::{
    machine::Machine,
    program::{finding, findings, report_with},
};

const ID: &str = "abcdefghijklmnopabcdefghijklmnop";
const IOCS: [&str; 6] = [
    "--ioc",
    "pkg:chrome/abcdefghijklmnopabcdefghijklmnop@24.10.4",
    "--ioc",
    "pkg:firefox/tool%40acme.example@1.2.3",
    "--ioc",
    "pkg:jetbrains/com.acme.tool@1.2.3",
];

const CHROME: &[&str] = &[
    "home/ada/.config/google-chrome/Default",
    "home/ada/.config/chromium/Profile 1",
    "home/ada/.config/BraveSoftware/Brave-Browser/Default",
    "home/ada/snap/chromium/common/chromium/Default",
    "home/ada/.var/app/com.google.Chrome/config/google-chrome/Default",
    "Users/bo/Library/Application Support/Google/Chrome/Default",
    "Users/bo/AppData/Local/Google/Chrome/User Data/Default",
    "Users/bo/AppData/Local/Microsoft/Edge/User Data/Default",
];
const FIREFOX: &[&str] = &[
    "home/ada/.mozilla/firefox/x.default-release",
    "home/ada/snap/firefox/common/.mozilla/firefox/x.default",
    "home/ada/.var/app/org.mozilla.firefox/.mozilla/firefox/x.default",
    "home/ada/.librewolf/x.default",
    "Users/bo/Library/Application Support/Firefox/Profiles/x.default",
    "Users/bo/AppData/Roaming/Mozilla/Firefox/Profiles/x.default",
];
const JETBRAINS: &[&str] = &[
    "home/ada/.local/share/JetBrains/IntelliJIdea2026.1",
    "home/ada/.local/share/Google/AndroidStudio2025.2",
    "Users/bo/Library/Application Support/JetBrains/PyCharm2026.1/plugins",
    "Users/bo/AppData/Roaming/JetBrains/GoLand2026.1/plugins",
];

/// An extension of each kind in each place: `version` is Chrome's, the archives are the others'.
fn machine(version: &str, xpi: &str, jar: &str) -> Machine {
    let archive =
        |name: &str| fs::read(format!("{}/tests/fixtures/extension/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let manifest = json!({"manifest_version": 3, "version": version}).to_string();
    let mut machine = Machine::new();
    for place in CHROME {
        machine = machine.file(&format!("{place}/Extensions/{ID}/{version}_0/manifest.json"), &manifest);
    }
    for place in FIREFOX {
        machine = machine.file(&format!("{place}/extensions/tool@acme.example.xpi"), archive(xpi));
    }
    for place in JETBRAINS {
        machine = machine.file(&format!("{place}/tool/lib/tool.jar"), archive(jar));
    }
    machine
}

#[test]
fn each_place_shows_the_version() {
    let (report, code) = report_with(machine("24.10.4", "tool.xpi", "tool.jar").root(), &IOCS);
    assert_eq!(code, 1);
    let found = findings(&report);
    let of = |what: &str| found.iter().filter(|f| f.starts_with(&format!("installed/confirmed {what}/"))).count();
    let expected = (CHROME.len(), FIREFOX.len(), JETBRAINS.len());
    assert_eq!((of("chrome"), of("firefox"), of("jetbrains")), expected, "{found:#?}");
    let chrome = finding(&report, &format!("chrome/{ID}@24.10.4"), "/home/ada/.config/google-chrome/");
    assert_eq!(chrome["package"], format!("pkg:chrome/{ID}@24.10.4"));
    assert!(chrome["reason"].as_str().unwrap().contains("among the extensions of a browser"), "{chrome:#}");
    let firefox = finding(&report, "firefox/tool@acme.example@1.2.3", "/home/ada/.mozilla/");
    assert_eq!(firefox["package"], "pkg:firefox/tool%40acme.example@1.2.3");
    assert_eq!(
        finding(&report, "jetbrains/com.acme.tool@1.2.3", "/home/ada/.local/share/JetBrains/")["package"],
        "pkg:jetbrains/com.acme.tool@1.2.3"
    );
    let checklist = report["checklist"].to_string();
    assert!(checklist.contains("close the browser") && checklist.contains("close the editor"), "{checklist}");
}

#[test]
fn other_versions_are_left_alone() {
    let (report, code) = report_with(machine("24.10.3", "tool-good.xpi", "tool-good.jar").root(), &IOCS);
    assert_eq!((code, findings(&report).len()), (0, 0), "{report:#}");
}
