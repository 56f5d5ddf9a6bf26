//! A server that an editor starts for its tools, and what it brought in: the chain from the editor's settings down to the package.

use serde_json::json;

use crate::{
    machine::Machine,
    program::{finding, report_with},
};

/// What `uvx mcp-notes` leaves: an environment in uv's cache.
fn machine(settings: &str) -> Machine {
    let site = "home/alice/.cache/uv/archive-v0/x1B2c/lib/python3.12/site-packages";
    let dist = |machine: Machine, name: &str, version: &str, needs: &str| {
        let folder = format!("{site}/{}-{version}.dist-info", name.replace('-', "_"));
        let needs = if needs.is_empty() { String::new() } else { format!("Requires-Dist: {needs}\n") };
        machine
            .file(
                &format!("{folder}/METADATA"),
                format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"),
            )
            .file(&format!("{folder}/INSTALLER"), "uv")
            .file(&format!("{folder}/RECORD"), "")
            .file(&format!("{folder}/REQUESTED"), "")
    };
    let mut machine = Machine::new()
        .file(
            "home/alice/.cache/uv/archive-v0/x1B2c/pyvenv.cfg",
            "home = /usr/bin\nuv = 0.9.1\nversion_info = 3.12.3\n",
        )
        .home(".cursor/mcp.json", settings);
    machine = dist(machine, "mcp-notes", "0.3.0", "dspy>=2");
    machine = dist(machine, "dspy", "2.6.0", "litellm>=1.60");
    dist(machine, "litellm", "1.82.8", "")
}

#[test]
fn a_plug_in_of_the_editor_pulled_it_in() {
    let settings = json!({"mcpServers": {
        "files": {"command": "npx", "args": ["-y", "x"]},
        "notes": {"command": "uvx", "args": ["mcp-notes@latest"], "env": {"TOKEN": "s3cr3t-of-the-server"}},
    }});
    let (report, code) = report_with(machine(&format!("{settings:#}\n")).root(), &[]);
    assert_eq!(code, 1);
    let found = finding(&report, "pypi/litellm@1.82.8", "/home/alice/.cache/uv/archive-v0/x1B2c/");
    let names: Vec<&str> = found["chain"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["server notes of Cursor", "mcp-notes", "dspy", "litellm"]);
    assert_eq!(found["chain"][1]["requirement"], "uvx mcp-notes");
    let reason = found["reason"].as_str().unwrap();
    assert!(
        reason.contains("`/home/alice/.cursor/mcp.json:10`, server `notes` of Cursor, starts `mcp-notes` with `uvx`"),
        "{reason}"
    );
    let timeline = report["timeline"].to_string();
    assert!(timeline.contains("was set up by then: it starts `mcp-notes`"), "{timeline}");
    assert!(!report.to_string().contains("s3cr3t"));
}

#[test]
fn one_that_starts_something_else_is_no_reason() {
    let settings = json!({"mcpServers": {"notes": {"command": "uvx", "args": ["mcp-notes-2"]}}});
    let (report, _) = report_with(machine(&settings.to_string()).root(), &[]);
    let found = finding(&report, "pypi/litellm@1.82.8", "/home/alice/.cache/uv/archive-v0/x1B2c/");
    let names: Vec<&str> = found["chain"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mcp-notes", "dspy", "litellm"]);
}
