//! Transcripts of Cursor: what its agent ran.
//!
//! ```text
//! Cursor/User/globalStorage/state.vscdb       SQLite: table cursorDiskKV (key, value)
//!
//! bubbleId:<conversation>:<message>           {"type": 2, "createdAt": "2026-03-24T11:02:03.000Z", "toolFormerData":
//!                                               {"name": "run_terminal_cmd", "params": "{\"command\": \"pip install x\"}",
//!                                                "status": "completed", "additionalData": {"status": "success"}}}
//! ```
//!
//! `params` and `rawArgs` are JSON in a text, or an object; since version 2 the tool is called `run_terminal_command_v2`. A call that was
//! refused says so in one of three places and is none. Databases of several gigabytes are common: pages are read one at a time, and no row
//! but those of messages. Nothing of the conversation is kept. A hit proves that the agent ran the command, or was about to; not that it
//! succeeded. Cursor documents none of this: the form is that which several public readers of it share and test.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    COMMAND,
    rows::{flaw, log_of},
    transcript::{Call, at, folder, row, when},
};
use crate::{
    interest::Interest,
    sqlite::{self, Database},
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

const TOOLS: &[&str] = &["run_terminal_cmd", "run_terminal_command", "run_terminal_command_v2", "shell", "Shell"];
/// `state.vscdb` of Cursor.
pub struct Cursor;

static META: Meta = Meta {
    id: "history/cursor",
    title: "commands that Cursor's agent ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

impl Surface for Cursor {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let folders = ["Cursor/User/globalStorage", ".cursor-server/data/User/globalStorage"];
        folders
            .into_iter()
            .flat_map(|folder| ["state.vscdb", "state.vscdb-wal"].map(|name| Claim::name(name).in_tail(folder)))
            .collect()
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (interest, len) = (file.interest, file.entry.len);
        let Some(log) = log_of(file)? else { return Ok(()) };
        let mut pages = file.seekable()?;
        let database = Database::paged(&mut pages, len, log.as_deref()).map_err(flaw)?;
        let tables = database.tables().map_err(flaw)?;
        // A new one has no conversations yet.
        let Some(table) = tables.iter().find(|table| table.name == "cursorDiskKV") else { return Ok(()) };
        let (mut number, mut long) = (0_u64, false);
        let is_message =
            |stored: &[u8]| memchr::memmem::find(stored.get(..200).unwrap_or(stored), b"bubbleId:").is_some();
        let end = database.rows_like(table, &is_message, &mut |_, values| {
            number += 1;
            let [_, value, ..] = values else { return true };
            let text = match value {
                sqlite::Value::Text(text) => Cow::Borrowed(text.as_bytes()),
                sqlite::Value::Blob(bytes) => Cow::Borrowed(*bytes),
                _ => return true,
            };
            if !may_run(&text) {
                return true;
            }
            match serde_json::from_slice::<Value>(&text) {
                Ok(value) => {
                    if let Some(call) = ran(&value) {
                        long |= !row(out, interest, number, &call);
                    }
                }
                // It was cut where no row is read further.
                Err(_) => long |= text.len() > COMMAND && memchr::memmem::find(&text, b"run_terminal").is_some(),
            }
            true
        });
        if long {
            out.gap(None, &Flaw::TooLarge(u64::try_from(COMMAND).unwrap_or(u64::MAX)));
        }
        end.map_err(flaw)
    }
}

/// Whether a message holds a call of a shell, before it is parsed.
fn may_run(message: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(message, word).is_some();
    has(b"toolFormerData") && (has(b"run_terminal") || has(b"hell\""))
}

/// The command of a message, where it is a call that was not refused.
fn ran(message: &Value) -> Option<Call> {
    let call = at(message, &["toolFormerData"]);
    let named = at(call, &["name"]).as_str().or_else(|| at(call, &["tool"]).as_str())?;
    let refused = |value: &Value| {
        value.as_str().is_some_and(|word| ["cancelled", "canceled", "rejected", "pending", "loading"].contains(&word))
    };
    let result = object(at(call, &["result"]));
    let is_none = refused(at(call, &["status"]))
        || refused(at(call, &["additionalData", "status"]))
        || refused(at(call, &["userDecision"]))
        || at(&result, &["rejected"]) == true;
    if !TOOLS.contains(&named) || is_none {
        return None;
    }
    let arguments = [at(call, &["params"]), at(call, &["rawArgs"])].map(object);
    let (text, arguments) = arguments.iter().find_map(|all| Some((at(all, &["command"]).as_str()?, all)))?;
    let place = ["cwd", "working_directory"].iter().find_map(|key| folder(at(arguments, &[key])));
    let time = when(at(message, &["createdAt"])).or_else(|| when(at(message, &["timingInfo", "clientStartTime"])));
    Some(Call { line: 1, at: time, folder: place, text: text.to_owned() })
}

/// An object, or the JSON of one in a text.
fn object(value: &Value) -> Cow<'_, Value> {
    let inner = value.as_str().filter(|text| text.starts_with('{')).and_then(|text| serde_json::from_str(text).ok());
    inner.map_or(Cow::Borrowed(value), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_of_each_version_count() {
        let params = json!({"command": "pip install x", "cwd": "/src"});
        let as_text = params.to_string();
        for (call, time) in [
            (
                json!({"name": "run_terminal_cmd", "params": as_text, "status": "completed"}),
                json!("2026-03-24T11:00:00.000Z"),
            ),
            (
                json!({"name": "run_terminal_command_v2", "params": params, "status": "completed", "rawArgs": ""}),
                json!(1_774_350_000_000_i64),
            ),
            (json!({"tool": "run_terminal_cmd", "rawArgs": as_text, "status": "error"}), Value::Null),
        ] {
            let call = ran(&json!({"type": 2, "toolFormerData": call, "createdAt": time})).unwrap();
            assert_eq!(
                (&*call.text, call.folder.as_deref(), call.at.is_some()),
                ("pip install x", Some("/src"), !time.is_null())
            );
        }
    }

    #[test]
    fn what_was_refused_or_is_no_call_says_nothing() {
        let good = json!({"name": "run_terminal_cmd", "params": {"command": "pip install x"}, "status": "completed"});
        let with = |key: &str, value: Value| {
            let mut call = good.clone();
            call[key] = value;
            json!({"toolFormerData": call})
        };
        assert!(ran(&with("x", Value::Null)).is_some());
        for message in [
            with("status", json!("cancelled")),
            with("status", json!("loading")),
            with("userDecision", json!("rejected")),
            with("additionalData", json!({"status": "rejected"})),
            with("result", json!({"rejected": true})),
            with("result", json!("{\"output\":\"\",\"rejected\":true}")),
            with("name", json!("read_file")),
            with("params", json!("{")),
            with("params", json!({"command": 7})),
            json!({"text": "pip install x"}),
            json!([]),
            Value::Null,
        ] {
            assert_eq!(ran(&message), None, "{message}");
        }
    }
}
