//! Transcripts of GitHub Copilot in the terminal and in VS Code: what its agent ran.
//!
//! ```text
//! ~/.copilot/session-state/<session>/events.jsonl     one JSON object a line; COPILOT_HOME moves ~/.copilot
//! ~/.copilot/session-state/<session>.jsonl            until 0.0.380 or so
//! ~/.copilot/history-session-state/<session>.json     before that: {"timeline": [{"type": "tool_call_completed", …}]}
//! …/GitHub.copilot-chat/transcripts/<session>.jsonl   VS Code's, of the same form
//!
//! {"type":"session.start","timestamp":"…","data":{"context":{"cwd":"/src"}}}
//! {"type":"tool.execution_start","timestamp":"2026-03-24T11:02:03.000Z","data":{"toolCallId":"c1","toolName":"bash","arguments":{"command":"pip install x"}}}
//! {"type":"permission.completed","data":{"toolCallId":"c1","result":{"kind":"denied-interactively-by-user"}}}
//! {"type":"tool.execution_complete","data":{"toolCallId":"c1","success":false,"error":{"code":"denied","message":"…"}}}
//! ```
//!
//! A command that was refused is none. Nothing of the conversation is kept. A hit proves that the agent ran the command, or was about to;
//! not that it succeeded. Documented by `@github/copilot-sdk`, `generated/session-events.d.ts`.

use serde_json::Value;

use super::transcript::{Call, Has, Holds, Transcript, at, command, each_line, folder, time};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// Of a session that is one value.
const FILE: usize = 64 << 20;
const WHAT: &str = "session of Copilot";
const SHELLS: &[&str] = &["bash", "powershell", "shell", "local_shell", "run_in_terminal", "write_bash"];

/// `~/.copilot/session-state/**`.
pub struct CopilotCli;

static META: Meta = Meta {
    id: "history/copilot-cli",
    title: "commands that GitHub Copilot's agents ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

impl Surface for CopilotCli {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("events.jsonl").nested(".copilot", "session-state"),
            Claim::suffix(".jsonl").in_tail(".copilot/session-state"),
            Claim::suffix(".json").in_tail(".copilot/history-session-state"),
            Claim::suffix(".jsonl").in_tail("GitHub.copilot-chat/transcripts"),
        ]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let first = head.split(|b| *b == b'\n').next()?;
        let has = |word: &[u8]| memchr::memmem::find(first, word).is_some();
        (has(b"\"session.start\"") && has(b"\"copilotVersion\"")).then_some(".copilot/session-state/x/events.jsonl")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        if file.entry.path.name().ends_with(b".json") {
            let value: Value = serde_json::from_slice(file.all(FILE)?)
                .map_err(|_| Flaw::malformed(WHAT, "it is not the JSON of one"))?;
            let mut transcript = Transcript::new(out, interest);
            for event in at(&value, &["timeline"]).as_array().into_iter().flatten() {
                old(event, &mut transcript);
            }
            transcript.finish();
            return Ok(());
        }
        let transcript = Transcript::new(out, interest);
        let mut session = None;
        let holds = |has: &Has<'_>| Holds {
            call: has(b"\"tool.execution_start\""),
            answer: has(b"\"tool.execution_complete\"") || has(b"\"permission.completed\""),
            about: has(b"\"cwd\""),
        };
        each_line(file, transcript, &holds, &mut |value, line, transcript| read(value, line, &mut session, transcript))
    }
}

fn read(value: &Value, line: u32, session: &mut Option<Box<str>>, transcript: &mut Transcript<'_, '_>) {
    let data = at(value, &["data"]);
    let id = at(data, &["toolCallId"]).as_str();
    match at(value, &["type"]).as_str() {
        Some("session.start" | "session.resume") => {
            *session = folder(at(data, &["context", "cwd"])).or_else(|| session.take());
        }
        Some("session.context_changed") => *session = folder(at(data, &["cwd"])).or_else(|| session.take()),
        Some("tool.execution_start") if is_shell(at(data, &["toolName"])) => {
            if let Some(text) = typed(at(data, &["arguments"])) {
                let call = Call { line, at: time(at(value, &["timestamp"])), folder: session.clone(), text };
                transcript.call(id, call);
            }
        }
        Some("permission.completed") => {
            let kind = at(data, &["result", "kind"]).as_str().unwrap_or_default();
            if let Some(id) = id.filter(|_| kind.starts_with("denied") || kind.starts_with("rejected")) {
                transcript.answer(id, false);
            }
        }
        Some("tool.execution_complete") => {
            if let Some(id) = id {
                transcript.answer(id, at(data, &["success"]) == true || !is_refusal(at(data, &["error"])));
            }
        }
        _ => {}
    }
}

/// A call in a session that is one value: it is there once it has ended.
fn old(event: &Value, transcript: &mut Transcript<'_, '_>) {
    let name = [at(event, &["name"]), at(event, &["toolTitle"])];
    let refused = at(event, &["result", "type"]).as_str().is_some_and(|kind| ["rejected", "denied"].contains(&kind));
    if at(event, &["type"]) == "tool_call_completed"
        && name.into_iter().any(is_shell)
        && !refused
        && let Some(text) = typed(at(event, &["arguments"]))
    {
        // Lines say nothing in a file that is one value.
        transcript.ran(&Call { line: 1, at: time(at(event, &["timestamp"])), folder: None, text });
    }
}

fn is_shell(name: &Value) -> bool {
    name.as_str().is_some_and(|name| SHELLS.contains(&name))
}

fn typed(arguments: &Value) -> Option<String> {
    match arguments.as_str().map(serde_json::from_str::<Value>) {
        Some(Ok(inner)) => command(at(&inner, &["command"])),
        Some(Err(_)) => None,
        None => command(at(arguments, &["command"])).or_else(|| command(at(arguments, &["input"]))),
    }
}

/// Whether a fault says that somebody, or a rule, refused.
fn is_refusal(error: &Value) -> bool {
    let code = at(error, &["code"]).as_str().unwrap_or_default();
    let said = at(error, &["message"]).as_str().unwrap_or_default();
    ["denied", "rejected"].contains(&code)
        || ["The user rejected", "Permission denied", "The execution of this tool was denied", "Denied by"]
            .iter()
            .any(|start| said.starts_with(start))
}
