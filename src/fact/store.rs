//! Where a secret is kept that a file only refers to.

use serde::{Deserialize, Serialize};

/// A store of secrets, known by the form of references into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// HashiCorp Vault, or OpenBao.
    Vault,
    /// Secrets Manager or Parameter Store of Amazon.
    Aws,
    /// Secret Manager of Google.
    Gcp,
    /// Key Vault of Azure.
    Azure,
    /// 1Password.
    Onepassword,
    /// A value that SOPS encrypted where it stands.
    Sops,
}

impl Store {
    /// All, in the order of plans.
    pub const ALL: [Self; 6] = [Self::Vault, Self::Aws, Self::Gcp, Self::Azure, Self::Onepassword, Self::Sops];

    /// As data writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Onepassword => "onepassword",
            Self::Sops => "sops",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Vault => "HashiCorp Vault or OpenBao",
            Self::Aws => "AWS Secrets Manager or Parameter Store",
            Self::Gcp => "Google Secret Manager",
            Self::Azure => "Azure Key Vault",
            Self::Onepassword => "1Password",
            Self::Sops => "SOPS",
        }
    }
}
