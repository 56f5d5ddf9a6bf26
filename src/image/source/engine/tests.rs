//! Exports of an engine made by hand, honest and hostile.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    online::registry::tests::server::{Reply, Server},
    text::hex,
};

/// A tar of these, in this order.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len().try_into().unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// What `docker save` writes of an image with one layer, and the image's id.
fn saved() -> (Vec<u8>, String, Vec<u8>) {
    let layer = tar(&[("etc/passwd", b"root:x:0:0::/root:/bin/sh\n")]);
    let id = hex(&Sha256::digest(&layer));
    let config =
        format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":["sha256:{id}"]}}}}"#);
    let id = hex(&Sha256::digest(config.as_bytes()));
    let file = format!("{id}.json");
    let manifest = format!(r#"[{{"Config":"{file}","RepoTags":null,"Layers":["a/layer.tar"]}}]"#);
    let all = tar(&[("a/layer.tar", &layer), (&file, config.as_bytes()), ("manifest.json", manifest.as_bytes())]);
    (all, format!("sha256:{id}"), layer)
}

/// What one image of an engine that answers so gives: its plan, and its layers by what could be read of them.
fn asked(reply: Reply, id: &str, known: &str, export: bool) -> (Plan, Vec<Result<Vec<u8>, String>>, usize) {
    let replies = std::sync::Mutex::new(Some(reply));
    let again = saved().0;
    let server = Server::start(move |_| {
        let first = replies.lock().unwrap().take();
        first.unwrap_or_else(|| Reply::ok(again.clone()).with("Content-Type", "application/x-tar"))
    });
    let (host, port) = server.address.rsplit_once(':').unwrap();
    let engine = Engine::dial(host, port.parse().unwrap(), None, false, Duration::from_secs(10)).unwrap();
    let image = EngineImage { id: id.to_owned(), tags: vec!["registry.example/app:1".to_owned()] };
    let stop = AtomicBool::new(false);
    let source = EngineExport { engine: &engine, image: &image, export, limits: Limits::default(), stop: &stop };
    let readers = Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() };
    let plan = source.plan_others(readers, &|id| id == known);
    let members = plan.images.iter().flat_map(|image| &image.layers).filter_map(|layer| layer.member.clone());
    let mut places: Vec<TreePath> = members.map(|(place, _)| place).collect();
    if !places.is_empty() {
        places.push(TreePath::new(b"no/such").unwrap());
    }
    let mut layers = vec![Err("never read".to_owned()); places.len()];
    source.each(&places, &mut |at, content| {
        layers[at] = match content {
            Ok(Content::Blob(mut blob)) => {
                let mut bytes = Vec::new();
                blob.read_to_end(&mut bytes).map(|_| bytes).map_err(|e| e.to_string())
            }
            Ok(Content::Unpacked(_)) => Err("unpacked".to_owned()),
            Err(flaw) => Err(flaw.to_string()),
        };
    });
    (plan, layers, server.log().len())
}

fn flaws(plan: &Plan) -> Vec<String> {
    plan.flaws.iter().map(|(path, flaw)| format!("{}: {flaw}", path.text())).collect()
}

fn as_tar(bytes: &[u8]) -> Reply {
    Reply::ok(bytes.to_vec()).with("Content-Type", "application/x-tar")
}

#[test]
fn an_export_is_an_image() {
    let (all, id, layer) = saved();
    let (plan, layers, requests) = asked(as_tar(&all), &id, "", true);
    assert_eq!(flaws(&plan), Vec::<String>::new());
    assert_eq!(plan.images[0].tags, ["registry.example/app:1"]);
    assert_eq!(Some(format!("sha256:{}", plan.images[0].id.as_ref().unwrap())), Some(id));
    let missing = "not a valid export of an engine: a member is missing".to_owned();
    assert_eq!((layers, requests), (vec![Ok(layer), Err(missing)], 2));
}

#[test]
fn what_others_have_is_not_asked_for() {
    let (all, id, _) = saved();
    let (plan, _, requests) = asked(as_tar(&all), &id, &id, true);
    assert!(plan.images.is_empty() && plan.flaws.is_empty() && requests == 0);
    let (plan, _, requests) = asked(as_tar(&all), &id, "", false);
    let is = "/registry.example/app:1: cannot read: the store of this engine is none of those read here; `--engine-export` asks the engine for it";
    assert_eq!((flaws(&plan), requests), (vec![is.to_owned()], 0));
}

#[test]
fn bad_exports_are_gaps() {
    let (all, id, _) = saved();
    let of = |reply: Reply| flaws(&asked(reply, &id, "", true).0).join(" | ");
    let other = format!("sha256:{}", "0".repeat(64));
    let another = flaws(&asked(as_tar(&all), &other, "", true).0).join(" | ");
    assert!(
        another.ends_with("not a valid export of an engine: it does not hold the image that was asked for"),
        "{another}"
    );
    for (reply, is) in [
        (Reply::new(404, ""), "knows nothing at `/images/get` (404)"),
        (Reply::ok("{}").with("Content-Type", "application/json"), "JSON instead of a tar"),
        (as_tar(b"no tar at all"), "/registry.example/app:1: tar ends too early"),
        (as_tar(&all[..700]), "/registry.example/app:1: tar ends too early"),
        (as_tar(&all[..700]).length(Some(all.len())), "cannot read: the engine ended it"),
        (as_tar(&[]), "/registry.example/app:1: "),
    ] {
        let all = of(reply);
        assert!(all.contains(is), "{all}; {is}");
    }
}
