//! The end of a run that examines. A wish to end that comes before the last byte is on its way shows in the report and in the exit
//! code alike; one that comes later changes neither.

use std::io::{self, Write};

use super::{Ending, output};
use crate::{
    cli::OutputOptions,
    report::{self, v1::Report},
    stop,
};

/// Bytes of a report that are held back, so that it can still be written anew.
const HELD: usize = 8 << 20;

/// Writes a report, and says how the run ended. `write` may be called twice.
///
/// # Errors
/// Where it cannot be written.
pub fn finish(
    mut report: Report,
    options: &OutputOptions,
    write: impl Fn(&Report, bool) -> anyhow::Result<()>,
) -> anyhow::Result<Ending> {
    if !stop::requested() {
        let written = write(&report, false);
        if !stop::unheeded() {
            written?;
            return Ok(output::ending(&report, options));
        }
    }
    stop::mark_final();
    report::interrupt(&mut report);
    write(&report, true)?;
    Ok(Ending::Interrupted)
}

/// Standard output: the start is held back until it is large or complete.
pub struct Held<W: Write> {
    out: W,
    held: Vec<u8>,
    through: bool,
}

impl<W: Write> Held<W> {
    /// In front of `out`.
    pub fn new(out: W) -> Self {
        Self { out, held: Vec::new(), through: false }
    }

    /// Writes what is held back, and from then on everything.
    ///
    /// # Errors
    /// Where the user wishes to end and the text does not say so, or `out` fails.
    pub fn let_go(&mut self) -> io::Result<()> {
        if stop::unheeded() {
            return Err(stop::ended());
        }
        stop::mark_final();
        self.through = true;
        self.out.write_all(&std::mem::take(&mut self.held))
    }
}

impl<W: Write> Write for Held<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.through {
            return self.out.write(buf);
        }
        if stop::unheeded() {
            return Err(stop::ended());
        }
        self.held.extend_from_slice(buf);
        if self.held.len() > HELD {
            self.let_go()?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.through { self.out.flush() } else { Ok(()) }
    }
}
