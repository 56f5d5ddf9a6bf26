//! Transcripts of Gemini CLI: what its agent ran.
//!
//! ```text
//! ~/.gemini/tmp/<digest of the folder>/chats/session-<time>-<id>.json
//!
//! {"sessionId":"…","messages":[{"type":"gemini","timestamp":"2026-03-24T11:00:00.000Z","toolCalls":[
//!   {"id":"…","name":"run_shell_command","args":{"command":"pip install x","dir_path":"app"},
//!    "status":"success","timestamp":"2026-03-24T11:00:05.000Z"}]}]}
//! ```
//!
//! A call that was cancelled did not run. The folder of the project stands in no file but as a digest. Nothing of the conversation is kept.
//! A hit proves that the agent ran the command, or was about to; not that it succeeded. Documented by Gemini CLI's source,
//! `packages/core/src/services/chatRecordingService.ts`.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::transcript::{Call, Transcript, at, folder, time};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// `~/.gemini/tmp/*/chats/session-*.json`.
pub struct GeminiCli;

static META: Meta = Meta {
    id: "history/gemini-cli",
    title: "commands that Gemini CLI ran",
    proves: "the agent ran the command or was about to; not that it succeeded",
};

/// A long session has some megabytes.
const FILE: usize = 64 << 20;
const WHAT: &str = "transcript of Gemini CLI";

#[derive(Deserialize)]
struct Session {
    #[serde(rename = "sessionId")]
    _id: IgnoredAny,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    timestamp: Value,
    #[serde(default, rename = "toolCalls")]
    calls: Vec<ToolCall>,
}

#[derive(Deserialize)]
struct ToolCall {
    #[serde(default)]
    name: String,
    #[serde(default)]
    args: Value,
    #[serde(default)]
    status: String,
    #[serde(default)]
    timestamp: Value,
}

impl Surface for GeminiCli {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("session-", ".json").nested(".gemini", "chats")]
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let bytes = file.all(FILE)?;
        let session: Session =
            serde_json::from_slice(bytes).map_err(|_| Flaw::malformed(WHAT, "it is not the JSON of one"))?;
        let mut transcript = Transcript::new(out, interest);
        for message in session.messages {
            for call in message.calls {
                let ran = call.name == "run_shell_command" && call.status != "cancelled";
                let Some(text) = at(&call.args, &["command"]).as_str().filter(|_| ran) else { continue };
                let when = time(&call.timestamp).or_else(|| time(&message.timestamp));
                // Lines say nothing in a file that is one value.
                let call =
                    Call { line: 1, at: when, folder: folder(at(&call.args, &["dir_path"])), text: text.to_owned() };
                transcript.ran(&call);
            }
        }
        transcript.finish();
        Ok(())
    }
}
