//! Transcripts of Cline and of Roo Code, Kilo Code and others that were made from it: what their agents ran.
//!
//! ```text
//! …/globalStorage/<extension>/tasks/<task>/ui_messages.json     [{"ts": 1774350000000, "type": "ask", "ask": "command", "text": "pip install x"},
//!                                                                {"type": "say", "say": "command_output", "text": "…"}]
//! ~/.cline/data/sessions/<session>/<session>.messages.json      {"messages": [{"role": "assistant", "content": [{"type": "tool_use",
//!                                                                "id": "c1", "name": "run_commands", "input": {"commands": ["pip install x"]}}]}]}
//! ```
//!
//! `say: command` ran by a rule, `ask: command` once somebody agreed: where the next request says "The user denied this operation" it did
//! not. Nothing of the conversation is kept. A hit proves that the agent ran the command, or was about to; not that it succeeded. Documented
//! by Cline's source, `apps/vscode/src/shared`, `sdk/packages/core`.

use serde_json::Value;

use super::transcript::{Call, Transcript, at, command, folder, when};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// Tasks of days with all their output.
const FILE: usize = 64 << 20;
const WHAT: &str = "transcript of a task";
const DENIED: &str = "The user denied this operation";
/// What may follow a command in its text: its output, and that it needs an agreement.
const BEHIND: &[&str] = &["\nOutput:", "REQ_APP"];

/// `ui_messages.json`, `*.messages.json`.
pub struct Cline;

static META: Meta = Meta {
    id: "history/cline",
    title: "commands that Cline, Roo Code and their kin ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

impl Surface for Cline {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("ui_messages.json").within("tasks"),
            Claim::suffix(".messages.json").nested(".cline", "sessions"),
        ]
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let value: Value =
            serde_json::from_slice(file.all(FILE)?).map_err(|_| Flaw::malformed(WHAT, "it is not the JSON of one"))?;
        let mut transcript = Transcript::new(out, interest);
        match &value {
            Value::Array(messages) => shown(messages, &mut transcript),
            value => {
                for message in at(value, &["messages"]).as_array().into_iter().flatten() {
                    spoken(message, &mut transcript);
                }
            }
        }
        transcript.finish();
        Ok(())
    }
}

/// What the panel shows, in order.
fn shown(messages: &[Value], transcript: &mut Transcript<'_, '_>) {
    let (mut place, mut waiting) = (None, None::<Call>);
    for message in messages.iter().filter(|m| at(m, &["partial"]) != true) {
        let kind = at(message, &["say"]).as_str().or_else(|| at(message, &["ask"]).as_str());
        let text = at(message, &["text"]).as_str().unwrap_or_default();
        match kind {
            Some("command") => {
                if let Some(before) = waiting.take() {
                    transcript.ran(&before);
                }
                let text = BEHIND.iter().fold(text, |text, mark| text.split(mark).next().unwrap_or(text));
                // Lines say nothing in a file that is one value.
                let call =
                    Call { line: 1, at: when(at(message, &["ts"])), folder: place.clone(), text: text.to_owned() };
                if at(message, &["type"]) == "say" {
                    transcript.ran(&call);
                } else {
                    waiting = Some(call);
                }
            }
            Some("command_output") => {
                if let Some(call) = waiting.take() {
                    transcript.ran(&call);
                }
            }
            Some("api_req_started") => {
                let denied = text.contains(DENIED);
                if let Some(call) = waiting.take().filter(|_| !denied) {
                    transcript.ran(&call);
                }
                place = working_folder(text).or(place);
            }
            _ => {}
        }
    }
    if let Some(call) = waiting {
        transcript.ran(&call);
    }
}

/// `Current Working Directory (/src)`, or `Current Workspace Directory (/src)`, as each request has it.
fn working_folder(text: &str) -> Option<Box<str>> {
    let (_, rest) = text.split_once("# Current Work")?;
    let rest = rest.split_once(" Directory (").filter(|(before, _)| before.len() < 16)?.1;
    folder(&Value::from(rest.split_once(')')?.0))
}

/// A message as the model gets it.
fn spoken(message: &Value, transcript: &mut Transcript<'_, '_>) {
    for part in at(message, &["content"]).as_array().into_iter().flatten() {
        match at(part, &["type"]).as_str() {
            Some("tool_use") => {
                let input = at(part, &["input"]);
                if !matches!(at(part, &["name"]).as_str(), Some("run_commands" | "execute_command" | "bash")) {
                    continue;
                }
                let listed = at(input, &["commands"]);
                let each = listed.as_array().map_or(std::slice::from_ref(listed), Vec::as_slice);
                let texts = each.iter().chain([at(input, &["command"])]).filter_map(text_of);
                let text = texts.collect::<Vec<_>>().join("\n");
                let place = ["cwd", "directory"].iter().find_map(|key| folder(at(input, &[key])));
                if !text.is_empty() {
                    let time = when(at(message, &["ts"]));
                    transcript.call(at(part, &["id"]).as_str(), Call { line: 1, at: time, folder: place, text });
                }
            }
            Some("tool_result") => {
                let content = at(part, &["content"]);
                let said = content
                    .as_str()
                    .or_else(|| content.as_array()?.iter().find_map(|part| at(part, &["text"]).as_str()));
                let denied = said.is_some_and(|said| said.contains(DENIED) && said.len() < 2000);
                if let Some(id) = at(part, &["tool_use_id"]).as_str() {
                    transcript.answer(id, !denied);
                }
            }
            _ => {}
        }
    }
}

/// A command line, or a program with its words: `{"command": "git", "args": ["x"]}`.
fn text_of(value: &Value) -> Option<String> {
    let Some(program) = at(value, &["command"]).as_str() else { return command(value) };
    let words = at(value, &["args"]).as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = std::iter::once(program).chain(words).collect();
    Some(crate::shell::quoted(&words))
}
