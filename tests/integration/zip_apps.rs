//! Programs of Python in one archive, as pex, shiv and zipapp make them.

use std::io::{Cursor, Write as _};

use crate::{
    machine::Machine,
    program::{exposure, finding, findings, report, run},
};

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in members {
        zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    [b"#!/usr/bin/env python3\n".as_slice(), &zip.finish().unwrap().into_inner()].concat()
}

fn pex(version: &str) -> Vec<u8> {
    let info = format!(".deps/litellm-{version}-py3-none-any.whl/litellm-{version}.dist-info");
    archive(&[
        ("PEX-INFO", "{\"requirements\": [\"dspy\"]}"),
        (".deps/d.whl/dspy-2.6.0.dist-info/METADATA", "Name: dspy\nVersion: 2.6.0\nRequires-Dist: litellm>=1.60\n"),
        (&format!("{info}/METADATA"), &format!("Name: litellm\nVersion: {version}\n")),
        ("__main__.py", ""),
    ])
}

#[test]
fn a_program_is_installed_where_it_lies_and_says_why_the_package_is_in_it() {
    let machine = Machine::new().home("bin/tool", pex("1.82.8")).home("srv/app.pex", pex("1.82.7"));
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("installed", 1));
    for (indicator, path) in
        [("pypi/litellm@1.82.8", "/home/alice/bin/tool"), ("pypi/litellm@1.82.7", "/home/alice/srv/app.pex")]
    {
        let found = finding(&report, indicator, path);
        assert_eq!(found["environment"]["path"], path);
        assert_eq!((&found["exposure"], &found["confidence"]), (&"installed".into(), &"confirmed".into()));
        assert!(found["location"]["inner"].as_str().unwrap().ends_with(".dist-info/METADATA"));
        assert!(found["reason"].as_str().unwrap().contains("in an archive that Python runs as a program"));
        let chain: Vec<_> = found["chain"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
        assert_eq!((chain, &found["chain"][0]["requested"]), (vec!["dspy", "litellm"], &true.into()));
    }
    assert_eq!(findings(&report).len(), 2, "{:#?}", findings(&report));
    let plan = run(["rotate", "--format", "markdown", "--root", machine.root().to_str().unwrap()]);
    let moved = plan.out.lines().any(|l| l.trim().starts_with("keep ") && l.ends_with(" /home/alice/bin/tool"));
    assert!(moved && !plan.out.contains("rm -- /home"), "{}", plan.out);
}

#[test]
fn good_programs_and_scripts_are_left_alone() {
    let machine = Machine::new()
        .home("bin/tool", pex("1.82.6"))
        .home("bin/script", "#!/bin/sh\necho litellm-1.82.8.dist-info/METADATA PK\n")
        .home("app.zip", "PK\x03\x04 cut off")
        .home("bin/data.zip", archive(&[("notes/litellm-1.82.8.txt", "litellm 1.82.8"), ("__main__.py", "")]));
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 0), "{:#?} {:#?}", findings(&report), report["coverage"]["gaps"]);
}

#[test]
fn a_packed_pex_runs_the_wheels_beside_it() {
    let wheel = archive(&[("litellm-1.82.7.dist-info/METADATA", "Name: litellm\nVersion: 1.82.7\n")]);
    let wheel = wheel.strip_prefix(b"#!/usr/bin/env python3\n").unwrap().to_vec();
    let machine = Machine::new()
        .home("app/.deps/litellm-1.82.7-py3-none-any.whl", &wheel)
        .home("wheels/litellm-1.82.7-py3-none-any.whl", &wheel);
    let (report, _) = report(machine.root());
    assert_eq!(finding(&report, "pypi/litellm@1.82.7", "/.deps/")["exposure"], "installed");
    assert_eq!(finding(&report, "pypi/litellm@1.82.7", "/wheels/")["exposure"], "cached");
}
