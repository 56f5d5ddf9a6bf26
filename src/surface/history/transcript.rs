//! What transcripts of coding agents share: commands with the folder that they ran in, and answers that say that one did not run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{COMMAND, Lines, Reporter, facts_of, of_this_time};
use crate::{
    fact::At,
    interest::Interest,
    shell::quoted,
    surface::{Flaw, Opened, Sink},
};

/// Commands that wait for their answer at a time.
const WAITING: usize = 1_000;

/// A command that an agent was about to run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// From 1.
    pub(super) line: u32,
    pub(super) at: Option<At>,
    /// Absolute.
    pub(super) folder: Option<Box<str>>,
    pub(super) text: String,
}

/// The commands of one transcript. One is reported once its answer is there, or at the end: the machine may have gone down while it ran.
pub(super) struct Transcript<'o, 's> {
    reporter: Reporter<'o, 's>,
    waiting: BTreeMap<String, Call>,
}

impl<'o, 's> Transcript<'o, 's> {
    pub(super) fn new(out: &'o mut Sink<'s>, interest: &'o Interest) -> Self {
        Self { reporter: Reporter::new(out, interest), waiting: BTreeMap::new() }
    }

    /// Whether answers are of interest.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A call, and by what its answer is known.
    pub(super) fn call(&mut self, id: Option<&str>, call: Call) {
        match id {
            Some(id) if self.waiting.len() < WAITING => {
                if let Some(before) = self.waiting.insert(id.to_owned(), call) {
                    self.ran(&before);
                }
            }
            _ => self.ran(&call),
        }
    }

    /// The answer to a call: whether it ran.
    pub(super) fn answer(&mut self, id: &str, ran: bool) {
        if let Some(call) = self.waiting.remove(id)
            && ran
        {
            self.ran(&call);
        }
    }

    /// A line that is longer than any is read, and may hold a command.
    pub(super) fn too_long(&mut self) {
        self.reporter.too_long();
    }

    pub(super) fn ran(&mut self, call: &Call) {
        if call.text.len() > COMMAND {
            return self.reporter.too_long();
        }
        // Each starts in a shell of its own.
        self.reporter.folder.clone_from(&call.folder);
        self.reporter.report(call.line, call.at.as_ref(), call.text.as_bytes());
    }

    /// Reports what got no answer.
    pub(super) fn finish(mut self) {
        for call in std::mem::take(&mut self.waiting).into_values() {
            self.ran(&call);
        }
        self.reporter.finish();
    }
}

/// Whether a line holds a word.
pub(super) type Has<'h> = dyn Fn(&[u8]) -> bool + 'h;

/// What a line may hold, by words in it, before it is parsed.
pub(super) struct Holds {
    /// A call.
    pub(super) call: bool,
    /// The answer to one: of interest where a call waits.
    pub(super) answer: bool,
    /// What is said of the calls behind it.
    pub(super) about: bool,
}

/// Hands on the lines of JSON that hold what is of interest. Those that are no JSON are what a crash left.
///
/// # Errors
/// Where the file cannot be read; what was read before it stays.
pub(super) fn each_line<'o, 's>(
    file: &mut Opened<'_, '_>,
    mut transcript: Transcript<'o, 's>,
    holds: &dyn Fn(&Has<'_>) -> Holds,
    read: &mut dyn FnMut(&Value, u32, &mut Transcript<'o, 's>),
) -> Result<(), Flaw> {
    let mut lines = Lines::new(file.reader());
    let end = loop {
        match lines.next() {
            Ok(Some(line)) => {
                let Holds { call, answer, about } = holds(&|word| memchr::memmem::find(line.bytes, word).is_some());
                if line.long {
                    // Nearly all of these are answers.
                    if call && !answer {
                        transcript.too_long();
                    }
                } else if (call || about || transcript.waits() && answer)
                    && let Ok(value) = serde_json::from_slice(line.bytes)
                {
                    read(&value, line.number, &mut transcript);
                }
            }
            Ok(None) => break Ok(()),
            Err(flaw) => break Err(flaw),
        }
    };
    transcript.finish();
    end
}

/// What stands at these keys, one within the other; `null` where nothing does.
pub(super) fn at<'v>(value: &'v Value, keys: &[&str]) -> &'v Value {
    keys.iter().try_fold(value, |value, key| value.get(key)).unwrap_or(&Value::Null)
}

/// A time as these programs write it, UTC.
pub(super) fn time(value: &Value) -> Option<At> {
    let time: Timestamp = value.as_str()?.parse().ok()?;
    Some(At::new(time, "time in the transcript"))
}

/// A time in milliseconds since 1970, or as above.
pub(super) fn when(value: &Value) -> Option<At> {
    let Some(millis) = value.as_i64() else { return time(value) };
    of_this_time(Timestamp::from_millisecond(millis).ok()?).map(|at| At::new(at.time, "time in the transcript"))
}

/// Reports a command that a row of a database holds; whether it was short enough to be read.
pub(super) fn row(out: &mut Sink<'_>, interest: &Interest, number: u64, call: &Call) -> bool {
    if call.text.len() > COMMAND {
        return false;
    }
    let inner = format!("row {number}");
    for fact in facts_of(call.text.as_bytes(), &mut call.folder.clone(), interest) {
        out.push_at(Some(&inner), None, call.at.clone(), fact);
    }
    true
}

/// An absolute path.
pub(super) fn folder(value: &Value) -> Option<Box<str>> {
    value.as_str().filter(|path| path.starts_with('/') && path.len() <= 4096).map(Into::into)
}

/// A command line: a text, or the words of one. `["bash", "-lc", "…"]` is what stands behind the options.
pub(super) fn command(value: &Value) -> Option<String> {
    let words = match value {
        Value::String(text) => return Some(text.clone()),
        Value::Array(words) => words.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?,
        _ => return None,
    };
    let shell = |word: &&str| ["bash", "sh", "zsh", "dash"].contains(&word.rsplit('/').next().unwrap_or(word));
    match words.as_slice() {
        [first, options, text] if shell(first) && options.starts_with('-') && options.ends_with('c') => {
            Some((*text).to_owned())
        }
        words => Some(quoted(words)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_become_what_a_shell_reads() {
        assert_eq!(command(&json!(["bash", "-lc", "pip install 'a>=1'"])).unwrap(), "pip install 'a>=1'");
        assert_eq!(
            command(&json!(["pip", "install", "a>=1", "b c", "d==1"])).unwrap(),
            "pip install 'a>=1' 'b c' d==1"
        );
        assert_eq!(command(&json!(["/bin/sh", "-c", "x"])).unwrap(), "x");
        assert_eq!(command(&json!("x y")).unwrap(), "x y");
        assert_eq!((command(&json!([1])), command(&json!({}))), (None, None));
        assert_eq!(command(&json!(["it's"])).unwrap(), r"'it'\''s'");
    }
}
