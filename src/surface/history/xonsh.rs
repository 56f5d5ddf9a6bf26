//! Histories of xonsh, a file a session.
//!
//! ```text
//! ~/.local/share/xonsh/history_json/xonsh-<uuid>.json      before 0.11 without `history_json`
//!
//! {"locs": …, "index": …, "data": {"cmds": [{"inp": "pip install x\n", "rtn": 0, "ts": [1774349600.1, 1774349602.4], "cwd": "/src"}],
//!  "env": {…}}}
//! ```
//!
//! The file holds the whole environment of the session too (`env`), which is not looked at. A hit proves that the command was typed, not
//! that it succeeded. Documented by the source of xonsh, `xonsh/history/json.py`.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{Reporter, of_seconds},
    },
};

/// `xonsh-*.json`.
pub struct Xonsh;

static META: Meta = Meta {
    id: "history/xonsh",
    title: "commands typed in xonsh",
    proves: "the command was typed; not that it succeeded",
};

/// Where output is kept too, a session can be large.
const FILE: usize = 64 << 20;

#[derive(Deserialize)]
struct Document {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    cmds: Vec<Typed>,
}

#[derive(Deserialize)]
struct Typed {
    inp: String,
    #[serde(default)]
    ts: Value,
    cwd: Option<String>,
}

impl Surface for Xonsh {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("xonsh-", ".json").within("xonsh")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let is_one = head.starts_with(b"{\"locs\":") || head.starts_with(b"{\"__xonsh__\"");
        is_one.then_some("xonsh/history_json/xonsh-1.json")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let document: Document = serde_json::from_slice(file.all(FILE)?)
            .map_err(|_| Flaw::malformed("history of xonsh", "not the JSON of one"))?;
        let mut reporter = Reporter::new(out, interest);
        for typed in document.data.cmds {
            reporter.folder = typed.cwd.filter(|cwd| cwd.starts_with('/')).map(Into::into);
            let at = typed.ts.get(0).and_then(Value::as_f64).and_then(of_seconds);
            // The file has one line.
            reporter.report(1, at.as_ref(), typed.inp.as_bytes());
        }
        reporter.finish();
        Ok(())
    }
}
