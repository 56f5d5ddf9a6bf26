//! Transcripts of Codex: what its agent ran.
//!
//! ```text
//! ~/.codex/sessions/2026/03/24/rollout-<time>-<id>.jsonl      one JSON object a line; CODEX_HOME moves ~/.codex
//!
//! {"timestamp":"2026-03-24T11:00:00.000Z","type":"session_meta","payload":{"cwd":"/src",…}}
//! {"timestamp":"…","type":"response_item","payload":{"type":"function_call","name":"shell","call_id":"c1",
//!   "arguments":"{\"command\":[\"bash\",\"-lc\",\"pip install x\"],\"workdir\":\"/src\"}"}}
//! {"timestamp":"…","type":"response_item","payload":{"type":"local_shell_call","call_id":"c1",
//!   "action":{"type":"exec","command":["bash","-lc","pip install x"],"working_directory":"/src"}}}
//! {"timestamp":"…","type":"response_item","payload":{"type":"function_call_output","call_id":"c1","output":"Exit code: 0 …"}}
//! ```
//!
//! `shell` takes `command`, `exec_command` takes `cmd`, `shell_command` takes a `command` that is a text. A command that was refused is
//! none. Nothing of the conversation is kept. A hit proves that the agent ran the command, or was about to; not that it succeeded.
//! Documented by Codex's source, `codex-rs/protocol`.

use serde_json::Value;

use super::transcript::{Call, Has, Holds, Transcript, at, command, each_line, folder, time};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// `~/.codex/sessions/**/rollout-*.jsonl`.
pub struct Codex;

static META: Meta = Meta {
    id: "history/codex",
    title: "commands that Codex ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

const SHELLS: &[&str] = &["shell", "shell_command", "exec_command", "container.exec", "local_shell"];
const REFUSED: &[&str] = &["exec command rejected by user", "rejected by user", "approval denied", "command rejected"];

impl Surface for Codex {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let named = || Claim::affix("rollout-", ".jsonl");
        vec![named().nested(".codex", "sessions"), named().nested(".codex", "archived_sessions")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let first = head.split(|b| *b == b'\n').next()?;
        let has = |word: &[u8]| memchr::memmem::find(first, word).is_some();
        (has(b"\"session_meta\"") && has(b"\"payload\"")).then_some(".codex/sessions/2026/rollout-*")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let transcript = Transcript::new(out, file.interest);
        let mut session = None;
        let holds = |has: &Has<'_>| Holds {
            call: has(b"\"function_call\"") || has(b"\"local_shell_call\""),
            answer: has(b"_output\""),
            about: has(b"\"session_meta\"") || has(b"\"turn_context\""),
        };
        each_line(file, transcript, &holds, &mut |value, line, transcript| read(value, line, &mut session, transcript))
    }
}

fn read(value: &Value, line: u32, session: &mut Option<Box<str>>, transcript: &mut Transcript<'_, '_>) {
    let payload = at(value, &["payload"]);
    if matches!(at(value, &["type"]).as_str(), Some("session_meta" | "turn_context")) {
        *session = folder(at(payload, &["cwd"])).or_else(|| session.take());
        return;
    }
    if at(value, &["type"]) != "response_item" {
        return;
    }
    let id = at(payload, &["call_id"]).as_str();
    let call = |text: String, own: &Value| Call {
        line,
        at: time(at(value, &["timestamp"])),
        folder: folder(own).or_else(|| session.clone()),
        text,
    };
    match at(payload, &["type"]).as_str() {
        Some("function_call") if at(payload, &["name"]).as_str().is_some_and(|name| SHELLS.contains(&name)) => {
            let arguments =
                at(payload, &["arguments"]).as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let Some(arguments) = &arguments else { return };
            let text = command(at(arguments, &["command"])).or_else(|| command(at(arguments, &["cmd"])));
            if let Some(text) = text {
                transcript.call(id, call(text, at(arguments, &["workdir"])));
            }
        }
        Some("local_shell_call") => {
            let action = at(payload, &["action"]);
            if let Some(text) = command(at(action, &["command"])) {
                transcript.call(id, call(text, at(action, &["working_directory"])));
            }
        }
        Some("function_call_output" | "local_shell_call_output") => {
            let output = at(payload, &["output"]);
            let said = output.as_str().or_else(|| at(output, &["content"]).as_str()).unwrap_or_default();
            let start: String = said.chars().take(200).collect::<String>().to_ascii_lowercase();
            let refused = REFUSED.iter().any(|words| start.starts_with(words));
            if let Some(id) = id {
                transcript.answer(id, !refused);
            }
        }
        _ => {}
    }
}
