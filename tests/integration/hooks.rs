//! What starts by itself in a home and in projects: each layout with an incident's own commands, and the same with others.

use serde_json::json;

use crate::{
    machine::Machine,
    program::{finding, findings, report_with},
};

/// Every place, with commands for a home and for a project.
fn machine(own: &str, project: &str) -> Machine {
    let nested = |command: &str| {
        json!({"hooks": {"SessionStart": [{"matcher": "*", "hooks": [{"type": "command", "command": command}]}]}})
            .to_string()
    };
    let flat = |command: &str| json!({"version": 1, "hooks": {"sessionStart": [{"command": command}]}}).to_string();
    let task = json!({"version": "2.0.0", "tasks": [
        {"label": "setup", "type": "shell", "command": project, "runOptions": {"runOn": "folderOpen"}},
    ]});
    let words = own.split(' ').map(|word| format!("<string>{word}</string>")).collect::<String>();
    let agent =
        format!("<plist version=\"1.0\"><dict><key>ProgramArguments</key><array>{words}</array></dict></plist>\n");
    Machine::new()
        .home(".claude/settings.json", nested(own))
        .home(".cursor/hooks.json", flat(own))
        .home(".gemini/settings.json", nested(own))
        .home(".codex/hooks.json", nested(own))
        .home(".bashrc", format!("# ~/.bashrc\n{own} &\n"))
        .home(".zshenv", format!("{own} &\n"))
        .home(".config/fish/conf.d/x.fish", format!("{own} &\n"))
        .home("Library/LaunchAgents/com.x.plist", agent)
        .file("etc/profile.d/x.sh", format!("{own} &\n"))
        .file("etc/pam.d/sshd", format!("session optional pam_exec.so /usr/bin/env {own}\n"))
        .file("etc/udev/rules.d/99-x.rules", format!("ACTION==\"add\", RUN+=\"/bin/sh -c '{own}'\"\n"))
        .home("src/shop/.claude/settings.local.json", nested(project))
        .home("src/shop/.cursor/hooks.json", flat(project))
        .home("src/shop/.github/hooks/x.json", flat(project))
        .home("src/shop/.vscode/tasks.json", task.to_string())
        .home("src/shop/.devcontainer/devcontainer.json", json!({"postCreateCommand": project}).to_string())
        .home("src/shop/.envrc", format!("{project}\n"))
        .home("src/shop/.husky/pre-commit", format!("{project}\n"))
        .home("src/shop/lefthook.yml", format!("pre-commit:\n  commands:\n    x:\n      run: {project}\n"))
}

#[test]
fn each_place_shows_an_incidents_own_command() {
    let own = "python3 /home/alice/.config/sysmon/sysmon.py";
    let (report, code) = report_with(machine(own, own).root(), &[]);
    assert_eq!(code, 1);
    let found = findings(&report);
    let starts = |exposure: &str| {
        let own =
            found.iter().filter(|f| f.starts_with(&format!("{exposure}/likely process/.config/sysmon/sysmon.py ")));
        own.map(|f| f.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (by_itself, in_project) = (starts("executed"), starts("installed"));
    assert_eq!((by_itself.len(), in_project.len()), (11, 8), "{found:#?}");
    assert!(by_itself.iter().all(|path| !path.contains("/src/shop/")), "{by_itself:#?}");
    assert!(in_project.iter().all(|path| path.starts_with("/home/alice/src/shop/")), "{in_project:#?}");
    // Nobody's settings are moved away as a whole.
    let steps = report["checklist"].as_array().unwrap().iter().flat_map(|i| i["steps"].as_array().unwrap());
    let says = |text: &str| steps.clone().any(|s| s["do"].as_str().is_some_and(|d| d.contains(text)));
    assert!(says("keep a copy of the file and take out what is not yours: /home/alice/.bashrc, line 2"));
    assert!(says(
        "/home/alice/src/shop/.vscode/tasks.json [task `setup`, which starts when the folder is opened], line 1"
    ));
    let moved = steps.filter_map(|s| s["command"].as_str()).filter(|c| c.starts_with("keep s-"));
    assert_eq!(moved.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_same_places_with_other_commands_are_left_alone() {
    for command in ["python3 /home/alice/.config/monitor/sysmon.py", "uvx litellm@1.82.6", "npx -y axios@1.14.0"] {
        let (report, _) = report_with(machine(command, command).root(), &[]);
        assert_eq!(findings(&report), [""; 0], "{command}");
    }
    let search = "grep -r .config/sysmon/sysmon.py /home";
    assert_eq!(findings(&report_with(machine(search, search).root(), &[]).0), [""; 0]);
}

/// What `uvx mcp-notes` leaves: an environment in uv's cache.
fn notes(machine: Machine) -> Machine {
    let site = "home/alice/.cache/uv/archive-v0/x1B2c/lib/python3.12/site-packages";
    let dist = |machine: Machine, name: &str, version: &str, needs: &str| {
        let folder = format!("{site}/{}-{version}.dist-info", name.replace('-', "_"));
        machine
            .file(
                &format!("{folder}/METADATA"),
                format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"),
            )
            .file(&format!("{folder}/INSTALLER"), "uv")
            .file(&format!("{folder}/RECORD"), "")
    };
    let machine = machine.file(
        "home/alice/.cache/uv/archive-v0/x1B2c/pyvenv.cfg",
        "home = /usr/bin\nuv = 0.9.1\nversion_info = 3.12.3\n",
    );
    let machine = dist(machine, "mcp-notes", "0.3.0", "Requires-Dist: litellm>=1.60\n");
    dist(machine, "litellm", "1.82.8", "")
}

#[test]
fn a_hook_of_an_agent_brought_it_in() {
    let hook = json!({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "uvx mcp-notes"}]}]}});
    let machine = notes(Machine::new().home(".claude/settings.json", format!("{hook:#}\n")));
    let (report, _) = report_with(machine.root(), &[]);
    let found = finding(&report, "pypi/litellm@1.82.8", "/home/alice/.cache/uv/archive-v0/x1B2c/");
    let names: Vec<&str> = found["chain"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hook SessionStart of Claude Code", "mcp-notes", "litellm"]);
    let other = json!({"hooks": {"SessionStart": [{"hooks": [{"type": "prompt", "prompt": "uvx mcp-notes"}]}]}});
    let machine = notes(Machine::new().home(".claude/settings.json", other.to_string()));
    let (report, _) = report_with(machine.root(), &[]);
    let found = finding(&report, "pypi/litellm@1.82.8", "/home/alice/.cache/uv/archive-v0/x1B2c/");
    assert_eq!(found["chain"][0]["name"], "mcp-notes");
}
