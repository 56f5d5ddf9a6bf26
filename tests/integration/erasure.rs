//! The commands of the checklist, run as they are printed: what they say they remove is gone, and a second examination agrees.

use std::{fs, process::Command};

use crate::{machine::Machine, program};

/// A folder's name that does harm wherever a shell reads it without quotes.
const HOSTILE: &str = "it's $(touch PWNED) `touch PWNED` ; touch PWNED";

#[test]
fn the_printed_commands_remove_what_they_name() {
    let machine = Machine::new()
        .venv(&format!("{HOSTILE}/.venv"))
        .dist("litellm", "1.82.8")
        .owned("litellm", "1.82.8", "litellm_init.pth", "import os\n")
        .venv("kept")
        .dist("litellm", "1.82.6")
        .home(".config/sysmon/sysmon.py", "# inert\n")
        .home(
            ".config/systemd/user/sysmon.service",
            "[Unit]\nDescription=System Telemetry Service\n[Service]\nExecStart=/usr/bin/python3 %h/.config/sysmon/sysmon.py\n",
        );
    let home = machine.root().join("home/alice");
    let scan = || {
        let said =
            program::run(["scan".as_ref(), "--home".as_ref(), home.as_os_str(), "--format".as_ref(), "json".as_ref()]);
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        (program::exposure(&report).to_owned(), report)
    };
    let (before, report) = scan();
    assert_eq!(before, "executed");
    let items = report["checklist"].as_array().unwrap().iter();
    let steps = items.filter(|i| i["phase"] == "preserve" || i["phase"] == "eradicate");
    let steps = steps.flat_map(|i| i["steps"].as_array().unwrap()).filter(|s| s["by_hand"] != true);
    let steps = steps.filter_map(|s| s["command"].as_str());
    // The service manager here is not alice's; everything else runs, with the evidence beside the made-up machine.
    let mut script = String::new();
    for command in steps.filter(|c| !c.starts_with("systemctl ")) {
        script.push_str(command);
        script.push_str(" || exit 9\n");
    }
    let run = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .current_dir(machine.root())
        .env("HOME", machine.root())
        .env_remove("ROOT")
        .output()
        .unwrap();
    assert!(run.status.success(), "{script}{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.stderr, b"");

    let left: Vec<String> = walkdir::WalkDir::new(&home)
        .into_iter()
        .map(|e| e.unwrap())
        .filter(|e| e.file_type().is_file())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    for name in ["litellm_init.pth", "sysmon.py", "sysmon.service", "PWNED"] {
        assert!(!left.iter().any(|l| l == name), "{name} is still there: {left:?}");
    }
    assert!(!machine.root().join("PWNED").exists());
    assert_eq!(scan().0, "none");
    // The good environment is left alone, and what was taken out is among the evidence, under its path.
    assert!(home.join("kept/lib/python3.11/site-packages/litellm-1.82.6.dist-info/METADATA").exists());
    let evidence = fs::read_dir(machine.root()).unwrap().map(|e| e.unwrap().path());
    let evidence = evidence.into_iter().find(|p| p.to_string_lossy().contains("/dosimeter-evidence.")).unwrap();
    let mut kept = std::collections::BTreeMap::new();
    for archive in fs::read_dir(&evidence).unwrap().map(|e| e.unwrap().path()) {
        if archive.extension().is_some_and(|e| e == "tar") {
            for member in tar::Archive::new(fs::File::open(archive).unwrap()).entries().unwrap() {
                let mut member = member.unwrap();
                let mut text = String::new();
                std::io::Read::read_to_string(&mut member, &mut text).unwrap();
                kept.insert(std::path::Path::new("/").join(member.path().unwrap().strip_prefix(".").unwrap()), text);
            }
        }
    }
    assert_eq!(kept[&home.join(".config/sysmon/sysmon.py")], "# inert\n");
    assert!(kept.contains_key(&home.join(HOSTILE).join(".venv/lib/python3.11/site-packages/litellm_init.pth")));
}
