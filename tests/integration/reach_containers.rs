//! LiteLLM 1.82.8 as root, and beside containers: on the host above their files, in the files of one, and in one that had folders mounted.

use super::{
    machine::Machine,
    reach::{
        ALICE, BOB, IF_THERE, OFF_LIST, ON_LIST, Planted, SECRET, UNREADABLE, aws, compare, compare_reach, judged, key,
        own,
    },
};

/// A file whose owner counts, and that holds none.
const NO_CREDENTIAL: &str = "";

fn env() -> String {
    format!("APP_SECRET={SECRET}\n")
}

fn pypi() -> String {
    format!("[pypi]\nusername = __token__\npassword = pypi-{SECRET}\n")
}

fn with_hook(site: &str) -> Machine {
    Machine::new()
        .file(
            &format!("{site}/litellm-1.82.8.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n",
        )
        .file(&format!("{site}/litellm_init.pth"), "import os\n")
}

fn check(machine: Machine, of_payload: u32, rows: Vec<(Planted, &'static str)>) {
    let held = rows.iter().filter(|(_, words)| *words != NO_CREDENTIAL);
    let expected: Vec<(&str, &str)> = held.map(|(p, words)| (p.path, *words)).collect();
    let planted: Vec<Planted> = rows.into_iter().map(|(p, _)| p).collect();
    compare(&judged(machine, &planted, of_payload), &expected);
}

#[test]
fn on_the_host_the_files_of_containers_are_where_the_host_has_them() {
    let rows = vec![
        // Four folders down to the root of the container, of six below /var/lib.
        (own("/var/lib/docker/overlay2/abc/diff/app/conf/.env", env()), ON_LIST),
        (own("/var/lib/docker/overlay2/abc/diff/app/a/b/.env", env()), IF_THERE),
        // No home of the host.
        (own("/var/lib/docker/overlay2/abc/diff/home/app/.ssh/id_rsa", key()), OFF_LIST),
        (own("/root/.aws/credentials", aws()), ON_LIST),
    ];
    check(with_hook("usr/lib/python3/dist-packages"), 0, rows);
}

#[test]
fn in_a_container_its_files_are_where_it_has_them() {
    let rows = vec![
        (own("/var/lib/docker/overlay2/abc/diff/app/a/b/.env", env()), ON_LIST),
        (own("/var/lib/docker/overlay2/abc/diff/home/app/.ssh/id_rsa", key()), ON_LIST),
        (own("/var/lib/docker/overlay2/abc/diff/home/app/.ssh/a/b/c/id_rsa", key()), OFF_LIST),
        // Only a mount could have given it these.
        (own("/root/.aws/credentials", aws()), OFF_LIST),
        (own("/home/alice/.pypirc", pypi()), OFF_LIST),
    ];
    check(with_hook("var/lib/docker/overlay2/abc/diff/usr/lib/python3/dist-packages"), 0, rows);
}

#[test]
fn what_was_mounted_stood_under_a_name_that_is_not_known() {
    let line =
        "#1774350600\ndocker run --rm -v /srv/keys:/root/.ssh -v ~/.aws:/root/.aws img pip install litellm==1.82.8\n";
    let machine = || Machine::new().home(".bash_history", line);
    let rows = vec![
        (own("/srv/keys/deploy/id_rsa", key()).of(ALICE), "harvested possible now"),
        (own("/home/alice/.aws/credentials", aws()), ON_LIST),
        (own("/home/alice/.pypirc", pypi()), UNREADABLE),
        (own("/srv/keys2/id_rsa", key()).of(ALICE), UNREADABLE),
        (own("/home/alice/.bash_history", line), UNREADABLE),
    ];
    check(machine(), ALICE, rows);
}

/// Alice's environment with one version, and a unit of the system that starts it as root.
fn service(version: &str) -> (Machine, Planted) {
    let unit =
        "[Service]\nExecStart=/home/alice/code/app/.venv/bin/python app.py\n[Install]\nWantedBy=multi-user.target\n";
    let machine = Machine::new()
        .venv("code/app/.venv")
        .dist("litellm", version)
        .file("etc/systemd/system/multi-user.target.wants/app.service", unit);
    (machine, own("/etc/systemd/system/app.service", unit))
}

fn variable(name: &str) -> String {
    format!("PATH=/bin\0{name}={SECRET}\0")
}

#[test]
fn as_root_whose_service_starts_the_environment_of_a_user() {
    let (machine, unit) = service("1.82.8");
    let rows = vec![
        (unit, NO_CREDENTIAL),
        (own("/root/.aws/credentials", aws()), ON_LIST),
        (own("/home/bob/.ssh/id_rsa", key()), ON_LIST),
        (own("/etc/ssh/ssh_host_rsa_key", key()), ON_LIST),
        (own("/home/bob/.pypirc", pypi()), OFF_LIST),
        (own("/proc/70/environ", variable("OPENAI_API_KEY")), ON_LIST),
        // Another account's: root may read it, and the collector prints its own variables only.
        (own("/proc/71/environ", variable("GROQ_API_KEY")).of(BOB), OFF_LIST),
    ];
    check(machine.site_file("litellm_init.pth", "import os\n"), ALICE, rows);
}

#[test]
fn in_the_folder_that_its_service_says() {
    let unit = "[Service]\nExecStart=/home/alice/v/bin/python app.py\nWorkingDirectory=/code/deep/app\n";
    let machine = || Machine::new().venv("v").dist("litellm", "1.82.8").site_file("litellm_init.pth", "import os\n");
    let rows = |there: &'static str| {
        vec![
            (own("/code/deep/app/.env.test", env()).of(ALICE), there),
            // The collector looks into the two folders above, too.
            (own("/code/.env.test", env()).of(ALICE), there),
            (own("/.env.test", env()).of(ALICE), IF_THERE),
            (own("/code/deep/other/.env.test", env()).of(ALICE), IF_THERE),
            // A home is no project, though an environment stands in it.
            (own("/home/alice/.env.test", env()), IF_THERE),
        ]
    };
    check(machine(), ALICE, rows(IF_THERE));
    check(machine().file("etc/systemd/system/app.service", unit), ALICE, rows(ON_LIST));
}

#[test]
fn a_payload_that_reads_every_process_takes_their_variables() {
    // The second compromise of LiteLLM: root reads them all, alice her own.
    let processes = || {
        vec![
            own("/proc/70/environ", variable("OPENAI_API_KEY")).of(ALICE),
            own("/proc/71/environ", variable("GROQ_API_KEY")).of(BOB),
        ]
    };
    let (machine, unit) = service("1.107.0");
    let report = judged(machine, &[processes(), vec![unit]].concat(), ALICE);
    compare_reach(&report, &[("/proc/70/environ", "harvested likely -"), ("/proc/71/environ", "harvested likely -")]);
    let machine = Machine::new().venv("v").dist("litellm", "1.107.0");
    let report = judged(machine, &processes(), ALICE);
    compare_reach(
        &report,
        &[("/proc/70/environ", "harvested likely -"), ("/proc/71/environ", "out_of_reach likely -")],
    );
}
