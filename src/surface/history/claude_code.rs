//! Transcripts of Claude Code: what its agent ran, and what people typed behind `!`.
//!
//! ```text
//! ~/.claude/projects/<folder>/<session>.jsonl       one JSON object a line; CLAUDE_CONFIG_DIR moves ~/.claude
//!
//! {"type":"assistant","cwd":"/src","timestamp":"2026-03-24T11:02:03.000Z","message":{"content":[
//!   {"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"pip install x"}}]}}
//! {"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_1","is_error":false,"content":"…"}]}}
//! {"type":"user","cwd":"/src","message":{"content":"<bash-input>pip install x</bash-input>"}}
//! ```
//!
//! A command that was refused is none, nor is one that is talked about or stands in an answer. Nothing of the conversation is kept. A
//! hit proves that the agent ran the command, or was about to; not that it succeeded. Seen in transcripts of versions 1 and 2.

use serde_json::Value;

use super::transcript::{Call, Has, Holds, Transcript, at, each_line, folder, time};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// `~/.claude/projects/**/*.jsonl`.
pub struct ClaudeCode;

static META: Meta = Meta {
    id: "history/claude-code",
    title: "commands that Claude Code ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

/// What it answers itself where somebody, or a rule, refused.
const REFUSED: &[&str] = &[
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action",
    "Claude requested permissions to use",
    "Permission to use Bash",
    "This command requires approval",
];

impl Surface for ClaudeCode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".jsonl").nested(".claude", "projects")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let first = head.split(|b| *b == b'\n').next()?;
        let has = |word: &[u8]| memchr::memmem::find(first, word).is_some();
        (first.starts_with(b"{") && has(b"\"sessionId\"") && has(b"\"parentUuid\"")).then_some(".claude/projects/x/*")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let transcript = Transcript::new(out, file.interest);
        let holds = |has: &Has<'_>| Holds {
            call: has(b"\"tool_use\"") && has(b"\"Bash\""),
            answer: has(b"\"tool_result\""),
            about: has(b"<bash-input>"),
        };
        each_line(file, transcript, &holds, &mut |value, line, transcript| read(value, line, transcript))
    }
}

fn read(value: &Value, line: u32, transcript: &mut Transcript<'_, '_>) {
    let content = at(value, &["message", "content"]);
    let call = |text: &str| Call {
        line,
        at: time(at(value, &["timestamp"])),
        folder: folder(at(value, &["cwd"])),
        text: text.to_owned(),
    };
    match (at(value, &["type"]).as_str(), content) {
        (Some("assistant"), Value::Array(parts)) => {
            for part in parts.iter().filter(|p| at(p, &["type"]) == "tool_use" && at(p, &["name"]) == "Bash") {
                if let Some(text) = at(part, &["input", "command"]).as_str() {
                    transcript.call(at(part, &["id"]).as_str(), call(text));
                }
            }
        }
        (Some("user"), Value::Array(parts)) => {
            for part in parts.iter().filter(|p| at(p, &["type"]) == "tool_result") {
                let said = answer(at(part, &["content"]));
                let refused = at(part, &["is_error"]) == true && REFUSED.iter().any(|start| said.starts_with(start));
                if let Some(id) = at(part, &["tool_use_id"]).as_str() {
                    transcript.answer(id, !refused);
                }
            }
        }
        (Some("user"), Value::String(text)) => {
            let typed = text.strip_prefix("<bash-input>").and_then(|rest| rest.split_once("</bash-input>"));
            if let Some((typed, _)) = typed {
                transcript.ran(&call(typed));
            }
        }
        _ => {}
    }
}

/// The start of an answer.
fn answer(content: &Value) -> &str {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().find_map(|p| at(p, &["text"]).as_str()).unwrap_or_default(),
        _ => "",
    }
}
