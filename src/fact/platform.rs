//! What a machine is part of, as far as its files say: which clouds, clusters and runners can have given it more than its files.

use serde::{Deserialize, Serialize};

/// What gives a machine credentials that stand in no file of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Amazon: EC2 or ECS.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
    /// A node or a pod of a Kubernetes cluster.
    Kubernetes,
    /// A runner of a CI service.
    CiRunner,
}

impl Platform {
    /// All, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Aws, Self::Gcp, Self::Azure, Self::Kubernetes, Self::CiRunner];

    /// As data writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Kubernetes => "kubernetes",
            Self::CiRunner => "ci_runner",
        }
    }

    /// In a sentence: "this is …".
    pub fn label(self) -> &'static str {
        match self {
            Self::Aws => "a machine of Amazon's cloud",
            Self::Gcp => "a machine of Google's cloud",
            Self::Azure => "a machine of Azure",
            Self::Kubernetes => "part of a Kubernetes cluster",
            Self::CiRunner => "a runner of a CI service",
        }
    }
}
