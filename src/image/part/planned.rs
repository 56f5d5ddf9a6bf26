//! An image as it was planned, as plain data: what its configuration says, without the words of its steps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::{
    layer::Expected,
    manifest::{self, instruction},
    plan::Secrets,
    planned::{self, Container, Holds},
};
use crate::{
    fact::At,
    inventory::{
        self,
        v1::{self, Command, Credential, Path},
    },
};

/// An image.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Planned {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    os: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variables: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<(String, Credential)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<(String, Credential)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Step>,
    layers: Vec<Layer>,
    holds: Held,
}

/// A step of its build.
#[derive(Debug, Serialize, Deserialize)]
struct Step {
    number: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instruction: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    commands: Vec<Command>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<(String, Credential)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<v1::At>,
    empty: bool,
}

/// A layer.
#[derive(Debug, Serialize, Deserialize)]
struct Layer {
    /// Where the source has it, and its bytes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<(Path, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    diff_id: Option<String>,
    #[serde(default)]
    unpacked: bool,
}

/// What the layers make up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Held {
    Image,
    Container { id: String, name: String, running: Option<bool> },
    Volume(String),
}

fn stored(secrets: &Secrets) -> Vec<(String, Credential)> {
    secrets.iter().map(|(name, secret)| (name.clone(), secret.into())).collect()
}

fn read(secrets: Vec<(String, Credential)>) -> Secrets {
    secrets.into_iter().map(|(name, secret)| (name, secret.read())).collect()
}

impl From<&planned::Planned> for Planned {
    fn from(image: &planned::Planned) -> Self {
        let step = |step: &manifest::Step| Step {
            number: step.number,
            instruction: step.instruction.map(str::to_owned),
            commands: step.commands.iter().map(Command::from).collect(),
            secrets: stored(&step.secrets),
            at: step.at.as_ref().map(v1::At::from),
            empty: step.empty,
        };
        let layer = |layer: &planned::PlannedLayer| Layer {
            place: layer.member.as_ref().map(|(path, len)| (path.into(), *len)),
            blob: layer.expected.blob.clone(),
            diff_id: layer.expected.diff_id.clone(),
            unpacked: layer.unpacked,
        };
        let holds = match &image.holds {
            Holds::Image => Held::Image,
            Holds::Container(Container { id, name, running }) => {
                Held::Container { id: id.clone(), name: name.clone(), running: *running }
            }
            Holds::Volume(name) => Held::Volume(name.clone()),
        };
        Self {
            tags: image.tags.clone(),
            id: image.id.clone(),
            manifests: image.manifests.clone(),
            created: image.created,
            epoch: image.epoch,
            os: image.os.clone(),
            architecture: image.architecture.clone(),
            variables: image.variables.clone(),
            secrets: stored(&image.secrets),
            labels: stored(&image.labels),
            steps: image.steps.iter().map(step).collect(),
            layers: image.layers.iter().map(layer).collect(),
            holds,
        }
    }
}

impl Planned {
    /// `None` where something in it is not what this program writes.
    pub(super) fn read(self) -> Option<planned::Planned> {
        let step = |step: Step| {
            Some(manifest::Step {
                number: step.number,
                instruction: step.instruction.as_deref().and_then(instruction),
                commands: step.commands.into_iter().map(Command::read).collect::<Option<_>>()?,
                secrets: read(step.secrets),
                at: step.at.map(|at| At { time: at.time, source: inventory::source(at.source) }),
                empty: step.empty,
            })
        };
        let layer = |layer: Layer| {
            let member = match layer.place {
                Some((path, len)) => Some((path.read()?, len)),
                None => None,
            };
            let expected = Expected { blob: layer.blob, diff_id: layer.diff_id };
            Some(planned::PlannedLayer { member, expected, unpacked: layer.unpacked })
        };
        let holds = match self.holds {
            Held::Image => Holds::Image,
            Held::Container { id, name, running } => Holds::Container(Container { id, name, running }),
            Held::Volume(name) => Holds::Volume(name),
        };
        Some(planned::Planned {
            tags: self.tags,
            id: self.id,
            manifests: self.manifests,
            created: self.created,
            epoch: self.epoch,
            os: self.os,
            architecture: self.architecture,
            variables: self.variables,
            secrets: read(self.secrets),
            labels: read(self.labels),
            steps: self.steps.into_iter().map(step).collect::<Option<_>>()?,
            layers: self.layers.into_iter().map(layer).collect::<Option<_>>()?,
            holds,
        })
    }
}
