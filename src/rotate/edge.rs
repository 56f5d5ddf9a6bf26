//! Why an item waits for another: by what is protected, never by the phase alone.

use serde::{Deserialize, Serialize};

/// An item that comes first, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Its id.
    pub item: String,
    /// The reason.
    #[serde(flatten)]
    pub because: Because,
}

/// What the order protects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// It changes or removes what would be evidence.
    KeepsEvidence,
    /// While the network is up, what still runs there sends what it finds, fetches more, and sees what is revoked.
    CutsNetwork,
    /// A monitor destroys files, or runs new code, when a token stops working.
    SwitchesOffMonitors,
    /// What still runs, or is installed again, takes whatever is put there.
    RemovesCode,
    /// A job that still runs hands the new secret to whoever has the old one.
    StopsJobs,
    /// Who still has the one can mint, read or reset the other.
    Opens {
        /// Id of the kind that opens.
        kind: String,
        /// Id of the kind that is opened.
        opened: String,
    },
    /// Only the second examination shows that nothing is left.
    ExaminesAgain,
    /// It proves what the other has done.
    Proves,
    /// What is looked at are the logs that the other saves.
    SavesLogs,
}

impl Because {
    /// For a sentence: "after A1: …".
    pub fn words(&self, name: impl Fn(&str) -> String) -> String {
        match self {
            Self::KeepsEvidence => "this changes what would be evidence".to_owned(),
            Self::CutsNetwork => {
                "while the network is up, the payload sends what it finds, fetches more and sees what is revoked"
                    .to_owned()
            }
            Self::SwitchesOffMonitors => {
                "a monitor destroys files, or runs new code, when a token stops working".to_owned()
            }
            Self::RemovesCode => "what still runs there, or is installed again, takes whatever is put there".to_owned(),
            Self::StopsJobs => "a job that still runs hands the new secret to whoever has the old one".to_owned(),
            Self::Opens { kind, opened } => {
                format!("who still has the {} can mint, read or reset the {}", name(kind), name(opened))
            }
            Self::ExaminesAgain => "only the second examination shows that nothing is left".to_owned(),
            Self::Proves => "this proves what that has done".to_owned(),
            Self::SavesLogs => "this reads the logs that that saves".to_owned(),
        }
    }

    /// Two or three words, for a list of them.
    pub fn shortly(&self) -> &'static str {
        match self {
            Self::KeepsEvidence => "evidence kept by",
            Self::CutsNetwork => "network cut by",
            Self::SwitchesOffMonitors => "monitors off by",
            Self::RemovesCode => "code gone by",
            Self::StopsJobs => "jobs stopped by",
            Self::Opens { .. } => "opened by",
            Self::ExaminesAgain => "examined again by",
            Self::Proves => "proof of",
            Self::SavesLogs => "logs saved by",
        }
    }
}
