//! The bytes of a layer as they come from the registry.

use std::io::{self, Read};

use crate::{
    image::{
        codec::{Codec, Trouble, sniff},
        input::{Bytes, read_past},
    },
    online::registry::{Blob, RegistryError},
};

/// What a file that is no text has in its start.
const START: u64 = 512;

/// A layer. Its errors are in the words of the registry's client, not of a decoder that ends too early.
pub(super) struct Stream<'r>(Blob<'r>);

impl<'r> Stream<'r> {
    pub(super) fn new(blob: Blob<'r>) -> Self {
        Self(blob)
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| match error.downcast::<RegistryError>() {
            Ok(own) => io::Error::other(Trouble(own.line())),
            Err(other) => other,
        })
    }
}

impl Bytes for Stream<'_> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        read_past(self, n)
    }
}

/// Whether something begins as text does: no tar, and nothing compressed.
pub(super) fn is_text(source: impl Read) -> bool {
    let mut start = Vec::new();
    let read = source.take(START).read_to_end(&mut start);
    read.is_ok()
        && matches!(sniff(&start), Ok(Codec::Plain))
        && !start.contains(&0)
        && start.first().is_some_and(u8::is_ascii)
}
