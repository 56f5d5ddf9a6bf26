//! A blob, streamed: as many bytes as its descriptor says, taken up again where the connection breaks.

use std::io::{self, Read as _};

use reqwest::StatusCode;

use super::{
    Registry,
    body::Body,
    endpoint::{Call, Endpoint},
    error::RegistryError,
    reference::Digest,
};
use crate::online::Address;

/// Beside the tries of any request, one for so many bytes.
const PER_TRY: u64 = 64 << 20;

/// The bytes of a blob, front to back. They are not compared with the digest: whoever reads them does that.
pub struct Blob<'r> {
    registry: &'r Registry,
    repository: String,
    path: String,
    size: u64,
    at: u64,
    body: Option<Body<'r>>,
    /// Connections that may still break.
    tries: u32,
    /// In a row, without a byte between them.
    fruitless: u32,
}

impl<'r> Blob<'r> {
    pub(super) fn open(
        registry: &'r Registry,
        repository: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<Self, RegistryError> {
        let tries = registry.wire.options.patience.tries;
        let more = u32::try_from(size / PER_TRY).unwrap_or(u32::MAX);
        let mut blob = Self {
            registry,
            repository: repository.to_owned(),
            path: format!("blobs/{digest}"),
            size,
            at: 0,
            body: None,
            tries: tries.saturating_add(more),
            fruitless: 0,
        };
        blob.connect()?;
        Ok(blob)
    }

    fn connect(&mut self) -> Result<(), RegistryError> {
        if self.at < self.size {
            let call = Call { from: self.at, ..Call::get(&self.repository, &self.path) };
            let (wire, size) = (&*self.registry.wire, self.size);
            let body = self.registry.each(false, &|endpoint: &'r Endpoint| {
                let reply = match endpoint.ask(wire, &call) {
                    // It says that there is nothing more.
                    Err(RegistryError::Status { address, status }) if status.starts_with("416") => {
                        return Err(RegistryError::Truncated { address, got: call.from, expected: size });
                    }
                    other => other?,
                };
                let (address, found) = (reply.address.clone(), reply.length());
                let wrong = |found: u64| Err(RegistryError::Size { address: address.clone(), expected: size, found });
                let mut ahead = call.from;
                if reply.status == StatusCode::PARTIAL_CONTENT {
                    match reply.text("content-range").and_then(range) {
                        Some((start, total)) if start == call.from => match total.filter(|t| *t != size) {
                            Some(total) => return wrong(total),
                            None => ahead = 0,
                        },
                        _ => {
                            return Err(RegistryError::Malformed {
                                address,
                                why: "it is another part than was asked for",
                            });
                        }
                    }
                } else if let Some(found) = found.filter(|f| *f != size) {
                    return wrong(found);
                }
                let mut body = reply.body(wire)?;
                // The server knows no ranges.
                let passed = io::copy(&mut body.by_ref().take(ahead), &mut io::sink());
                let passed = passed.map_err(|e| RegistryError::from_io(e, &address))?;
                if passed < ahead {
                    return Err(RegistryError::Truncated { address, got: passed, expected: size });
                }
                Ok(body)
            })?;
            self.body = Some(body);
        }
        Ok(())
    }

    /// The connection broke: whether it is worth another.
    fn broke(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        self.body = None;
        let patience = &self.registry.wire.options.patience;
        self.tries = self.tries.saturating_sub(1);
        if self.tries == 0 || self.fruitless >= patience.tries {
            return Err(error);
        }
        let clock = self.registry.wire.clock();
        clock.wait(patience.pause(self.fruitless, None, clock.per_mille()));
        self.fruitless += 1;
        self.registry.wire.count_again();
        Ok(())
    }

    fn address(&self) -> Address {
        self.registry.address(&Call::get(&self.repository, &self.path))
    }

    /// All that was announced has come: whether there is more.
    fn end(&mut self) -> Result<(), RegistryError> {
        if let Some(mut body) = self.body.take()
            && body.read(&mut [0]).is_ok_and(|n| n > 0)
        {
            return Err(RegistryError::TooLarge { address: body.address.clone(), limit: self.size });
        }
        Ok(())
    }

    fn next(&mut self, into: &mut [u8]) -> Result<usize, RegistryError> {
        loop {
            let left = self.size.saturating_sub(self.at);
            if left == 0 {
                return self.end().map(|()| 0);
            }
            let Some(body) = &mut self.body else {
                match self.connect() {
                    Err(error) if error.is_passing() => self.broke(error)?,
                    Err(RegistryError::Truncated { address, got, .. }) if got < self.at => {
                        self.broke(RegistryError::Truncated { address, got: self.at, expected: self.size })?;
                    }
                    other => other?,
                }
                continue;
            };
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
            let part = into.get_mut(..want).unwrap_or_default();
            if part.is_empty() {
                return Ok(0);
            }
            match body.read(part) {
                Ok(0) => {
                    let (address, got, expected) = (self.address(), self.at, self.size);
                    self.broke(RegistryError::Truncated { address, got, expected })?;
                }
                Ok(n) => {
                    self.at = self.at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
                    self.fruitless = 0;
                    return Ok(n);
                }
                Err(error) => match RegistryError::from_io(error, &self.address()) {
                    error if error.is_passing() => self.broke(error)?,
                    error => return Err(error),
                },
            }
        }
    }
}

impl io::Read for Blob<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next(into).map_err(io::Error::from)
    }
}

/// `bytes 5-9/10`: the first byte, and how many there are in all.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranges_are_read() {
        assert_eq!(super::range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(super::range("bytes 5-9/*"), Some((5, None)));
        for odd in ["", "bytes */10", "bytes -1-9/10", "items 5-9/10", "bytes 5/10"] {
            assert_eq!(super::range(odd), None, "{odd}");
        }
    }
}
