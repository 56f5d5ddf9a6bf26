//! Machines laid out by hand.
#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
};

use tempfile::TempDir;

use super::*;

struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn folders(&self, names: &[&str]) {
        for name in names {
            fs::create_dir_all(self.0.path().join(name)).unwrap();
        }
    }

    fn find(&self, homes: &[(&str, Option<u32>)]) -> Found {
        let home = |(path, uid): &(&str, Option<u32>)| (TreePath::new(path.as_bytes()).unwrap(), *uid);
        let homes: Vec<Home> = homes.iter().map(home).collect();
        find(&File::open(self.0.path()).unwrap().into(), &homes)
    }
}

fn listed(found: &Found) -> Vec<String> {
    let owner = |s: &FoundStore| s.owner.map_or(String::new(), |uid| format!(" of {uid}"));
    found.stores.iter().map(|s| format!("{:?} {}{}", s.kind, s.path.text(), owner(s))).collect()
}

#[test]
fn the_usual_places_and_the_settings() {
    let machine = Machine::new();
    machine.folders(&[
        "var/lib/docker/image",
        "var/lib/docker/containerd/daemon/io.containerd.content.v1.content",
        "data/docker/image",
        "data/docker/volumes/kind/_data/lib/containerd/io.containerd.metadata.v1.bolt",
        "data/docker/volumes/dind/_data/image",
        "data/docker/volumes/other/_data",
        "var/lib/containers/storage/overlay-images",
        "shared/overlay-images",
        "run/containers/storage/overlay-layers",
        "var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content",
        "home/dev/.local/share/docker/image",
        "home/dev/.local/share/containers/storage/vfs-images",
        "users/1000/overlay-images",
        "data/containerd/io.containerd.content.v1.content",
    ]);
    machine.write("etc/docker/daemon.json", r#"{"data-root":"/mnt/docker"}"#);
    // A link that would lead out of the root is followed inside it.
    machine.folders(&["mnt"]);
    symlink("/data/docker", machine.0.path().join("mnt/docker")).unwrap();
    let conf = "[storage]\ndriver = \"overlay\"\ngraphroot = \"/var/lib/containers/storage\"\n\
        rootless_storage_path = \"/users/$UID\"\n[storage.options]\nadditionalimagestores = [\"/shared\", \"/nowhere\"]\n";
    machine.write("etc/containers/storage.conf", conf);
    machine.write("etc/containerd/config.toml", "version = 2\nroot = \"/data/containerd\"\n[plugins]\n");
    let found = machine.find(&[("home/dev", Some(1000))]);
    let expected = [
        "Docker /data/docker/volumes/dind/_data",
        "Docker /home/dev/.local/share/docker of 1000",
        "Docker /mnt/docker",
        "Docker /var/lib/docker",
        "ContainersStorage /home/dev/.local/share/containers/storage of 1000",
        "ContainersStorage /users/1000 of 1000",
        "ContainersStorage /var/lib/containers/storage",
        "Containerd /data/containerd",
        "Containerd /data/docker/volumes/kind/_data/lib/containerd",
        "Containerd /var/lib/docker/containerd/daemon",
        "Containerd /var/lib/rancher/k3s/agent/containerd",
    ];
    let listed: Vec<String> =
        listed(&found).into_iter().map(|s| s.replace("/mnt/docker/vol", "/data/docker/vol")).collect();
    let mut listed = listed;
    listed.sort_by_key(|s| expected.iter().position(|e| e == s));
    assert_eq!(listed, expected);
    assert!(found.flaws.is_empty(), "{:?}", found.flaws);
    let own = found.stores.iter().find(|s| s.path.as_bytes() == b"var/lib/containers/storage").unwrap();
    assert_eq!(own.additional, [TreePath::new(b"shared").unwrap()]);
    let root: OwnedFd = File::open(machine.0.path()).unwrap().into();
    assert!(open(&root, &TreePath::new(b"mnt/docker/image").unwrap()).is_ok());
}

#[test]
fn disks_of_virtual_machines_are_named() {
    let machine = Machine::new();
    for file in [
        "Users/a/Library/Containers/com.docker.docker/Data/vms/0/data/Docker.raw",
        "Users/a/.lima/default/diffdisk",
        "Users/a/.colima/_lima/colima/diffdisk",
        "Users/a/Library/Group Containers/HUAQ24HBR6.dev.orbstack/data/data.img.raw",
        "Users/a/.local/share/containers/podman/machine/applehv/m-arm64.raw",
        "Users/a/AppData/Local/Packages/Ubuntu_1/LocalState/ext4.vhdx",
    ] {
        machine.write(file, "x");
    }
    machine.folders(&["Users/a/.lima/other/diffdisk"]);
    let found = machine.find(&[("Users/a", None)]);
    assert_eq!(found.stores.len(), 6, "{:?}", listed(&found));
    assert!(found.stores.iter().all(|s| s.kind == StoreKind::MachineDisk && s.note.contains("not read")));
}

#[test]
fn nothing_and_nonsense() {
    let machine = Machine::new();
    assert!(machine.find(&[("home/nobody", Some(7))]).stores.is_empty());
    machine.write("etc/docker/daemon.json", "{{{");
    machine.write("etc/containers/storage.conf", "= = =");
    machine.write("etc/containerd/config.toml", &"[".repeat(2 << 20));
    machine.write("var/lib/docker", "a file");
    machine.folders(&["etc/crio"]);
    symlink("crio.conf", machine.0.path().join("etc/crio/crio.conf")).unwrap();
    let found = machine.find(&[]);
    assert!(found.stores.is_empty());
    // The settings that are too large or no such text, and the link to itself.
    assert_eq!(found.flaws.len(), 4, "{:?}", found.flaws);
}

#[test]
fn variables_in_paths() {
    let account = Account { home: Some("home/dev"), uid: Some(7) };
    let expand = |path| settings::expand(path, &account);
    assert_eq!(expand("$HOME/x").as_deref(), Some("/home/dev/x"));
    assert_eq!(expand("/s/${UID}/$USER").as_deref(), Some("/s/7/dev"));
    assert_eq!((expand("relative"), settings::expand("/s/$UID", &Account::default())), (None, None));
    assert_eq!(expand(&"/$HOME".repeat(100_000)), None);
}

#[test]
fn volumes_that_lead_elsewhere_are_not_entered() {
    let machine = Machine::new();
    machine.folders(&["var/lib/docker/image", "var/lib/docker/volumes/v", "var/lib/docker/volumes/w", "other/image"]);
    symlink("/other", machine.0.path().join("var/lib/docker/volumes/v/_data")).unwrap();
    symlink("../../../../../other", machine.0.path().join("var/lib/docker/volumes/w/_data")).unwrap();
    let found = machine.find(&[]);
    assert_eq!(listed(&found), ["Docker /var/lib/docker"]);
    assert_eq!(found.flaws.len(), 2, "{:?}", found.flaws);
    // Nothing that is mounted is entered.
    let root: OwnedFd = File::open("/").unwrap().into();
    assert_eq!(disk::folder(&root, b"proc", Mounts::Refuse).err(), Some(Errno::XDEV));
    assert!(disk::folder(&root, b"proc", Mounts::Enter).is_ok());
}

#[test]
fn settings_without_a_length_are_not_opened() {
    let root: OwnedFd = File::open("/").unwrap().into();
    let small = |path: &[u8]| settings::small(&root, &place(path));
    assert_eq!(small(b"proc/self/environ").unwrap(), Some(String::new()));
    assert_eq!(small(b"nothing").unwrap(), None);
    assert!(small(b"dev/zero").is_err() && small(b"proc").is_err());
}

#[test]
fn reading_settings_leaves_their_access_time_alone() {
    let machine = Machine::new();
    machine.write("etc/docker/daemon.json", "{}");
    let path = machine.0.path().join("etc/docker/daemon.json");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let times = fs::FileTimes::new().set_accessed(long_ago).set_modified(std::time::SystemTime::now());
    File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    machine.find(&[]);
    assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), long_ago);
}

#[test]
fn more_stores_than_are_examined_are_reported_once() {
    let machine = Machine::new();
    machine.folders(&["var/lib/docker/image"]);
    (0..STORES + 5).for_each(|n| machine.folders(&[&format!("var/lib/docker/volumes/{n}/_data/image")]));
    (0..3).for_each(|n| machine.write(&format!("home/a/.lima/{n}/diffdisk"), "x"));
    // No folder, and a home that is none.
    machine.write("home/file", "x");
    let found = machine.find(&[("home/a", None), ("home/file", None), ("dev/null", None)]);
    let disks = found.stores.iter().filter(|store| store.kind == StoreKind::MachineDisk).count();
    assert_eq!((disks, found.stores.len() - disks), (3, STORES));
    assert_eq!(found.flaws.len(), 1, "{:?}", found.flaws);
}
