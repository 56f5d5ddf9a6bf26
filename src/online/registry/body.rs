//! The bytes of an answer, watched: whether they come, how fast, and how many.

use std::{
    io::{self, Read},
    time::Duration,
};

use reqwest::blocking::Response;

use super::{
    error::RegistryError,
    wire::{Wire, why},
};
use crate::{online::Address, stop};

/// What a server sends.
pub(super) struct Body<'w> {
    response: Response,
    pub(super) address: Address,
    wire: &'w Wire,
    /// Time spent on waiting for bytes in this window. What their reader does with them is not the server's.
    spent: Duration,
    /// Bytes of this window.
    got: u64,
}

impl<'w> Body<'w> {
    pub(super) fn new(response: Response, address: Address, wire: &'w Wire) -> Self {
        Self { response, address, wire, spent: Duration::ZERO, got: 0 }
    }

    /// All of it.
    pub(super) fn whole(mut self, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let too_large = RegistryError::TooLarge { address: self.address.clone(), limit };
        if self.response.content_length().is_some_and(|n| n > limit) {
            return Err(too_large);
        }
        let address = self.address.clone();
        let mut bytes = Vec::new();
        let read = (&mut self).take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|e| RegistryError::from_io(e, &address))?;
        if u64::try_from(bytes.len()).is_ok_and(|n| n <= limit) { Ok(bytes) } else { Err(too_large) }
    }

    fn trouble(&self, error: &io::Error) -> RegistryError {
        let inner = error.get_ref().and_then(|e| e.downcast_ref::<reqwest::Error>());
        let address = self.address.clone();
        if inner.is_some_and(reqwest::Error::is_timeout) || error.kind() == io::ErrorKind::TimedOut {
            return RegistryError::Stalled { address, after: self.wire.options.patience.step };
        }
        RegistryError::Failed { address, why: inner.map_or_else(|| why(error), |e| why(e)) }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if stop::requested() {
            return Err(RegistryError::Interrupted.into());
        }
        let clock = self.wire.clock();
        let start = clock.now();
        let read = self.response.read(into);
        let n = read.map_err(|e| self.trouble(&e))?;
        self.wire.received(n)?;
        let patience = &self.wire.options.patience;
        self.spent = self.spent.saturating_add(clock.now().saturating_duration_since(start));
        self.got = self.got.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        if self.spent >= patience.window {
            let (bytes, within) = (std::mem::take(&mut self.got), std::mem::take(&mut self.spent));
            if bytes < patience.least && n > 0 {
                return Err(RegistryError::Slow { address: self.address.clone(), bytes, within }.into());
            }
        }
        Ok(n)
    }
}
