//! Objects of Kubernetes: what `kubectl get … -o json` or `-o yaml` prints, and manifests.
//!
//! ```text
//! {"kind":"List","items":[{"kind":"Pod",
//!   "metadata":{"name":"web-6d4b75cb6d-x","namespace":"shop","labels":{"pod-template-hash":"6d4b75cb6d"},
//!               "ownerReferences":[{"kind":"ReplicaSet","name":"web-6d4b75cb6d","controller":true}]},
//!   "spec":{"nodeName":"n1","containers":[{"name":"app","image":"registry.example/web:1"}],"initContainers":[],
//!           "ephemeralContainers":[],"volumes":[{"image":{"reference":"registry.example/data:1"}}]},
//!   "status":{"containerStatuses":[{"name":"app","image":"…","imageID":"registry.example/web@sha256:…",
//!             "containerID":"containerd://…","state":{"running":{}}}]}}]}
//! ```
//!
//! Objects are read one after the other, so that a dump of a whole cluster costs what its images need. A pod's owner is followed as far
//! as the list goes; a ReplicaSet that is not in it is its Deployment, by the label that the latter gives.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    ImageId, ImageUse, Listing, Owner, PodContainer, Role, User, json_flaw,
    lax::{Few, Lax, Text},
};
use crate::surface::Flaw;

/// Steps from a pod to what made it: Pod, ReplicaSet, Deployment, and one of somebody's own.
const STEPS: usize = 4;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Object {
    #[serde(rename = "apiVersion")]
    api_version: Text,
    kind: Text,
    metadata: Lax<Meta>,
    spec: Lax<Spec>,
    status: Lax<Status>,
    template: Lax<Template>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    name: Text,
    namespace: Text,
    labels: Lax<Labels>,
    #[serde(rename = "ownerReferences")]
    owners: Few<Reference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels {
    #[serde(rename = "pod-template-hash")]
    hash: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reference {
    kind: Text,
    name: Text,
    controller: Text,
}

/// Of a pod, and of whatever has a template for pods.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: Text,
    containers: Few<Container>,
    init_containers: Few<Container>,
    ephemeral_containers: Few<Container>,
    volumes: Few<Volume>,
    replicas: Text,
    template: Lax<Template>,
    job_template: Lax<JobTemplate>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Template {
    spec: Lax<PodSpec>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JobTemplate {
    spec: Lax<JobSpec>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JobSpec {
    template: Lax<Template>,
}

/// Of a template: what it is not again.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    containers: Few<Container>,
    init_containers: Few<Container>,
    ephemeral_containers: Few<Container>,
    volumes: Few<Volume>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Container {
    name: Text,
    image: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Volume {
    name: Text,
    image: Lax<ImageVolume>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ImageVolume {
    reference: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    container_statuses: Few<ContainerStatus>,
    init_container_statuses: Few<ContainerStatus>,
    ephemeral_container_statuses: Few<ContainerStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ContainerStatus {
    name: Text,
    #[serde(rename = "imageID")]
    image_id: Text,
    #[serde(rename = "containerID")]
    id: Text,
    state: Lax<State>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct State {
    running: Option<IgnoredAny>,
    waiting: Option<IgnoredAny>,
    terminated: Option<IgnoredAny>,
}

/// Reads one document: an object, a list of them, or an array.
pub(super) fn read(json: &str, listing: &mut Listing) {
    let outcome = Document { listing: &mut *listing }.deserialize(&mut serde_json::Deserializer::from_str(json));
    if let Err(error) = outcome {
        listing.add_flaw(json_flaw(&error));
    }
}

/// Where the objects of a document go.
struct Document<'l> {
    listing: &'l mut Listing,
}

impl<'d> DeserializeSeed<'d> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'d>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects of Kubernetes")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(object) = list.next_element::<Lax<Object>>()? {
            object.0.into_iter().for_each(|o| add(o, self.listing));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<(), A::Error> {
        // The keys of a list come in any order: `items` may be first.
        let object = Object::deserialize(MapAccessDeserializer::new(Items { map, listing: &mut *self.listing }))?;
        add(object, self.listing);
        Ok(())
    }
}

/// A mapping whose `items` are read as they pass.
struct Items<'l, A> {
    map: A,
    listing: &'l mut Listing,
}

impl<'d, A: MapAccess<'d>> MapAccess<'d> for Items<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(key) = self.map.next_key::<String>()? else {
                return Ok(None);
            };
            if key != "items" {
                return seed.deserialize(serde::de::value::StringDeserializer::new(key)).map(Some);
            }
            self.map.next_value_seed(Document { listing: &mut *self.listing })?;
        }
    }

    fn next_value_seed<V: DeserializeSeed<'d>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

fn add(object: Object, listing: &mut Listing) {
    let Object { api_version, kind, metadata, spec, status, template } = object;
    let meta = metadata.0.unwrap_or_default();
    let status = status.0.unwrap_or_default();
    let Spec {
        node_name,
        containers,
        init_containers,
        ephemeral_containers,
        volumes,
        replicas,
        template: own_template,
        job_template,
    } = spec.0.unwrap_or_default();
    let own = Owner { kind: kind.0, name: meta.name.0 };
    let owner = owner(&meta.owners);
    let namespace = meta.namespace.some();
    let mut common = PodContainer { namespace, ..PodContainer::default() };
    let in_pod = PodSpec { containers, init_containers, ephemeral_containers, volumes };
    if own.kind == "Pod" {
        let hash = meta.labels.0.unwrap_or_default().hash.0;
        let made_by = owner.map(|o| deployment_of(o, &hash));
        (common.owner, common.pod, common.node) = (made_by, Some(own.name), node_name.some());
        pod(in_pod, status, &common, listing);
        return;
    }
    if let Some(owner) = owner {
        listing.made_by.insert((common.namespace.clone().unwrap_or_default(), own.clone()), owner);
    }
    // A job's template is one more level down in what starts it at times.
    let of_job = job_template.0.and_then(|j| j.spec.0).and_then(|s| s.template.0);
    let spec = own_template.0.or(of_job).or(template.0).and_then(|t| t.spec.0);
    let has_template = spec.is_some();
    let Some(spec) = spec else {
        if is_foreign(&api_version.0) {
            let place = format!("{} {}", own.kind, own.name);
            listing.leave_out(&place, "a kind of somebody's own: which images it stands for is not known");
        }
        return;
    };
    common.running = (replicas.0 == "0" && has_template).then_some(false);
    common.owner = Some(own);
    pod(spec, Status::default(), &common, listing);
}

/// Whether an API is neither Kubernetes' own nor one of those that name no images.
fn is_foreign(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn owner(references: &Few<Reference>) -> Option<Owner> {
    let list = &references.list;
    let chosen = list.iter().find(|r| r.controller.0 == "true").or(list.first())?;
    Some(Owner { kind: chosen.kind.0.clone(), name: chosen.name.0.clone() })
}

/// A ReplicaSet of a Deployment has the hash of its template behind the name of it.
fn deployment_of(owner: Owner, hash: &str) -> Owner {
    let name = owner.name.strip_suffix(hash).and_then(|n| n.strip_suffix('-'));
    match name {
        Some(name) if owner.kind == "ReplicaSet" && !hash.is_empty() && !name.is_empty() => {
            Owner { kind: "Deployment".to_owned(), name: name.to_owned() }
        }
        _ => owner,
    }
}

fn pod(spec: PodSpec, status: Status, common: &PodContainer, listing: &mut Listing) {
    let Status { container_statuses, init_container_statuses, ephemeral_container_statuses } = status;
    let volumes: Vec<Container> = spec
        .volumes
        .list
        .into_iter()
        .filter_map(|v| Some(Container { name: v.name, image: v.image.0?.reference }))
        .collect();
    let volumes = Few { list: volumes, cut: spec.volumes.cut };
    let mut used = HashMap::new();
    for (containers, statuses, role) in [
        (spec.init_containers, init_container_statuses, Role::Init),
        (spec.containers, container_statuses, Role::Main),
        (spec.ephemeral_containers, ephemeral_container_statuses, Role::Ephemeral),
        (volumes, Few::default(), Role::Volume),
    ] {
        if containers.cut {
            listing.add_flaw(Flaw::Unsupported("a pod of more than 2000 containers"));
        }
        used.clear();
        used.extend(statuses.list.into_iter().map(|s| (s.name.0.clone(), s)));
        for Container { name, image } in containers.list {
            let status: Option<ContainerStatus> = used.remove(&name.0);
            container(name.0, image, status, role, common, listing);
        }
    }
}

fn container(
    name: String,
    image: Option<Text>,
    status: Option<ContainerStatus>,
    role: Role,
    common: &PodContainer,
    listing: &mut Listing,
) {
    let is_written = image.is_some();
    let Some(image) = image.and_then(Text::some) else {
        let pod = common.pod.as_deref().or(common.owner.as_ref().map(|o| o.name.as_str())).unwrap_or_default();
        let namespace = common.namespace.as_deref().unwrap_or("default");
        let place = format!("{namespace}/{pod}, container {name}");
        if is_written {
            listing.not_read(&place);
        } else {
            listing.leave_out(&place, "no image is written");
        }
        return;
    };
    let mut user = PodContainer { container: name, role, ..common.clone() };
    let mut image_id = None;
    if let Some(status) = status {
        let state = status.state.0.unwrap_or_default();
        let known = state.running.is_some() || state.waiting.is_some() || state.terminated.is_some();
        user.running = known.then_some(state.running.is_some());
        user.id = status.id.some();
        image_id = status.image_id.some().and_then(|id| id_of(&id));
    }
    listing.add_use(ImageUse { image, image_id, by_default: false, user: User::Pod(user) });
}

/// `registry.example/app@sha256:…`, `docker-pullable://registry.example/app@sha256:…`, `sha256:…`, `docker://sha256:…`, and CRI-O's bare hex.
fn id_of(text: &str) -> Option<ImageId> {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (repository, digest) = text.split_once('@').unwrap_or(("", text));
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digest = format!("sha256:{}", hex.to_ascii_lowercase());
    Some(match repository {
        "" => ImageId::Config(digest),
        repository => ImageId::Manifest { repository: repository.to_owned(), digest },
    })
}

/// Replaces owners by what made them, as far as the list says it.
pub(super) fn resolve_owners(listing: &mut Listing) {
    let made_by: HashMap<(String, Owner), Owner> = std::mem::take(&mut listing.made_by);
    for image in &mut listing.uses {
        let User::Pod(user) = &mut image.user else {
            continue;
        };
        // A template's owner is the object itself, whoever made that.
        if user.pod.is_none() {
            continue;
        }
        let namespace = user.namespace.clone().unwrap_or_default();
        for _ in 0..STEPS {
            let Some(owner) = user.owner.clone() else { break };
            let Some(above) = made_by.get(&(namespace.clone(), owner)) else { break };
            user.owner = Some(above.clone());
        }
    }
}
