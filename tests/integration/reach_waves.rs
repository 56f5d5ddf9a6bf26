//! Payloads whose lists are published in part or not at all: what they name is likely, what else the account could read is possible.

use serde_json::{Value, json};

use super::{
    machine::Machine,
    reach::{
        ALICE, BOB, OFF_LIST, ON_LIST, Planted, SECRET, UNPUBLISHED, UNREADABLE, aws, compare, compare_reach, judged,
        key, npmrc, numbers, open, own,
    },
};

fn lines(text: &str) -> String {
    text.replace('%', SECRET)
}

/// A project of alice that took a package whose script runs when it is installed.
fn project(name: &str, version: &str, script: &str) -> Machine {
    let manifest = json!({"name": name, "version": version, "scripts": {script: "node setup.mjs"}});
    Machine::new()
        .home("code/web/package.json", json!({"name": "web", "dependencies": {name: version}}).to_string())
        .home(&format!("code/web/node_modules/{name}/package.json"), manifest.to_string())
}

/// Compares the reach of what one incident's payload could take from a machine with these files.
fn check(machine: Machine, incident: &str, of_payload: u32, rows: Vec<(Planted, &'static str)>) -> Value {
    let expected: Vec<(&str, &str)> = rows.iter().map(|(p, words)| (p.path, *words)).collect();
    let planted: Vec<Planted> = rows.into_iter().map(|(p, _)| p).collect();
    let report = judged(machine, &planted, of_payload);
    let incidents: Vec<_> = report["incidents"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect();
    assert_eq!(incidents, [incident]);
    compare(&report, &expected);
    report
}

#[test]
fn tanstack_takes_what_it_names_and_perhaps_the_rest() {
    let rows = vec![
        (own("/home/alice/.aws/credentials", aws()), ON_LIST),
        (own("/home/alice/.npmrc", npmrc()), ON_LIST),
        // The project is where the install ran.
        (own("/home/alice/code/web/.npmrc", npmrc()), ON_LIST),
        (own("/home/alice/code/web/.env", lines("APP_SECRET=%\n")), ON_LIST),
        // Another folder may have been where it ran: no less urgent, since the list is not whole.
        (own("/home/alice/code/shop/.env", lines("APP_SECRET=%\n")), UNPUBLISHED),
        (own("/home/alice/.git-credentials", lines("https://alice:%@forge.example\n")), ON_LIST),
        (own("/home/alice/.ssh/id_ed25519", key()), ON_LIST),
        // Kinds that it takes wherever they stand.
        (own("/home/alice/.ssh/keys/team/deploy", key()), ON_LIST),
        (own("/home/alice/.config/gh/hosts.yml", lines("github.com:\n    oauth_token: %\n    user: alice\n")), ON_LIST),
        (own("/home/alice/.vault-token", SECRET), ON_LIST),
        (open("/var/run/secrets/kubernetes.io/serviceaccount/token", SECRET), ON_LIST),
        (own("/proc/71/environ", lines("PATH=/bin\0NPM_TOKEN=%\0")).of(ALICE), ON_LIST),
        // Not named anywhere.
        (own("/home/alice/.cargo/credentials.toml", lines("[registry]\ntoken = \"%\"\n")), UNPUBLISHED),
        (own("/home/alice/.pgpass", lines("db.example:5432:app:alice:%\n")), UNPUBLISHED),
        (open("/etc/msmtprc", lines("account a\nuser u\npassword %\n")), UNPUBLISHED),
        // Other accounts: the list does not say whether it reads their homes.
        (open("/home/bob/.npmrc", npmrc()), UNPUBLISHED),
        (own("/home/bob/.aws/credentials", aws()), UNREADABLE),
        (own("/proc/72/environ", lines("PATH=/bin\0NPM_TOKEN=%\0")).of(BOB), UNREADABLE),
        (own("/etc/shadow", lines("alice:$6$%:19000:0:99999:7:::\n")), UNREADABLE),
    ];
    check(project("wot-api", "0.8.5", "preinstall"), "tanstack-2026-05", ALICE, rows);
}

#[test]
fn keyv_takes_what_it_names_and_perhaps_the_rest() {
    let rows = vec![
        (own("/home/alice/.codex/auth.json", lines(r#"{"OPENAI_API_KEY":"%"}"#)), ON_LIST),
        (own("/home/alice/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")), ON_LIST),
        (own("/home/alice/.config/gh/hosts.yml", lines("github.com:\n    oauth_token: %\n    user: alice\n")), ON_LIST),
        (own("/home/alice/.zsh_history", "ls\n"), ON_LIST),
        (own("/home/alice/.azure/msal_token_cache.json", lines(r#"{"RefreshToken":{"k":{"secret":"%"}}}"#)), ON_LIST),
        // However deep in a home.
        (own("/home/alice/1/2/3/4/5/6/7/8/9/.env", lines("APP_SECRET=%\n")), ON_LIST),
        (own("/home/alice/.ssh/keys/deploy", key()), ON_LIST),
        (own("/home/alice/.pgpass", lines("db.example:5432:app:alice:%\n")), UNPUBLISHED),
        (own("/home/alice/certs/site.pem", key()), UNPUBLISHED),
        (own("/home/alice/.password-store/mail.gpg", "x"), UNPUBLISHED),
        // On the list, for who may read it.
        (own("/etc/shadow", lines("alice:$6$%:19000:0:99999:7:::\n")), UNREADABLE),
        (own("/root/.npmrc", npmrc()), UNREADABLE),
        (open("/home/bob/.npmrc", npmrc()), UNPUBLISHED),
    ];
    check(project("@cacheable/memory", "2.2.1", "preinstall"), "keyv-2026-08", ALICE, rows);
}

#[test]
fn a_trojan_without_a_list_takes_all_that_its_account_reads() {
    let rows = vec![
        // What the analysis names by kind.
        (own("/home/alice/.npmrc", npmrc()), ON_LIST),
        (own("/home/alice/.ssh/id_rsa", key()), ON_LIST),
        (own("/home/alice/.local/share/keyrings/login.keyring", "x"), ON_LIST),
        (own("/proc/71/environ", lines("PATH=/bin\0OPENAI_API_KEY=%\0")).of(ALICE), ON_LIST),
        (own("/home/alice/.aws/credentials", aws()), UNPUBLISHED),
        (own("/home/alice/1/2/3/4/5/6/7/8/9/.env", lines("APP_SECRET=%\n")), UNPUBLISHED),
        (open("/opt/app/.env", lines("APP_SECRET=%\n")), UNPUBLISHED),
        (open("/home/bob/.aws/credentials", aws()), UNPUBLISHED),
        (own("/Users/alice/.aws/credentials", aws()).of(ALICE), UNPUBLISHED),
        (own("/home/bob/.netrc", lines("machine api.example login bob password %\n")), UNREADABLE),
        (own("/root/.aws/credentials", aws()), UNREADABLE),
        (own("/etc/ssh/ssh_host_rsa_key", key()), UNREADABLE),
    ];
    check(project("plain-crypto-js", "4.2.1", "postinstall"), "axios-2026-03", ALICE, rows);
}

/// The commit of a poisoned action, as a workflow and the folder of a runner name it.
const ACTION: &str = "384add36b52014a0f99c0ab3a3d58bd47e53d00f";

#[test]
fn trivy_on_a_runner_takes_what_the_runner_s_account_reads() {
    let folder = format!("srv/runner/_work/_actions/aquasecurity/setup-trivy/{ACTION}");
    let machine = Machine::new().file(&format!("{folder}/action.yaml"), "name: setup\nruns:\n  using: composite\n");
    let rows = vec![
        (own("/home/bob/.aws/credentials", aws()), ON_LIST),
        (own("/home/bob/.docker/config.json", lines(r#"{"auths":{"registry.example":{"auth":"%"}}}"#)), ON_LIST),
        (own("/home/bob/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")), ON_LIST),
        (own("/home/bob/.pgpass", lines("db.example:5432:app:alice:%\n")), ON_LIST),
        (own("/srv/runner/_work/app/app/.env", lines("APP_SECRET=%\n")).of(BOB), ON_LIST),
        (own("/proc/71/environ", lines("PATH=/bin\0GITHUB_TOKEN=%\0")).of(BOB), ON_LIST),
        (open("/kaniko/.docker/config.json", lines(r#"{"auths":{"registry.example":{"auth":"%"}}}"#)), ON_LIST),
        (own("/home/bob/.cargo/credentials.toml", lines("[registry]\ntoken = \"%\"\n")), UNPUBLISHED),
        (own("/home/alice/.ssh/id_rsa", key()), UNREADABLE),
        (own("/etc/kubernetes/admin.conf", lines("users:\n- name: a\n  user:\n    token: %\n")), UNREADABLE),
        (own("/etc/ssh/ssh_host_rsa_key", key()), UNREADABLE),
    ];
    let report = check(machine, "trivy-2026-03", BOB, rows);
    // What the memory of the runner holds is asked for where there is a runner.
    let is_runner = |p: &&Value| p["platform"] == "ci_runner";
    let part = report["platforms"].as_array().unwrap().iter().find(is_runner).unwrap();
    assert_eq!(part["location"]["path"], format!("/{folder}/action.yaml"));
}

#[test]
fn a_workflow_that_names_the_action_took_nothing_from_the_machine_that_holds_it() {
    let workflow = format!("on: push\njobs:\n  a:\n    steps:\n    - uses: aquasecurity/setup-trivy@{ACTION}\n");
    let machine = Machine::new().home("code/app/.github/workflows/scan.yml", workflow);
    let nothing = "out_of_reach - no";
    let rows = vec![
        (own("/home/alice/.aws/credentials", aws()), nothing),
        (own("/home/alice/code/app/.env", lines("APP_SECRET=%\n")), nothing),
    ];
    let report = check(machine, "trivy-2026-03", ALICE, rows);
    assert_eq!(report.get("platforms"), None);
}

#[test]
fn an_exact_list_of_another_payload_has_its_own_bounds() {
    // @bitwarden/cli: a few files of the account's home and of the working folder, and no .ssh below its first level.
    let rows = vec![
        (own("/home/alice/.ssh/id_rsa", key()), ON_LIST),
        (own("/home/alice/.ssh/deploy", key()), OFF_LIST),
        (own("/home/alice/.aws/credentials", aws()), ON_LIST),
        (own("/home/alice/.aws/config", aws()), OFF_LIST),
        (own("/home/alice/code/web/.env", lines("APP_SECRET=%\n")), ON_LIST),
        (own("/home/alice/code/web/src/.env", lines("APP_SECRET=%\n")), "harvested possible soon"),
        (
            own(
                "/home/alice/code/web/.git/config",
                lines("[remote \"origin\"]\n\turl = https://alice:%@forge.example/a.git\n"),
            ),
            ON_LIST,
        ),
        (own("/home/alice/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")), OFF_LIST),
    ];
    check(project("@bitwarden/cli", "2026.4.0", "preinstall"), "bitwarden-cli-2026-04", ALICE, rows);
}

/// A credential of one kind each, in alice's home: a short name, and its file.
fn kinds() -> Vec<(&'static str, Planted)> {
    vec![
        ("aws", own("/home/alice/.aws/credentials", aws())),
        ("ssh", own("/home/alice/.ssh/id_rsa", key())),
        ("npm", own("/home/alice/.npmrc", npmrc())),
        ("pypi", own("/home/alice/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n"))),
        ("gh", own("/home/alice/.config/gh/hosts.yml", lines("github.com:\n    oauth_token: %\n    user: alice\n"))),
        ("kube", own("/home/alice/.kube/config", lines("users:\n- name: a\n  user:\n    token: %\n"))),
        ("vault", own("/home/alice/.vault-token", SECRET)),
        ("env", own("/home/alice/src/shop/.env", lines("APP_SECRET=%\n"))),
        ("history", own("/home/alice/.bash_history", "ls\n")),
        ("chrome", own("/home/alice/.config/google-chrome/Default/Login Data", "x")),
        ("solana", own("/home/alice/.config/solana/id.json", numbers())),
        ("docker", own("/home/alice/.docker/config.json", lines(r#"{"auths":{"registry.example":{"auth":"%"}}}"#))),
        ("claude", own("/home/alice/.claude/.credentials.json", lines(r#"{"claudeAiOauth":{"accessToken":"%"}}"#))),
        ("cargo", own("/home/alice/.cargo/credentials.toml", lines("[registry]\ntoken = \"%\"\n"))),
        ("bob", own("/home/bob/.aws/credentials", aws())),
    ]
}

/// Each published profile: what stands on it of these is likely, the rest that alice reads is possible, since none of the lists is whole.
#[test]
fn each_profile_names_its_kinds() {
    let python = |name: &str, version: &str| Machine::new().venv("v").dist(name, version);
    let node = |name: &str, version: &str| project(name, version, "preinstall");
    let extension = |name: &str, version: &str| {
        let (publisher, short) = name.split_once('.').unwrap();
        let manifest = json!({"publisher": publisher, "name": short, "version": version, "engines": {"vscode": "*"}});
        Machine::new().home(&format!(".vscode/extensions/{name}-{version}/package.json"), manifest.to_string())
    };
    let profiles = [
        ("durabletask-2026-05", python("durabletask", "1.4.1"), "aws ssh npm pypi kube vault env history docker cargo"),
        ("sandworm-mode-2026-02", node("claud-code", "0.2.1"), "aws ssh npm env claude"),
        ("nx-2025-08", node("@nx/devkit", "21.5.0"), "ssh npm gh env"),
        ("shai-hulud-2025-09", node("@ahmedhfarag/ngx-perfect-scrollbar", "20.0.20"), "aws npm gh"),
        ("shai-hulud-2025-11", node("02-echo", "0.0.7"), "aws ssh npm env"),
        ("glassworm-2025-10", node("@aifabrix/miso-client", "4.7.2"), "aws ssh npm gh kube chrome docker"),
        ("trapdoor-2026-05", node("async-pipeline-builder", "1.0.0"), "aws ssh env history chrome solana"),
        ("nx-console-2026-05", extension("nrwl.angular-console", "18.95.0"), "aws ssh npm gh vault docker claude"),
        (
            "xinference-2026-04",
            python("xinference", "2.6.0"),
            "aws ssh npm pypi kube vault env history solana docker cargo",
        ),
        ("ironworm-2026-06", node("ai3", "0.3.5"), "npm vault"),
        ("redhat-2026-06", node("@redhat-cloud-services/chrome", "2.3.1"), "aws ssh npm pypi gh kube vault env docker"),
        ("antv-2026-05", node("@antv/a8", "0.1.1"), "aws ssh npm pypi gh kube vault claude"),
    ];
    for (incident, machine, named) in profiles {
        let planted = kinds();
        let named: Vec<&str> = named.split(' ').collect();
        assert!(named.iter().all(|name| planted.iter().any(|(n, _)| n == name)), "{incident}");
        let expected: Vec<(&str, &str)> = planted
            .iter()
            .map(|(name, p)| match *name {
                "bob" => (p.path, "out_of_reach likely -"),
                name if named.contains(&name) => (p.path, "harvested likely -"),
                _ => (p.path, "harvested possible -"),
            })
            .collect();
        let planted: Vec<Planted> = planted.into_iter().map(|(_, p)| p).collect();
        let report = judged(machine, &planted, ALICE);
        assert_eq!(report["incidents"][0]["id"], incident);
        // When it runs differs; what it can take does not.
        compare_reach(&report, &expected);
    }
}
