//! What each command may do: the table that README shows.

/// Which sockets a command may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// None of any kind.
    None,
    /// Connections by TCP, and the questions for the name of a host; nothing is waited for.
    Tcp,
    /// Connections to Unix sockets.
    Unix,
    /// `Tcp` and `Unix`.
    TcpAndUnix,
}

impl Sockets {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tcp => "TCP to the address named, and what finds its name",
            Self::Unix => "Unix: the socket of the engine named",
            Self::TcpAndUnix => "TCP to the address named, what finds its name, and the socket of the engine named",
        }
    }

    /// The same without TCP.
    pub fn without_tcp(self) -> Self {
        match self {
            Self::None | Self::Tcp => Self::None,
            Self::Unix | Self::TcpAndUnix => Self::Unix,
        }
    }

    /// Whether connections by TCP are among them.
    pub fn has_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::TcpAndUnix)
    }
}

/// What one command may do beyond computing.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// As it is typed.
    pub command: &'static str,
    /// What it may connect to.
    pub sockets: Sockets,
    /// What it may read beside its own places, in words.
    pub reads: &'static str,
    /// What it may write, in words.
    pub writes: &'static str,
}

const INDICATORS: &str = "the indicators that were opened before";
const NOTHING: &str = "nothing";

/// All commands. No command may start a program.
pub static PROFILES: &[Profile] = &[
    Profile {
        command: "scan",
        sockets: Sockets::None,
        reads: "the target: `/`, `--root`, `--home` or the PATHs",
        writes: "the files of `-o` and `--inventory`",
    },
    Profile { command: "match", sockets: Sockets::None, reads: "the inventory named", writes: "the files of `-o`" },
    Profile { command: "merge", sockets: Sockets::None, reads: "the files named", writes: "the files of `-o`" },
    Profile {
        command: "rotate",
        sockets: Sockets::None,
        reads: "the report, or the target as `scan`",
        writes: "the files of `-o`",
    },
    Profile {
        command: "verify",
        sockets: Sockets::None,
        reads: "the report and files named, and the target as `scan`",
        writes: "the files of `-o`",
    },
    Profile {
        command: "images",
        sockets: Sockets::None,
        reads: "the archives and folders named; below `--root` where none is, or an image of a store",
        writes: "the files of `-o`, `--each`, `--part` and `--layer-cache`",
    },
    Profile {
        command: "images REGISTRY",
        sockets: Sockets::Tcp,
        reads: "as `images`, and logins, certificates and the resolver's settings",
        writes: "the files of `-o`, `--each`, `--part` and `--layer-cache`",
    },
    Profile {
        command: "images ENGINE",
        sockets: Sockets::Unix,
        reads: "as `images`, and before it who listens on the socket",
        writes: "the files of `-o`, `--each`, `--part` and `--layer-cache`",
    },
    Profile {
        command: "images ENGINE REGISTRY",
        sockets: Sockets::TcpAndUnix,
        reads: "as `images ENGINE` and `images REGISTRY`",
        writes: "the files of `-o`, `--each`, `--part` and `--layer-cache`",
    },
    Profile { command: "surfaces", sockets: Sockets::None, reads: NOTHING, writes: NOTHING },
    Profile { command: "rules", sockets: Sockets::None, reads: NOTHING, writes: NOTHING },
    Profile { command: "iocs check", sockets: Sockets::None, reads: "the files and folders named", writes: NOTHING },
    Profile { command: "iocs list", sockets: Sockets::None, reads: INDICATORS, writes: NOTHING },
    Profile { command: "iocs show", sockets: Sockets::None, reads: INDICATORS, writes: NOTHING },
    Profile { command: "iocs search", sockets: Sockets::None, reads: INDICATORS, writes: NOTHING },
    Profile {
        command: "iocs update",
        sockets: Sockets::Tcp,
        reads: "the file named, the data folder, certificates, the resolver's settings",
        writes: "the data folder",
    },
    Profile {
        command: "iocs build",
        sockets: Sockets::None,
        reads: "the folder and feeds named",
        writes: "the files of `-o`",
    },
    Profile { command: "iocs import", sockets: Sockets::None, reads: "the files named", writes: "the file of `-o`" },
    Profile { command: "iocs export", sockets: Sockets::None, reads: INDICATORS, writes: "the file or folder of `-o`" },
];

/// What the program reads of its own machine whatever the command: itself, its limits, the time zone, the accounts, its names.
const OWN: &[&str] = &[
    "/proc/self",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/etc/passwd",
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/machine-id",
    "/dev/null",
    "/dev/urandom",
];

/// What a name needs to be found, and a certificate to be checked.
const NETWORK: &[&str] = &[
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/pki",
    "/nix/store",
];

/// The program's own places for these sockets.
pub fn own_reads(sockets: Sockets) -> impl Iterator<Item = &'static str> {
    let network = if sockets.has_tcp() { NETWORK } else { &[] };
    OWN.iter().chain(network).copied()
}
