//! Which kinds of indicator a surface can show.

/// A kind of indicator, by the list of an incident that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shows {
    /// Versions of packages, and commands that take them.
    Packages,
    /// Files that are downloaded, by hash.
    Artifacts,
    /// Files by place, name or hash.
    Files,
    /// Names, addresses and URLs.
    Network,
    /// Texts of a payload.
    Strings,
    /// Repositories, branches, commits, authors, messages and workflows.
    Git,
    /// Actions, by commit or tag.
    Actions,
    /// Container images, by name or digest.
    Images,
    /// Running programs.
    Processes,
}

impl Shows {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Packages,
        Self::Artifacts,
        Self::Files,
        Self::Network,
        Self::Strings,
        Self::Git,
        Self::Actions,
        Self::Images,
        Self::Processes,
    ];

    /// The name of the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Artifacts => "artifacts",
            Self::Files => "files",
            Self::Network => "network",
            Self::Strings => "strings",
            Self::Git => "git",
            Self::Actions => "actions",
            Self::Images => "images",
            Self::Processes => "processes",
        }
    }
}
