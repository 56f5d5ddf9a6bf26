//! An inventory for others: nothing in it says whose it is, and it is judged as the machine was.

use std::fs;

use serde_json::{Value, json};

use crate::{
    inventory::{Kept, compared, matched},
    machine::Machine,
    program::findings,
};

/// Everything that is a name of a user, a host or a repository says so.
fn canaries() -> Machine {
    let home = |path: &str| format!("home/canaryuser/{path}");
    let history = "#1774350600\npip install litellm==1.82.8\n#1774350700\nssh canaryadmin@canarybox pip install litellm==1.82.8\n\
                   #1774350800\nsudo -u canaryops pip install litellm==1.82.8\n#1774350900\n\
                   docker run -v /home/canaryuser/canarydata:/x canaryteam/canaryimage pip install litellm==1.82.8\n\
                   #1774351000\npip install git+https://al:pw@canarygit.example/canaryteam/canaryrepo.git\n\
                   #1774351100\n~/src/canaryproject/venv/bin/pip install litellm==1.82.8\n";
    let site = "src/canaryproject/venv/lib/python3.11/site-packages";
    let lock = json!({"name": "canaryweb", "lockfileVersion": 3, "packages": {
        "node_modules/axios": {"version": "1.14.1", "resolved": "https://canarymirror.example/axios/-/axios-1.14.1.tgz"},
        "node_modules/own": {"version": "1.0.0", "resolved": "git+ssh://git@canarygit.example/canaryteam/canarylib.git#abc"},
    }});
    Machine::new()
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/sh\ncanaryuser:x:1000:1000:Canary User:/home/canaryuser:/bin/sh\ncanaryops:x:1001:1001::/srv/canaryops:/bin/sh\n")
        .file("etc/hostname", "canaryhost\n")
        .file("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 canaryhost.canarycorp.example canaryhost\n10.0.0.7 canaryinternal.canarycorp.example\n")
        .file(&home(".bash_history"), history)
        .file("srv/canaryops/.zsh_history", ": 1774350600:0;pip install litellm==1.82.8\n")
        .file("home/canaryguest/src/requirements.txt", "litellm==1.82.8\nownlib @ git+ssh://git@canarygit.example/canaryteam/canarylib.git\n")
        .file(&home(&format!("{site}/litellm-1.82.8.dist-info/METADATA")), "Name: litellm\nVersion: 1.82.8\n")
        .file(&home(&format!("{site}/litellm-1.82.8.dist-info/INSTALLER")), "pip\n")
        .file(&home(&format!("{site}/litellm-1.82.8.dist-info/REQUESTED")), "")
        .file(&home(&format!("{site}/litellm-1.82.8.dist-info/RECORD")), "litellm_init.pth,,\nlitellm/__init__.py,,\n")
        .file(&home(&format!("{site}/litellm_init.pth")), "import base64, subprocess\n")
        .file(&home("src/canaryproject/venv/pyvenv.cfg"), "home = /usr/bin\ncommand = /usr/bin/python3 -m venv /home/canaryuser/src/canaryproject/venv\n")
        .file(&home("src/canaryweb/package-lock.json"), lock.to_string())
        .file(&home("src/canaryweb/package.json"), json!({"name": "web", "dependencies": {"axios": "^1.14.0", "own": "git+ssh://git@canarygit.example/canaryteam/canarylib.git"}}).to_string())
        .file(&home("src/canaryweb/node_modules/axios/package.json"), json!({"name": "axios", "version": "1.14.1"}).to_string())
        .file(&home(".ssh/id_ed25519.pub"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPbyTjx2rGVYZ7YXCMfhu1vI3bIQ0o1Fp6hK8t7Wc5r canaryuser@canaryhost\n")
        .file(&home(".ssh/config"), "Host canarybox\n  HostName canarybox.canarycorp.example\n  User canaryadmin\n")
        .file(&home(".pypirc"), "[pypi]\nusername = canaryuser\npassword = pypi-abc\n")
        .file(&home(".docker/config.json"), json!({"auths": {"canaryregistry.example": {"auth": "YTpi"}}}).to_string())
        .file(&home(".aws/credentials"), "[canaryprofile]\naws_access_key_id = AKIAQYLPMN5HHHFPZAM2\naws_secret_access_key = x\n")
        .file(&home("src/canaryproject/broken/poetry.lock"), "[[package]\nname = \"litellm\"\nversion = \"1.82.8\"\n")
        .file(&home("src/canaryproject/.git/config"), "[remote \"origin\"]\n\turl = git@github.com:canaryteam/canaryhidden.git\n")
        .file(&home("src/canaryproject/.git/HEAD"), "ref: refs/heads/canarybranch\n")
        .file(&home("src/canaryproject/.github/workflows/canaryflow.yml"), "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n")
        .file(&home(".cursor/mcp.json"), json!({"mcpServers": {"canaryserver": {"command": "uvx", "args": ["litellm==1.82.8"]}}}).to_string())
        .file(&home("src/ci-logs/canaryrepo-12.log"), "2026-03-24T11:00:00.1234567Z Downloading litellm-1.82.8-py3-none-any.whl (9 MB)\n2026-03-24T11:00:09.1234567Z Successfully installed litellm-1.82.8\n")
        .file("var/log/auth.log", "2026-03-24T11:00:00.123456+00:00 canaryhost sudo[81]: canaryuser : TTY=pts/0 ; PWD=/home/canaryuser/canarydata ; USER=canaryops ; COMMAND=/usr/bin/pip install litellm==1.82.8\n")
        .file(&home("canaryuser-notes.txt"), "")
        .file(&home("backup.canaryhost.tar"), "")
}

fn lines(kept: &Kept) -> String {
    fs::read_to_string(kept.path("i.ndjson")).unwrap()
}

/// What a report says, without names and places.
fn judged(report: &Value) -> (Vec<String>, Vec<String>) {
    let found = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    let mut found: Vec<String> = found
        .map(|f| {
            let kinds = (
                &f["rule"],
                &f["confidence"],
                &f["surface"],
                &f["indicator"],
                &f["at"],
                &f["moment"],
                &f["environment"]["kind"],
            );
            let chain: Vec<&Value> = f["chain"].as_array().unwrap().iter().map(|l| &l["name"]).collect();
            format!("{kinds:?} {chain:?} {}", f["account"]["uid"])
        })
        .collect();
    let credentials = report["credentials"].as_array().unwrap().iter();
    let mut credentials: Vec<String> =
        credentials.map(|c| format!("{} {} {} {}", c["kind"], c["reach"], c["rotate"], c["uid"])).collect();
    found.sort();
    credentials.sort();
    (found, credentials)
}

#[test]
fn nothing_of_a_name_is_in_it_and_the_judgement_is_the_same() {
    let machine = canaries();
    for names in [&[][..], &["--names"]] {
        let plain = Kept::of(&machine, "i.ndjson", names);
        let kept = Kept::of(&machine, "i.ndjson", &[names, &["--redact"]].concat());
        assert_eq!(kept.scan, plain.scan, "the report itself stays as it is");
        let (open, hidden) = (lines(&plain).to_lowercase(), lines(&kept).to_lowercase());
        assert!(open.matches("canary").count() > 40, "the canaries are where names are");
        let left: Vec<&str> = hidden.split('"').filter(|part| part.contains("canary")).collect();
        assert!(left.is_empty(), "{left:#?}");
        let again = matched(&kept.path("i.ndjson"), &[]);
        assert!(!again.out.to_lowercase().replace("canary\"", "").contains("canaryuser"), "{}", again.out);
        assert_eq!(again.code, plain.code);
        let (report, before) = (compared(&again), compared(&matched(&plain.path("i.ndjson"), &[])));
        assert!(findings(&before).len() > 8, "{:#?}", findings(&before));
        assert_eq!(judged(&report), judged(&before));
        assert_eq!(report["checklist"].as_array().unwrap().len(), before["checklist"].as_array().unwrap().len());
    }
}

#[test]
fn a_pseudonym_is_the_same_wherever_the_name_stands() {
    let kept = Kept::of(&canaries(), "i.ndjson.zst", &["--redact"]);
    let packed = fs::read(kept.path("i.ndjson.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let names = end["end"]["accounts"]["names"].as_array().unwrap();
    let name = |uid: u64| names.iter().find(|n| n[0] == uid).unwrap()[1].as_str().unwrap().to_owned();
    assert_eq!(name(0), "root", "what every machine has is no secret");
    assert!(name(1000).starts_with("user-") && name(1001).starts_with("user-") && name(1000) != name(1001));
    assert!(text.contains(&format!("\"/home/{}/.bash_history\"", name(1000))));
    assert!(text.contains(&format!("\"account\":\"{}\"", name(1001))));
    let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(head["redacted"], true);
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/inventory-1.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for line in text.lines() {
        let faults: Vec<String> =
            schema.iter_errors(&serde_json::from_str(line).unwrap()).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{line}: {faults:?}");
    }
}

#[test]
fn names_that_paths_are_made_of_hide_the_account_alone() {
    let site = "home/lib/app/lib/python3.11/site-packages";
    let machine = Machine::new()
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nlib:x:1000:1000::/home/lib:/bin/sh\nlitellm:x:1001:1001::/home/litellm:/bin/sh\n")
        .file(&format!("{site}/litellm-1.82.8.dist-info/METADATA"), "Name: litellm\nVersion: 1.82.8\n")
        .file("home/litellm/src/litellm/requirements.txt", "litellm==1.82.8\n");
    let kept = Kept::of(&machine, "i.ndjson", &["--redact"]);
    let text = lines(&kept);
    assert!(text.contains("/app/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA\""), "{text}");
    assert!(!text.contains("/home/lib/") && !text.contains("/home/litellm/"));
    assert_eq!(judged(&compared(&matched(&kept.path("i.ndjson"), &[]))), judged(&kept.scan));
}
