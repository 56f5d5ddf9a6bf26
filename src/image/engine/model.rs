//! What engines say of images and containers. Of labels only the names are kept, and the values of those that say whose a container is:
//! others may hold secrets.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::image::listing::{
    ImageId, ImageUse, LocalContainer, PodContainer, User,
    lax::{Few, Lax, Text},
};

/// Labels of one image or container, and names of one image.
const LABELS: usize = 500;
const COMPOSE: [&str; 2] = ["com.docker.compose.project", "com.docker.compose.service"];
const POD: [&str; 4] =
    ["io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name", "io.kubernetes.pod.uid"];

/// `GET /version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineVersion {
    /// `26.1.5`.
    pub version: String,
    /// `1.45`.
    pub api: String,
    /// `linux`, `amd64`.
    pub platform: (String, String),
    /// What it is made of: `Engine`, `containerd`, `Podman Engine`.
    pub components: Vec<String>,
}

/// An image as an engine lists it, or as it inspects one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineImage {
    /// `sha256:…`: of its configuration; in containerd's store of its manifest or index.
    pub id: String,
    /// `registry.example/app:1`; without `<none>:<none>`.
    pub tags: Vec<String>,
    /// `registry.example/app@sha256:…`.
    pub digests: Vec<String>,
    /// As the engine writes it: seconds since 1970 in a list, RFC 3339 where it inspects one.
    pub created: String,
    /// In bytes, as the engine counts them.
    pub size: Option<u64>,
    /// `sha256:…` of its layers' tars, from the lowest on; empty in a list.
    pub diff_ids: Vec<String>,
    /// Names, sorted.
    pub labels: Vec<String>,
}

/// A container as an engine lists it, or as it inspects one.
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
    /// As the engine writes it (see `EngineImage::created`).
    pub created: String,
    /// `running`, `exited`, `paused` …
    pub state: String,
    /// Project and service of Compose.
    pub compose: Option<(String, String)>,
    /// Namespace, pod and container of Kubernetes.
    pub pod: Option<(String, String, String)>,
    /// Names, sorted.
    pub labels: Vec<String>,
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
                    if words.len() < LABELS {
                        words.push(word.0);
                    }
                }
                Ok(Words(words))
            }
        }
        from.deserialize_any(Visit)
    }
}

/// Names of labels, and the values of some.
#[derive(Default)]
struct Labels {
    names: Vec<String>,
    known: Vec<(String, String)>,
}

impl Labels {
    fn value(&self, name: &str) -> Option<String> {
        self.known.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    fn sorted(self) -> Vec<String> {
        let mut names = self.names;
        names.sort();
        names
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
                        labels.known.push((name.clone(), map.next_value::<Text>()?.0));
                        labels.known.truncate(COMPOSE.len() + POD.len());
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                    if labels.names.len() < LABELS && !name.is_empty() {
                        labels.names.push(name);
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
            api_version: Text,
            os: Text,
            arch: Text,
            components: Few<Component, 20>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Component {
            name: Text,
        }
        let raw = Raw::deserialize(from)?;
        Ok(Self {
            version: raw.version.0,
            api: raw.api_version.0,
            platform: (raw.os.0, raw.arch.0),
            components: raw.components.list.into_iter().map(|c| c.name.0).collect(),
        })
    }
}

impl<'d> Deserialize<'d> for EngineImage {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Raw {
            id: Text,
            repo_tags: Texts,
            repo_digests: Texts,
            created: Text,
            size: Text,
            labels: Labels,
            config: Lax<Config>,
            #[serde(rename = "RootFS")]
            root: Lax<Root>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Root {
            layers: Texts,
        }
        let raw = Raw::deserialize(from)?;
        let inspected = raw.config.0.unwrap_or_default().labels;
        let labels = if raw.labels.names.is_empty() { inspected } else { raw.labels };
        Ok(Self {
            id: raw.id.0,
            tags: raw.repo_tags.0,
            digests: raw.repo_digests.0,
            created: raw.created.0,
            size: raw.size.0.parse().ok(),
            diff_ids: raw.root.0.unwrap_or_default().layers.0,
            labels: labels.sorted(),
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    labels: Labels,
    image: Text,
}

impl<'d> Deserialize<'d> for EngineContainer {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "PascalCase")]
        struct Raw {
            id: Text,
            names: Texts,
            name: Text,
            image: Text,
            #[serde(rename = "ImageID")]
            image_id: Text,
            created: Text,
            state: StateOrWord,
            labels: Labels,
            config: Lax<Config>,
        }
        let raw = Raw::deserialize(from)?;
        // Inspected, `Image` is the id and the name stands in the configuration.
        let config = raw.config.0;
        let (labels, image, image_id) = match config {
            Some(config) => (config.labels, config.image.0, raw.image.0),
            None => (raw.labels, raw.image.0, raw.image_id.0),
        };
        let name = raw.names.0.into_iter().next().unwrap_or(raw.name.0);
        let both = |[a, b]: [&str; 2]| labels.value(a).zip(labels.value(b));
        let [namespace, pod, container, _] = POD;
        let of_pod = both([namespace, pod]);
        Ok(Self {
            id: raw.id.0,
            name: name.trim_start_matches('/').to_owned(),
            image,
            image_id: image_id_of(image_id),
            created: raw.created.0,
            state: raw.state.0,
            compose: both(COMPOSE),
            pod: of_pod.map(|(n, p)| (n, p, labels.value(container).unwrap_or_default())),
            labels: labels.sorted(),
        })
    }
}

/// Podman leaves `sha256:` away.
fn image_id_of(id: String) -> String {
    let is_bare = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if is_bare { format!("sha256:{id}") } else { id }
}

/// `"running"` in a list, `{"Status":"running"}` where one is inspected.
#[derive(Default)]
struct StateOrWord(String);

impl<'d> Deserialize<'d> for StateOrWord {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'d> Visitor<'d> for Visit {
            type Value = StateOrWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a state")
            }

            fn visit_str<E>(self, word: &str) -> Result<StateOrWord, E> {
                Ok(StateOrWord(word.chars().take(40).collect()))
            }

            fn visit_unit<E>(self) -> Result<StateOrWord, E> {
                Ok(StateOrWord::default())
            }

            fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<StateOrWord, A::Error> {
                let mut state = StateOrWord::default();
                while let Some(Text(key)) = map.next_key()? {
                    if key == "Status" {
                        state.0 = map.next_value::<Text>()?.0;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(state)
            }
        }
        from.deserialize_any(Visit)
    }
}
