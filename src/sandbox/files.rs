//! Landlock: which places may be read, which written. It holds for the thread that asks for it and those it starts later.

use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, make_bitflags, path_beneath_rules,
};

use super::{Sockets, own_reads};

/// The newest version whose rights are known here; of an older kernel, what it has.
const NEWEST: ABI = ABI::V6;

/// Encloses this thread; the version of the interface, where it holds.
pub fn reads(sockets: Sockets, places: &[PathBuf]) -> Option<u32> {
    let own = own_reads(sockets).map(PathBuf::from);
    let named = certificates().filter(|_| sockets.has_tcp());
    let all = own.chain(named).chain(places.iter().cloned());
    enclose(sockets, &[(all.collect(), make_bitflags!(AccessFs::{ReadFile | ReadDir}))]).ok().flatten()
}

/// Encloses the thread that writes.
pub fn writes(folders: &[PathBuf], files: &[PathBuf]) {
    let folder = make_bitflags!(AccessFs::{
        ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile
    });
    let file = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate});
    // Without landlock it is as it was.
    let _ = enclose(Sockets::None, &[(folders.to_vec(), folder), (files.to_vec(), file)]);
}

fn enclose(sockets: Sockets, rules: &[(Vec<PathBuf>, BitFlags<AccessFs>)]) -> Result<Option<u32>, RulesetError> {
    let net = match sockets {
        Sockets::None | Sockets::Unix => AccessNet::BindTcp | AccessNet::ConnectTcp,
        Sockets::Tcp | Sockets::TcpAndUnix => AccessNet::BindTcp.into(),
    };
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.handle_access(net)?;
    let mut created = ruleset.create()?;
    for (places, access) in rules {
        created = created.add_rules(path_beneath_rules(places, *access))?;
    }
    let status = created.restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if status.ruleset != RulesetStatus::NotEnforced => {
            (1..).zip(VERSIONS).find(|(_, abi)| **abi == effective_abi).map(|(n, _)| n)
        }
        _ => None,
    })
}

const VERSIONS: &[ABI] = &[ABI::V1, ABI::V2, ABI::V3, ABI::V4, ABI::V5, ABI::V6, ABI::V7, ABI::V8, ABI::V9, ABI::V10];

/// Where the caller's environment says that certificates are.
fn certificates() -> impl Iterator<Item = PathBuf> {
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from)
}
