//! Transcripts of opencode: what its agent ran.
//!
//! ```text
//! ~/.local/share/opencode/opencode.db                      SQLite since 1.2: table part (id, message_id, session_id, time_created, …, data)
//! ~/.local/share/opencode/storage/part/<message>/prt_*.json      before; also below storage/session/part and project/<name>/storage
//!
//! {"type": "tool", "tool": "bash", "callID": "c1", "state": {"status": "completed", "input": {"command": "pip install x", "workdir": "/src"},
//!   "time": {"start": 1774350000000, "end": 1774350001000}}}
//! ```
//!
//! XDG_DATA_HOME moves the folder, OPENCODE_DB the file. A call that was refused ends with an error that says so, and is none. Nothing of
//! the conversation is kept. A hit proves that the agent ran the command, or was about to; not that it succeeded. Documented by opencode's
//! source, `packages/opencode/src/session` (read in version 1.18).

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use super::{
    COMMAND,
    rows::{flaw, log_of},
    transcript::{Call, Transcript, at, folder, row, when},
};
use crate::{
    interest::Interest,
    sqlite::{self, Database},
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// Of one part; the output of its command stands in it.
const PART: usize = 16 << 20;
/// Sessions whose folder is remembered.
const SESSIONS: usize = 20_000;
const REFUSED: &[&str] = &[
    "The user rejected permission",
    "The user has specified a rule which prevents you",
    "The user has rejected",
    "Permission denied",
];

/// `opencode.db`, `storage/part/**`.
pub struct Opencode;

static META: Meta = Meta {
    id: "history/opencode",
    title: "commands that opencode ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

impl Surface for Opencode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let database = |end: &str| Claim::affix("opencode", end).in_tail("opencode");
        vec![
            database(".db").without_links(),
            database(".db-wal").without_links(),
            Claim::affix("prt_", ".json").nested("opencode", "part"),
        ]
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !file.entry.path.name().ends_with(b".json") {
            return rows(file, out);
        }
        let interest = file.interest;
        let bytes = file.all(PART)?;
        if memchr::memmem::find(bytes, b"\"command\"").is_none() {
            return Ok(());
        }
        let part: Value = serde_json::from_slice(bytes)
            .map_err(|_| Flaw::malformed("part of a session", "it is not the JSON of one"))?;
        if let Some(call) = ran(&part, None) {
            let mut transcript = Transcript::new(out, interest);
            transcript.ran(&call);
            transcript.finish();
        }
        Ok(())
    }
}

fn rows(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let (interest, len) = (file.interest, file.entry.len);
    let Some(log) = log_of(file)? else { return Ok(()) };
    let mut pages = file.seekable()?;
    let database = Database::paged(&mut pages, len, log.as_deref()).map_err(flaw)?;
    let tables = database.tables().map_err(flaw)?;
    let named = |name: &str| tables.iter().find(|table| table.name == name);
    let Some(part) = named("part") else { return Ok(()) };
    let Some(data) = part.column("data") else { return Err(Flaw::Unsupported("a table of parts without data")) };
    let owner = part.column("session_id");
    let mut folders: HashMap<String, Box<str>> = HashMap::new();
    if let Some(table) = named("session")
        && let (Some(id), Some(place)) = (table.column("id"), table.column("directory"))
    {
        let end = database.rows(table, &mut |_, values| {
            if let (Some(sqlite::Value::Text(id)), Some(sqlite::Value::Text(place))) =
                (values.get(id), values.get(place))
            {
                folders.extend(folder(&Value::from(&**place)).map(|place| (id.to_string(), place)));
            }
            folders.len() < SESSIONS
        });
        end.map_err(flaw)?;
    }
    let (mut number, mut long) = (0_u64, false);
    let end = database.rows(part, &mut |_, values| {
        number += 1;
        let text = |at: usize| match values.get(at) {
            Some(sqlite::Value::Text(text)) => Some(Cow::Borrowed(&**text)),
            _ => None,
        };
        if let Some(data) = text(data).filter(|data| data.contains("\"command\""))
            && let Ok(value) = serde_json::from_str::<Value>(&data)
        {
            let own = owner.and_then(text).and_then(|id| folders.get(&*id).map(|place| &**place));
            if let Some(call) = ran(&value, own) {
                long |= !row(out, interest, number, &call);
            }
        }
        true
    });
    if long {
        out.gap(None, &Flaw::TooLarge(u64::try_from(COMMAND).unwrap_or(u64::MAX)));
    }
    end.map_err(flaw)
}

/// The command of a part, where it is a call that was not refused; `own` is the folder of its session.
fn ran(part: &Value, own: Option<&str>) -> Option<Call> {
    let (tool, state) = (at(part, &["tool"]).as_str()?, at(part, &["state"]));
    let said = at(state, &["error"]).as_str().unwrap_or_default();
    let refused = REFUSED.iter().any(|start| said.starts_with(start));
    let is_call = at(part, &["type"]) == "tool" && matches!(tool, "bash" | "shell");
    // `pending`: its words are not whole yet.
    if !is_call || refused || at(state, &["status"]) == "pending" {
        return None;
    }
    let text = at(state, &["input", "command"]).as_str()?.to_owned();
    let place = folder(at(state, &["input", "workdir"])).or_else(|| own.map(Into::into));
    Some(Call { line: 1, at: when(at(state, &["time", "start"])), folder: place, text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_that_ran_count() {
        let part = |state: Value| json!({"type": "tool", "tool": "bash", "callID": "c", "state": state});
        let input = json!({"command": "pip install x", "workdir": "/src"});
        let done = part(json!({"status": "completed", "input": input, "time": {"start": 1_774_350_000_000_i64}}));
        let call = ran(&done, None).unwrap();
        assert_eq!((&*call.text, call.folder.as_deref(), call.at.is_some()), ("pip install x", Some("/src"), true));
        let failed = part(json!({"status": "error", "input": {"command": "x"}, "error": "exit code 1"}));
        assert_eq!(ran(&failed, Some("/own")).unwrap().folder.as_deref(), Some("/own"));
        for other in [
            part(json!({"status": "pending", "input": input})),
            part(json!({"status": "error", "input": input, "error": REFUSED[0]})),
            json!({"type": "text", "text": "pip install x"}),
            json!({"type": "tool", "tool": "read", "state": {"input": {"command": "pip install x"}}}),
            Value::Null,
        ] {
            assert_eq!(ran(&other, None), None, "{other}");
        }
    }
}
