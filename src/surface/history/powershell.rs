//! Histories of PowerShell, which PSReadLine writes.
//!
//! ```text
//! %APPDATA%\\Microsoft\\Windows\\PowerShell\\PSReadLine\\ConsoleHost_history.txt      also `Visual Studio Code Host_history.txt`
//! ~/.local/share/powershell/PSReadLine/ConsoleHost_history.txt                    Linux, macOS
//!
//! pip install `                    a command of several lines has a backtick before each line end but the last
//!   litellm==1.82.8
//! ```
//!
//! There are no times. Lines with words like `password` or `token` are not saved by default. A hit proves that the command was typed,
//! not that it succeeded. Documented in PSReadLine's help, `Set-PSReadLineOption -HistorySavePath`; the form by its source.

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{Entry, Lines, Reporter},
    },
};

/// `ConsoleHost_history.txt`.
pub struct PowerShell;

static META: Meta = Meta {
    id: "history/powershell",
    title: "commands typed in PowerShell",
    proves: "the command was typed; not that it succeeded",
};

impl Surface for PowerShell {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix("_history.txt").in_tail("PSReadLine"), Claim::name("ConsoleHost_history.txt")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        let cmdlets: [&[u8]; 5] = [b"Get-ChildItem", b"Set-Location", b"Get-Content", b"$env:", b"Set-ExecutionPolicy"];
        let is_script = has(b"function ") || has(b"param(") || has(b"#!");
        (!is_script && cmdlets.iter().any(|word| has(word))).then_some("PSReadLine/ConsoleHost_history.txt")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reporter = Reporter::new(out, file.interest);
        let (mut entry, mut goes_on) = (Entry::default(), false);
        let mut lines = Lines::new(file.reader());
        let end = loop {
            match lines.next() {
                Ok(Some(line)) => {
                    let bytes = line.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line.bytes);
                    if !goes_on {
                        reporter.entry(&entry);
                        entry.start(line.number, None);
                    }
                    entry.long |= line.long;
                    entry.add(&for_posix(bytes));
                    goes_on = bytes.ends_with(b"`");
                }
                Ok(None) => break Ok(()),
                Err(flaw) => break Err(flaw),
            }
        };
        reporter.entry(&entry);
        reporter.finish();
        end
    }
}

/// What a POSIX shell reads as these words: `\` only parts folders, and the backtick escapes, at the end of a line too.
fn for_posix(line: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.len() + 1);
    let mut bytes = line.strip_prefix(b"& ").unwrap_or(line).iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => text.push(b'/'),
            b'`' if bytes.peek().is_none() => text.push(b' '),
            b'`' => {}
            byte => text.push(*byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::for_posix;

    #[test]
    fn separators_and_escapes_become_those_of_posix() {
        for (line, expected) in [
            (r"& .\venv\Scripts\pip.exe install x", "./venv/Scripts/pip.exe install x"),
            ("pip install `", "pip install  "),
            ("echo `\"pip install x`\"", "echo \"pip install x\""),
            ("", ""),
            ("`", " "),
        ] {
            assert_eq!(String::from_utf8(for_posix(line.as_bytes())).unwrap(), expected, "{line}");
        }
    }
}
