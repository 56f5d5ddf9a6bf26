//! `images --shard` and `merge`: what several runs read gives what one run gives, and what is missing is named.

use std::{fs, io::Write as _, path::Path};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    machine::Machine,
    plans::litellm,
    program::{Said, run, valid},
};

const SITE: &str = "usr/lib/python3/dist-packages";

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A layer with one package, and a filler of so many bytes.
fn layer(package: &str, version: &str, filler: usize) -> Vec<u8> {
    let folder = format!("{SITE}/{package}-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n\n");
    tar_of(&[(format!("{folder}/METADATA"), metadata.into()), (format!("srv/{package}.txt"), vec![b'x'; filler])])
}

/// What `docker save` writes of one image.
fn save(path: &Path, tag: &str, layers: &[Vec<u8>]) {
    let ids: Vec<String> = layers.iter().map(|l| format!("sha256:{}", sha(l))).collect();
    let history: Vec<Value> =
        (0..layers.len()).map(|i| json!({"created_by": format!("RUN pip install step{i}")})).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["API_TOKEN=ghp_CaNaRyCaNaRyCaNaRyCaNaRyCaNaRyCaNaRy12"]},
        "rootfs": {"type": "layers", "diff_ids": ids}, "history": history,
    });
    let config = config.to_string().into_bytes();
    let names: Vec<String> = (0..layers.len()).map(|i| format!("{i}/layer.tar")).collect();
    let manifest = json!([{"Config": "config.json", "RepoTags": [tag], "Layers": names}]);
    let mut files: Vec<(String, Vec<u8>)> = names.iter().cloned().zip(layers.iter().cloned()).collect();
    files.push(("config.json".to_owned(), config));
    files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
    fs::write(path, tar_of(&files)).unwrap();
}

/// Images on one base, one of them with the bad version.
fn images(folder: &Path, count: usize) {
    let base = [layer("click", "8.1.7", 9000), layer("idna", "3.7", 100)];
    for n in 0..count {
        let own = layer(&format!("own{n}"), "1.0", n * 500);
        let last = if n == 2 { layer("litellm", "1.82.8", 10) } else { layer(&format!("last{n}"), "1.0", 10) };
        let layers = [base.to_vec(), vec![own, last]].concat();
        save(&folder.join(format!("i{n}.tar")), &format!("registry.example/app{n}:1"), &layers);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The report, but for what is of the run.
fn report(said: &Said) -> Value {
    let mut report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    valid(&report);
    assert!(!said.out.contains("CaNaRy"), "a secret");
    report["run"] = Value::Null;
    report
}

struct Case(tempfile::TempDir);

impl Case {
    fn new(count: usize) -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        fs::create_dir(case.0.path().join("images")).unwrap();
        images(&case.0.path().join("images"), count);
        case
    }

    fn path(&self, name: &str) -> String {
        text(&self.0.path().join(name)).to_owned()
    }

    fn shard(&self, shard: &str, part: &str) -> Said {
        let (images, part) = (self.path("images"), self.path(part));
        run(["images", "--built-in", &images, "--shard", shard, "--part", &part])
    }

    fn merge(&self, names: &[&str]) -> Said {
        let mut args = vec!["merge".to_owned(), "--built-in".into(), "--format".into(), "json".into()];
        args.extend(names.iter().map(|name| self.path(name)));
        run(args)
    }
}

fn gaps(report: &Value) -> Vec<&str> {
    report["coverage"]["gaps"].as_array().unwrap().iter().map(|g| g["detail"].as_str().unwrap()).collect()
}

#[test]
fn the_shards_of_a_sweep_give_what_one_run_gives() {
    let case = Case::new(7);
    let each = case.path("each.ndjson");
    let whole = run(["images", "--built-in", &case.path("images"), "--format", "json", "--each", &each]);
    let whole = report(&whole);
    assert_eq!(whole["sweep"]["images"].as_array().unwrap().len(), 7);
    // A record for each image as it was finished, as the report has it.
    let records = fs::read_to_string(&each).unwrap();
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 7);
    for record in &records {
        let image = whole["sweep"]["images"].as_array().unwrap().iter().find(|i| i["tree"] == record["tree"]).unwrap();
        assert_eq!(
            (&record["type"], &record["exposure"], &record["incidents"]),
            (&json!("image"), &image["exposure"], &image["incidents"])
        );
    }
    assert_eq!(whole["verdict"]["exposure"], "installed");
    for n in 1..=3 {
        let said = case.shard(&format!("{n}/3"), &format!("{n}.part"));
        assert!(said.code == 0 && said.out.is_empty() && said.err.contains("dosimeter merge"), "{}", said.err);
    }
    // Nothing of a secret is in a part.
    for n in 1..=3 {
        let bytes = fs::read(case.path(&format!("{n}.part"))).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"CaNaRy"));
    }
    let merged = case.merge(&["3.part", "1.part", "2.part", "1.part"]);
    assert_eq!((merged.code, report(&merged)), (1, whole.clone()));
    let folder = case.path("parts");
    fs::create_dir(&folder).unwrap();
    for n in 1..=3 {
        fs::rename(case.path(&format!("{n}.part")), format!("{folder}/{n}.part")).unwrap();
    }
    let mut of_folder = report(&case.merge(&["parts"]));
    assert_eq!(of_folder, whole);
    // What does not belong there is left out, and said.
    fs::write(format!("{folder}/notes.txt"), "x").unwrap();
    of_folder = report(&case.merge(&["parts"]));
    assert_eq!(of_folder["coverage"]["exclusions"].as_array().unwrap().len(), 1);
    // One shard alone, and more shards than layers.
    assert_eq!(case.shard("1/1", "all.part").code, 0);
    assert_eq!(report(&case.merge(&["all.part"])), whole);
    assert_eq!(case.shard("90/90", "none.part").code, 0);
    assert_eq!(report(&case.merge(&["none.part", "all.part"])), whole, "all layers are there");
}

#[test]
fn a_missing_shard_is_named_and_its_part_makes_it_whole() {
    let case = Case::new(2);
    let whole = report(&run(["images", "--built-in", &case.path("images"), "--format", "json"]));
    assert_eq!(whole["verdict"]["exposure"], "none");
    for n in ["1", "3"] {
        assert_eq!(case.shard(&format!("{n}/3"), &format!("{n}.part")).code, 0);
    }
    let short = case.merge(&["1.part", "3.part"]);
    assert_eq!(short.code, 3);
    let short = report(&short);
    assert!(gaps(&short)[..2].iter().any(|g| g.contains("shard 2/3 is missing")), "{:?}", gaps(&short));
    assert_eq!(short["verdict"]["complete"], false);
    let open = short["sweep"]["images"].as_array().unwrap().iter().filter(|i| i["complete"] == false).count();
    assert!(open > 0);
    // A part that was cut off, and one that was changed.
    assert_eq!(case.shard("2/3", "2.part").code, 0);
    let bytes = fs::read(case.path("2.part")).unwrap();
    for (name, bytes) in [
        ("cut.part", bytes[..bytes.len() / 2].to_vec()),
        ("changed.part", {
            let mut bytes = bytes.clone();
            let at = bytes.windows(9).position(|w| w == b"\"entries\"").unwrap();
            bytes[at + 10] ^= 1;
            bytes
        }),
    ] {
        fs::File::create(case.path(name)).unwrap().write_all(&bytes).unwrap();
        let said = case.merge(&["1.part", name, "3.part"]);
        let (code, said) = (said.code, report(&said));
        assert!(code == 3 && gaps(&said).iter().any(|g| g.contains("shard 2/3 is missing")), "{name}");
        let alone = case.merge(&[name]);
        assert!(alone.code == 2 && alone.err.contains(name), "{}", alone.err);
    }
    assert_eq!(report(&case.merge(&["1.part", "2.part", "3.part"])), whole);
    for (args, why) in [
        (&["--shard", "4/3", "--part", "x"][..], "no shard 4 of 3"),
        (&["--shard", "auto", "--part", "x"], "SLURM_ARRAY_TASK_ID"),
        (&["--shard", "1/3"], "--part"),
    ] {
        let said = run([&["images", "--built-in", &case.path("images")], args].concat());
        assert!(said.code == 2 && said.err.contains(why), "{}", said.err);
    }
}

#[test]
fn a_fleet_of_machines_and_images_is_one_picture() {
    let case = Case::new(3);
    // A key as AWS makes them, of nobody.
    let key = format!(
        "[default]\naws_access_key_id = AKIA{}\naws_secret_access_key = {}\n",
        "QYLPMN5HHHFPZAM2", "q3Jf8sZk1LmN0pQrStUvWxYz4A5B6C7D8E9F0G1H"
    );
    for host in ["web1", "web2", "web3"] {
        let machine = litellm(Machine::new(), SITE)
            .file("etc/hostname", format!("{host}\n"))
            .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
            .file("root/.aws/credentials", &key);
        let root = text(machine.root()).to_owned();
        let to = if host == "web3" {
            ["--inventory", "web3.ndjson.zst"]
        } else {
            ["-o", if host == "web1" { "web1.json" } else { "web2.json" }]
        };
        run(["scan", "--built-in", "--root", &root, to[0], &case.path(to[1]), "-q"]);
    }
    for (node, which) in [("a", &["i1.tar", "i2.tar"][..]), ("b", &["i2.tar", "i0.tar"])] {
        let images: Vec<String> = which.iter().map(|name| case.path(&format!("images/{name}"))).collect();
        let mut args = vec![
            "images".to_owned(),
            "--built-in".into(),
            "-q".into(),
            "-o".into(),
            case.path(&format!("{node}.json")),
        ];
        args.extend(images);
        run(args);
    }
    let all = ["web1.json", "a.json", "web3.ndjson.zst", "b.json", "web2.json"];
    let merged = report(&case.merge(&all));
    let names = |list: &Value, key: &str| -> Vec<String> {
        list.as_array().unwrap().iter().map(|m| m[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(merged["machines"].as_array().unwrap().len(), 5, "{:?}", names(&merged["machines"], "tree"));
    assert_eq!(merged["verdict"]["summary"], "exposed: litellm-2026-03 installed on 3 machines and in 1 image");
    let images = &merged["sweep"]["images"];
    let mut tags = names(images, "tree");
    tags.sort();
    assert_eq!(tags, ["registry.example/app0:1", "registry.example/app1:1", "registry.example/app2:1"]);
    let shared = images.as_array().unwrap().iter().find(|i| i["tree"] == "registry.example/app2:1").unwrap();
    assert_eq!(shared["found_in"].as_array().unwrap().len(), 2, "on both nodes: {shared}");
    let of_image: Vec<&Value> = merged["incidents"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["location"]["tree"] == "registry.example/app2:1")
        .collect();
    let alone: Value = serde_json::from_str(&fs::read_to_string(case.path("a.json")).unwrap()).unwrap();
    assert_eq!(of_image.len(), alone["incidents"][0]["findings"].as_array().unwrap().len());
    // One key on three machines is one thing to replace.
    let items = merged["checklist"].as_array().unwrap();
    let rotates: Vec<&Value> = items
        .iter()
        .filter(|i| i["phase"] == "rotate" && i["title"].as_str().is_some_and(|t| t.contains("AWS")))
        .collect();
    assert_eq!(rotates.len(), 1, "{rotates:#?}");
    assert_eq!(rotates[0]["machines"].as_array().unwrap().len(), 3);
    // Every id is of one thing, and every reference leads somewhere.
    let mut ids = names(&merged["checklist"], "id");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for item in items {
        for id in item["after"].as_array().unwrap() {
            assert!(ids.binary_search(&id.as_str().unwrap().to_owned()).is_ok(), "{id}");
        }
    }
    // In any order, and as often as it comes.
    let again = report(&case.merge(&["b.json", "web2.json", "web1.json", "web1.json", "a.json", "web3.ndjson.zst"]));
    assert_eq!(again["sweep"], merged["sweep"]);
    assert_eq!(again["verdict"], merged["verdict"]);
    // A report that cannot be read is a gap beside the others.
    fs::write(case.path("broken.json"), "{\"schema\": \"dosimeter.report/1\", ").unwrap();
    let with = case.merge(&["web1.json", "broken.json"]);
    assert_eq!(with.code, 1);
    assert_eq!(report(&with)["verdict"]["complete"], false);
    assert_eq!(case.merge(&["broken.json"]).code, 2);
}

#[test]
fn disks_that_were_mounted_at_one_folder_are_two_machines() {
    let case = Case::new(1);
    let host = case.path("host");
    for (name, bad, to) in [("node-a", true, ["-o", "a.json"]), ("node-b", false, ["--inventory", "b.ndjson"])] {
        let machine = Machine::new().file("etc/hostname", format!("{name}\n"));
        let machine = if bad { litellm(machine, SITE) } else { machine };
        let _ = fs::remove_dir_all(&host);
        run(["scan", "--built-in", "-q", "--root", text(machine.root()), to[0], &case.path(to[1])]);
        // As it would be in a container: each node's disk at the same place.
        fs::rename(machine.root(), &host).unwrap();
        run(["scan", "--built-in", "-q", "--root", &host, to[0], &case.path(&format!("host-{}", to[1]))]);
    }
    for files in [["a.json", "b.ndjson"], ["host-a.json", "host-b.ndjson"]] {
        let merged = report(&case.merge(&files));
        let mut machines: Vec<(&str, &str)> = merged["machines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| (m["target"]["name"].as_str().unwrap(), m["exposure"].as_str().unwrap()))
            .collect();
        machines.sort_unstable();
        assert_eq!(machines, [("node-a", "installed"), ("node-b", "none")], "{files:?}");
    }
}
