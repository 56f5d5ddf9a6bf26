//! Images of a registry, by its interface of version 2 (the OCI distribution specification): read, never written.
//!
//! ```text
//! GET  /v2/                                     how it wants to be asked
//! GET  /v2/_catalog?n=&last=                    repositories
//! GET  /v2/<repository>/tags/list?n=&last=      tags
//! HEAD /v2/<repository>/manifests/<tag>         the digest of a tag
//! GET  /v2/<repository>/manifests/<digest>      a manifest or an index
//! GET  /v2/<repository>/blobs/<digest>          a configuration or a layer
//! GET  /v2/<repository>/referrers/<digest>      signatures, attestations, lists of components
//! ```
//!
//! Everything that a registry answers is taken as hostile: what has a digest is compared with it, what has a size is no larger, lists
//! and redirections end, and a server that sends nothing is left. Credentials go to the server that they belong to.

mod auth;
mod blob;
mod body;
mod challenge;
mod credentials;
mod endpoint;
mod error;
mod files;
mod inside;
mod list;
mod mirrors;
mod pace;
mod reference;
mod resolve;
mod secret;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use self::endpoint::{Call, DIGEST, Endpoint};
pub use self::{
    blob::Blob,
    credentials::Credentials,
    error::{RegistryError, TOKEN_VARIABLE},
    list::{Listed, Referrer},
    mirrors::Mirrors,
    pace::{Clock, Patience, SystemClock},
    reference::{Digest, Host, Reference, Target, beside, is_repository, is_tag, parse},
    secret::Secret,
    wire::{Options, Spent, Wire},
};
use crate::online::Address;

/// Bytes of a manifest or an index; registries accept no larger ones.
pub const MANIFEST: u64 = 4 << 20;
/// Docker's names and OCI's, of an image and of a list of images.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index. Its bytes have its digest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// As sent.
    pub bytes: Vec<u8>,
    /// Of the bytes.
    pub digest: Digest,
    /// What the server says that it is; empty where it says nothing.
    pub media_type: String,
}

/// A registry, and the mirrors that are asked before it.
pub struct Registry {
    host: Host,
    /// The registry itself is the last.
    mirrors: Vec<Endpoint>,
    own: Endpoint,
    wire: Arc<Wire>,
}

impl Registry {
    /// Of a registry on this machine it is found out whether it speaks TLS; another one is not asked yet.
    ///
    /// # Errors
    /// Where a registry on this machine cannot be reached.
    pub fn open(
        host: &Host,
        wire: Arc<Wire>,
        credentials: &Arc<Credentials>,
        mirrors: &Mirrors,
    ) -> Result<Self, RegistryError> {
        let own = Endpoint::of_registry(host, &wire, credentials)?;
        let mirrors = mirrors.of(host).map(|mirror| Endpoint::of_mirror(mirror, host, credentials)).collect();
        Ok(Self { host: host.clone(), mirrors, own, wire })
    }

    /// As it is written in references.
    pub fn host(&self) -> &Host {
        &self.host
    }

    fn upstream(&self) -> &Endpoint {
        &self.own
    }

    fn address(&self, call: &Call<'_>) -> Address {
        self.own.address(call)
    }

    /// The first server that has it; the registry's own answer where none has.
    fn each<'s, T>(
        &'s self,
        by_tag: bool,
        ask: &dyn Fn(&'s Endpoint) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        for mirror in self.mirrors.iter().filter(|m| !m.is_out() && (m.resolves || !by_tag)) {
            match ask(mirror) {
                Err(error) if error.is_of_endpoint() => {}
                other => return other,
            }
        }
        ask(&self.own)
    }

    /// The digest of a tag, by asking for the head of its manifest: most registries do not count that as a pull. With the bytes of the
    /// manifest where they had to be fetched for it.
    ///
    /// # Errors
    /// Where there is no such tag, or it cannot be asked for.
    pub fn resolve(&self, repository: &str, which: &str) -> Result<(Digest, Option<Vec<u8>>), RegistryError> {
        if let Some(digest) = Digest::parse(which) {
            return Ok((digest, None));
        }
        let path = format!("manifests/{which}");
        let call = Call { head_only: true, accept: Some(ACCEPT), ..Call::get(repository, &path) };
        let head = self.each(true, &|endpoint| endpoint.ask(&self.wire, &call));
        let digest = match head {
            Ok(reply) => reply.text(DIGEST).and_then(Digest::parse),
            // A server that knows no HEAD.
            Err(RegistryError::Status { .. }) => None,
            Err(other) => return Err(other),
        };
        let fetched = || self.manifest(repository, which).map(|manifest| (manifest.digest, Some(manifest.bytes)));
        digest.map_or_else(fetched, |digest| Ok((digest, None)))
    }

    /// A manifest or an index by tag or digest. Its bytes are compared with the digest that was asked for, and with what the server
    /// says.
    ///
    /// # Errors
    /// Where there is none, it cannot be asked for, is larger than [`MANIFEST`], or is not what was asked for.
    pub fn manifest(&self, repository: &str, which: &str) -> Result<Manifest, RegistryError> {
        let path = format!("manifests/{which}");
        let call = Call { accept: Some(ACCEPT), ..Call::get(repository, &path) };
        let wanted = Digest::parse(which);
        self.each(wanted.is_none(), &|endpoint| {
            let (bytes, head) = endpoint.whole(&self.wire, &call, MANIFEST)?;
            let said = head.digest.as_deref().and_then(Digest::parse);
            if wanted.iter().chain(&said).any(|digest| !digest.fits(&bytes)) {
                return Err(RegistryError::Digest { address: endpoint.address(&call) });
            }
            let digest = wanted.clone().unwrap_or_else(|| Digest::sha256(&bytes));
            let media_type = head.media_type.unwrap_or_default();
            Ok(Manifest { bytes, digest, media_type })
        })
    }

    /// The whole of a small blob, compared with its digest.
    ///
    /// # Errors
    /// Where it is not there, cannot be asked for, is larger, or is not what was asked for.
    pub fn small_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let path = format!("blobs/{digest}");
        let call = Call::get(repository, &path);
        self.each(false, &|endpoint| {
            let (bytes, _) = endpoint.whole(&self.wire, &call, limit)?;
            if digest.fits(&bytes) {
                Ok(bytes)
            } else {
                Err(RegistryError::Digest { address: endpoint.address(&call) })
            }
        })
    }

    /// The bytes of a blob of this size, front to back.
    ///
    /// # Errors
    /// Where it is not there, cannot be asked for, or is not of this size.
    pub fn blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<Blob<'_>, RegistryError> {
        Blob::open(self, repository, digest, size)
    }
}
