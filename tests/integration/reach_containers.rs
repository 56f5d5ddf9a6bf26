//! LiteLLM 1.82.8 beside containers: on the host above their files, in the files of one, and in one that had folders mounted.

use super::{
    machine::Machine,
    reach::{ALICE, IF_THERE, OFF_LIST, ON_LIST, Planted, SECRET, UNREADABLE, aws, compare, judged, key, own},
};

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
    let expected: Vec<(&str, &str)> = rows.iter().map(|(p, words)| (p.path, *words)).collect();
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
