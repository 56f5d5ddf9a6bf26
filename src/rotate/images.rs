//! What is done about images: where they run, and making them anew. An image has no network, no memory and no disk of its own.

use std::collections::BTreeSet;

use super::{
    Item,
    purge::good,
    shell::quote,
    situation::Situation,
    step::{Action, Step},
};
use crate::{
    text::escape,
    verdict::{Phase, Place, Workstream},
};

/// Digests of one image that a command names.
const DIGESTS: usize = 8;
/// What names and digests of a pod's containers are, also of those that ran before it started.
const PODS: &str = "get pods --all-namespaces -o 'custom-columns=NS:.metadata.namespace,NAME:.metadata.name,IMAGES:.spec.containers[*].image,INIT:.spec.initContainers[*].image,IDS:.status.containerStatuses[*].imageID,INITIDS:.status.initContainerStatuses[*].imageID'";

/// Whether images alone were examined.
pub fn alone(s: &Situation<'_>) -> bool {
    let mut here = s.assessment.findings.iter().filter(|f| !f.origin.is_of_job()).peekable();
    here.peek().is_some() && here.all(|f| s.is_of_image(f))
}

/// What an engine and a registry know it by. A tag may have moved to another image since.
fn digests<'s>(s: &Situation<'s>, image: &str) -> Vec<&'s str> {
    let all = s.assessment.images.get(image).into_iter().flatten();
    let is_digest =
        |d: &&str| d.strip_prefix("sha256:").is_some_and(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    all.map(String::as_str).filter(is_digest).take(DIGESTS).collect()
}

fn layers<'s>(s: &Situation<'s>, image: &str) -> BTreeSet<&'s str> {
    let of = s.assessment.findings.iter().filter(|f| &*f.origin.tree == image);
    of.filter_map(|f| f.origin.layer.as_deref()).collect()
}

/// In place of what is kept of a machine.
pub fn preserve(s: &Situation<'_>) -> Item {
    let why = "a tag is moved and an old image is deleted soon; only it can show what was in it, and only its containers what ran";
    let mut item = Item::new(Phase::Preserve, "Keep the images and what ran from them before anything is changed", why);
    for image in super::purge::trees(&s.findings(|f| s.is_of_image(f))) {
        let known = digests(s, image);
        let named = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
        item = item.say(format!("keep the archive of {}{named} that was examined", escape(image.as_bytes())));
    }
    item.say("of each container of them: its log and its changed files (docker logs, docker diff, docker export), before it is stopped")
        .say("copy this report to another machine: a later examination finds less, and only this one lists what to rotate")
}

/// In place of cutting off a machine.
pub fn contain(hosts: &[String]) -> Item {
    let why = "a container of them sends what it takes, and the next one that starts does the same";
    let item = Item::new(Phase::Contain, "Cut off what runs from the images, and start nothing more from them", why)
        .at(Place::Clean)
        .by(Workstream::Machine)
        .say("pause the deployments, jobs and builds that use them; deny their pods and containers all outgoing traffic (network policy, `docker network disconnect`) without ending them: their logs and files are evidence");
    match hosts.is_empty() {
        true => item,
        false => item.say(format!("where they have to stay online, drop at least {}", hosts.join(", "))),
    }
}

/// Where it runs: by what cannot move to another image.
pub fn containers(s: &Situation<'_>, image: &str) -> Item {
    let named = escape(image.as_bytes());
    let name = quote(image.as_bytes());
    let known = digests(s, image);
    let ancestors: String = match known.is_empty() {
        true => format!(" --filter ancestor={name}"),
        false => known.iter().map(|d| format!(" --filter ancestor={d}")).collect(),
    };
    let texts: String = known.iter().map(|d| format!(" -e {d}")).chain([format!(" -e {name}")]).collect();
    let bare: String = known.iter().filter_map(|d| d.strip_prefix("sha256:")).map(|d| format!(" -e {d}")).collect();
    let why = match known.is_empty() {
        true => "what runs from it runs the payload; its digest is not known, and its tag may have moved since",
        false => "what runs from it runs the payload; it is looked for by its digests, since its tag may have moved",
    };
    let mut item = Item::new(Phase::Eradicate, format!("Stop every container of image {named}"), why);
    let find = Step::new(
        "find them on each machine (podman knows the same digests without `sha256:`)",
        Action::Given(format!("docker ps --all --no-trunc{ancestors}")),
    );
    item = item.steps([find.expect("the header alone; otherwise one line for each container, also of stopped ones")]);
    let layers = layers(s, image);
    if !layers.is_empty() {
        let texts: String = layers.iter().map(|l| format!(" -e {}", quote(l.as_bytes()))).collect();
        let every = format!(
            "docker image ls --all --quiet --no-trunc | sort -u | while IFS= read -r i; do echo \"$i $(docker image inspect --format '{{{{.RepoTags}}}} {{{{.RootFS.Layers}}}}' \"$i\" </dev/null)\"; done | grep -F{texts}"
        );
        let other = Step::new(
            "other images on the machine with a layer of it: under another tag, or built on it; look for their containers the same way",
            Action::Given(every),
        );
        item =
            item.steps([other.expect("nothing but this image; otherwise one line for each, with its id and its tags")]);
    }
    let clusters = format!(
        "kubectl config get-contexts -o name | while IFS= read -r c; do echo \"== $c\"; kubectl --context \"$c\" {PODS} </dev/null; done | grep -F -e '== '{}{texts}",
        bare
    );
    let look = Step::new(
        "find its pods, with the containers that run before them, in every cluster that the clean machine has a context for",
        Action::Given(clusters),
    );
    item.steps([look.expect("the name of each context and nothing else; no context is no answer").at(Place::Clean)])
        .say("a line that fits by the name alone is compared by its digest: the tag may name another image by now")
        .say("keep what you need as evidence (docker commit, docker export), then stop and remove them; scale workloads to zero")
}

/// Making it anew.
pub fn rebuild(s: &Situation<'_>, image: &str) -> Item {
    let named = escape(image.as_bytes());
    let word = quote(image.as_bytes());
    let found = s.findings(|f| s.is_of_image(f) && &*f.origin.tree == image);
    let why = "a layer keeps what it holds, also where a later one hides it; an image built on it has it too";
    let mut item = Item::new(Phase::Rebuild, format!("Rebuild image {named} and remove the old one everywhere"), why)
        .at(Place::Clean)
        .say(format!("write {} into what it is built from", good(s, &found)))
        .say("build it on a machine that is in order, from a fresh base image, without any build cache (`--no-cache --pull`)");
    for layer in layers(s, image) {
        item = item.say(format!(
            "no image may keep the layer {}: look for it in every registry and builder",
            escape(layer.as_bytes())
        ));
    }
    let known = digests(s, image);
    let list = match known.is_empty() {
        true => format!("docker image ls --no-trunc --digests -- {word}"),
        false => {
            let texts: String = known.iter().map(|d| format!(" -e {d}")).collect();
            format!("docker image ls --all --no-trunc --digests | grep -F{texts}")
        }
    };
    item.run(
        "look for the old one on every machine, under any tag, and remove it there when nothing uses it any more",
        list,
    )
    .say("delete its tags and manifests in the registries, pull-through caches and build caches")
    .run("save the new one", format!("docker image save --output rebuilt.tar -- {word}"))
    .run("examine it before it is used", "dosimeter images rebuilt.tar")
}
