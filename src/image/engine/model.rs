//! What engines say of images and containers. Of labels only those are kept that say whose a container is: others may hold secrets.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::image::listing::{ImageId, ImageUse, LocalContainer, PodContainer, User, lax::Text};

/// Names of one image.
const NAMES: usize = 500;
const COMPOSE: [&str; 2] = ["com.docker.compose.project", "com.docker.compose.service"];
const POD: [&str; 3] = ["io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name"];

/// `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineVersion {
    /// `26.1.5`.
    pub version: String,
}

/// An image as an engine lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineImage {
    /// `sha256:…`: of its configuration; in containerd's store of its manifest or index.
    pub id: String,
    /// `registry.example/app:1`; without `<none>:<none>`.
    pub tags: Vec<String>,
}

/// A container as an engine lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineContainer {
    /// Hex.
    pub id: String,
    /// Without the slash.
    pub name: String,
    /// As it was named when the container was made.
    pub image: String,
    /// `sha256:…`, as `EngineImage::id`.
    pub image_id: String,
    /// `running`, `exited`, `paused` …
    pub state: String,
    /// Project and service of Compose.
    pub compose: Option<(String, String)>,
    /// Namespace, pod and container of Kubernetes.
    pub pod: Option<(String, String, String)>,
}

impl EngineContainer {
    /// Whether its processes are there, stopped for a moment or not.
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused" | "restarting" | "removing")
    }

    /// Which image it uses, in the words of lists: the container of a pod where its labels say so.
    pub fn as_use(&self) -> ImageUse {
        let running = self.is_running();
        let user = match &self.pod {
            Some((namespace, pod, container)) => User::Pod(PodContainer {
                namespace: Some(namespace.clone()),
                pod: Some(pod.clone()),
                container: container.clone(),
                id: Some(self.id.clone()),
                running: Some(running),
                ..PodContainer::default()
            }),
            None => User::Container(LocalContainer {
                name: self.name.clone(),
                id: self.id.clone(),
                running,
                compose: self.compose.clone(),
            }),
        };
        let image_id = Some(self.image_id.clone()).filter(|id| id.starts_with("sha256:")).map(ImageId::Config);
        ImageUse { image: self.image.clone(), image_id, by_default: false, user }
    }
}

/// Texts of a list, some of them.
#[derive(Default)]
struct Texts(Vec<String>);

impl<'d> Deserialize<'d> for Texts {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        // Of a list that is none, nothing; so is an element that is no text.
        let Words(words) = Words::deserialize(from)?;
        Ok(Self(words.into_iter().filter(|w| !w.is_empty() && !w.starts_with("<none>")).collect()))
    }
}

struct Words(Vec<String>);

impl<'d> Deserialize<'d> for Words {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'d> Visitor<'d> for Visit {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_unit<E>(self) -> Result<Words, E> {
                Ok(Words(Vec::new()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'d>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element::<Text>()? {
                    if words.len() < NAMES {
                        words.push(word.0);
                    }
                }
                Ok(Words(words))
            }
        }
        from.deserialize_any(Visit)
    }
}

/// The values of some labels.
#[derive(Default)]
struct Labels(Vec<(String, String)>);

impl Labels {
    fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }
}

impl<'d> Deserialize<'d> for Labels {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'d> Visitor<'d> for Visit {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_unit<E>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }

            fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels::default();
                while let Some(Text(name)) = map.next_key()? {
                    if COMPOSE.contains(&name.as_str()) || POD.contains(&name.as_str()) {
                        labels.0.push((name, map.next_value::<Text>()?.0));
                        labels.0.truncate(COMPOSE.len() + POD.len());
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(labels)
            }
        }
        from.deserialize_any(Visit)
    }
}

impl<'d> Deserialize<'d> for EngineVersion {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Raw {
            version: Text,
        }
        Ok(Self { version: Raw::deserialize(from)?.version.0 })
    }
}

impl<'d> Deserialize<'d> for EngineImage {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Raw {
            id: Text,
            repo_tags: Texts,
        }
        let raw = Raw::deserialize(from)?;
        Ok(Self { id: raw.id.0, tags: raw.repo_tags.0 })
    }
}

impl<'d> Deserialize<'d> for EngineContainer {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Raw {
            id: Text,
            names: Texts,
            image: Text,
            #[serde(rename = "ImageID")]
            image_id: Text,
            state: Text,
            labels: Labels,
        }
        let raw = Raw::deserialize(from)?;
        let labels = raw.labels;
        let name = raw.names.0.into_iter().next().unwrap_or_default();
        let both = |[a, b]: [&str; 2]| labels.value(a).zip(labels.value(b));
        let [namespace, pod, container] = POD;
        let of_pod = both([namespace, pod]);
        Ok(Self {
            id: raw.id.0,
            name: name.trim_start_matches('/').to_owned(),
            image: raw.image.0,
            image_id: image_id_of(raw.image_id.0),
            state: raw.state.0,
            compose: both(COMPOSE),
            pod: of_pod.map(|(n, p)| (n, p, labels.value(container).unwrap_or_default())),
        })
    }
}

/// Podman leaves `sha256:` away.
fn image_id_of(id: String) -> String {
    let is_bare = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if is_bare { format!("sha256:{id}") } else { id }
}
