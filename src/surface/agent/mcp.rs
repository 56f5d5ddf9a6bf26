//! Servers that agents and editors start for their tools (Model Context Protocol).
//!
//! ```text
//! ~/.cursor/mcp.json  PROJECT/.cursor/mcp.json  PROJECT/.mcp.json   {"mcpServers": {"docs": {"command": "uvx", "args": ["x"]}}}
//! ~/.claude.json                                                    the same, and below "projects"
//! .vscode/mcp.json  Code/User/mcp.json                              {"servers": {…}}
//! ~/.config/zed/settings.json                                       {"context_servers": {…}}, with comments
//! ~/.config/opencode/opencode.json                                  {"mcp": {"docs": {"command": ["npx", "-y", "x"]}}}
//! ~/.codex/config.toml                                              [mcp_servers.docs]
//! ~/.continue/config.yaml  ~/.config/goose/config.yaml              mcpServers: [{name, command, args}], extensions: {docs: {cmd, args}}
//! ```
//!
//! Claude Desktop, Windsurf, Gemini CLI, Copilot CLI, Cline, Roo Code, Kiro, Amazon Q, LM Studio, Junie and Trae have the first form. A
//! hit proves that the program was set up to start that; not that it did. Values of `env` and `headers` are not looked at. Documented by
//! each program; there is no common specification of these files.

use super::clients::client;

use crate::{
    fact::{At, CommandAction, Fact, Held},
    interest::Interest,
    shell,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        container::used,
        content::text,
        fetched,
        node::json::{self, Lines, Node, without_comments},
        python::toml_doc,
        starts,
        yaml::{self, Scalar},
    },
};

/// `~/.claude.json` holds what was typed in each project too.
const FILE: usize = 16 << 20;
/// Servers of one file.
const MOST: usize = 1000;
/// Objects around a list of servers.
const DEPTH: usize = 5;
/// Bytes of a server's words.
const WORDS: usize = 16 << 10;
/// What lists of servers are called.
const LISTS: &[&str] = &[
    "mcpServers",
    "servers",
    "context_servers",
    "mcp_servers",
    "mcp",
    "mcp.servers",
    "amp.mcpServers",
    "modelContextProtocolServers",
];
/// Folders whose `mcp.json` is such a file.
const FOLDERS: &[&str] = &[
    ".cursor",
    ".vscode",
    "User",
    ".aws/amazonq",
    ".amazonq",
    ".kiro/settings",
    ".roo",
    ".lmstudio",
    ".junie/mcp",
    ".trae",
    "Trae/User",
];
/// `mcp.json` and its kin.
pub struct Mcp;

static META: Meta = Meta {
    id: "agent/mcp",
    title: "servers that agents and editors start for their tools",
    proves: "the program was set up to start it; not that it did",
};

impl Surface for Mcp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let named = [
            ".mcp.json",
            ".claude.json",
            "claude_desktop_config.json",
            "mcp_config.json",
            "cline_mcp_settings.json",
            "mcp_settings.json",
            "opencode.json",
            "opencode.jsonc",
            "gemini-extension.json",
        ];
        let placed = [
            ("mcp-config.json", ".copilot"),
            ("settings.json", ".gemini"),
            ("settings.json", "zed"),
            ("settings.json", "Zed"),
            ("settings.json", ".zed"),
            ("settings.json", ".claude"),
            ("settings.json", "User"),
            ("config.toml", ".codex"),
            ("config.json", ".continue"),
            ("config.yaml", ".continue"),
            ("config.yaml", "goose"),
        ];
        let own = FOLDERS.iter().map(|folder| Claim::name("mcp.json").in_tail(folder));
        let files = [
            Claim::suffix(".json").in_tail(".continue/mcpServers"),
            Claim::suffix(".yaml").in_tail(".continue/mcpServers"),
            Claim::name("mcp.json").within("profiles"),
            Claim::name("manifest.json").within("Claude Extensions"),
        ];
        let placed = placed.iter().map(|(name, folder)| Claim::name(name).in_tail(folder));
        named.iter().map(|name| Claim::name(name)).chain(own).chain(placed).chain(files).collect()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, at, interest) = (file.entry.path.clone(), file.mtime("mtime of the settings"), file.interest);
        // An installed package may carry an example of one.
        if path.components().any(|c| matches!(c, b"node_modules" | b"site-packages" | b"dist-packages")) {
            return Ok(());
        }
        let text = text(file.all(FILE)?);
        let mut servers = Servers::default();
        let end = match path.name() {
            name if name.ends_with(b".toml") => servers.of_toml(&text),
            name if name.ends_with(b".yaml") => servers.of_yaml(&text),
            _ => servers.of_json(&text),
        };
        // What stands in a project starts only where somebody trusts the project.
        let of_project = path.name() == b".mcp.json" || path.parent().name() == b".vscode";
        let client = client(&path);
        let full = servers.found.len() >= MOST;
        for (number, server) in (1..).zip(servers.found.into_iter().take(MOST)) {
            server.report(number, client, interest, (at.as_ref(), of_project), out);
        }
        if full {
            return Err(Flaw::Unsupported("a file of more than 1000 servers"));
        }
        end
    }
}

/// A server that a program starts, or asks.
#[derive(Default)]
struct Server {
    name: String,
    /// The program and its words; one word that holds spaces is a text for a shell.
    words: Vec<String>,
    url: Option<String>,
    off: bool,
    line: Option<u32>,
}

impl Server {
    fn report(
        &self,
        number: usize,
        client: &str,
        interest: &Interest,
        (at, of_project): (Option<&At>, bool),
        out: &mut Sink<'_>,
    ) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@/ ".contains(c);
        let is_plain = !self.name.is_empty() && self.name.len() <= 64 && self.name.chars().all(plain);
        let name = if is_plain { format!("`{}`", self.name) } else { format!("{number}") };
        let off = if self.off { ", switched off" } else { "" };
        let inner = format!("server {name} of {client}{off}");
        let mut push = |fact: Fact| out.push_at(Some(&inner), self.line, at.cloned(), fact);
        if let Some((kind, value)) = self.url.as_deref().and_then(|url| interest.traces.address(url)) {
            push(fetched::fact(kind, value, Held::Starts));
        }
        let words: Vec<&str> = behind_prompt(&self.words);
        let Some(first) = words.first().filter(|_| words.iter().map(|w| w.len()).sum::<usize>() <= WORDS) else {
            return;
        };
        let line = if words.len() == 1 && first.contains(' ') { (*first).to_owned() } else { shell::quoted(&words) };
        let installs = |c: &crate::fact::Command| c.action != CommandAction::Start && !c.wanted.is_empty();
        shell::typed_commands(&line).into_iter().filter(installs).map(Fact::Command).for_each(&mut push);
        for mut fact in starts::in_text(&line, None) {
            if self.off || of_project {
                starts::only_where_enabled(&mut fact);
            }
            push(fact);
        }
        let owned: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        shell::image(&owned).and_then(used).into_iter().for_each(&mut push);
        fetched::addresses(&line, interest, Some(Held::Starts)).into_iter().for_each(&mut push);
        fetched::texts(&line, interest, Held::Starts).into_iter().for_each(&mut push);
    }
}

/// `cmd /c npx …`, as these files have it on Windows, and `uvx.exe`.
fn behind_prompt(words: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let base = |w: &str| w.rsplit(['/', '\\']).next().unwrap_or(w).to_ascii_lowercase();
    if let [first, option, ..] = words.as_slice()
        && matches!(base(first).as_str(), "cmd" | "cmd.exe")
        && option.eq_ignore_ascii_case("/c")
    {
        words.drain(..2);
    }
    if let Some(first) = words.first_mut() {
        let endings = [".cmd", ".exe", ".bat", ".ps1"];
        *first = endings.iter().find_map(|ending| first.strip_suffix(ending)).unwrap_or(first);
    }
    words
}

/// The servers of one file, in order.
#[derive(Default)]
struct Servers {
    found: Vec<Server>,
}

impl Servers {
    fn of_json(&mut self, text: &str) -> Result<(), Flaw> {
        let plain = without_comments(text);
        // An empty file is what an editor makes before the first setting.
        if plain.trim().is_empty() {
            return Ok(());
        }
        let value = json::whole(&plain).map_err(|error| json::flaw(&error, "settings"))?;
        let mut lines = Lines::new(&plain);
        if let Some(server) = value.get("server").and_then(|server| server.get("mcp_config")) {
            let name = value.text_of("name").unwrap_or_default();
            self.add(name, lines.line_of(name), server);
        }
        self.lists(&value, 0, &mut lines);
        Ok(())
    }

    fn lists(&mut self, value: &Node<'_>, depth: usize, lines: &mut Lines<'_>) {
        if depth >= DEPTH || self.found.len() >= MOST {
            return;
        }
        for (key, value) in value.fields() {
            if LISTS.contains(&&**key) {
                for (name, server) in value.fields() {
                    self.add(name, lines.line_of(name), server);
                }
                for server in value.items() {
                    let name = server.text_of("name").unwrap_or_default();
                    self.add(name, lines.line_of(name), server.get("transport").unwrap_or(server));
                }
            }
            self.lists(value, depth + 1, lines);
        }
    }

    fn add(&mut self, name: &str, line: Option<u32>, server: &Node<'_>) {
        let list = |value: Option<&Node<'_>>| -> Vec<String> {
            value.map(Node::items).unwrap_or_default().iter().filter_map(Node::text).map(str::to_owned).collect()
        };
        let mut words = match server.get("command") {
            Some(Node::Text(command)) => vec![command.to_string()],
            Some(all @ Node::List(_)) => list(Some(all)),
            // Zed until 2025.
            Some(command @ Node::Map(_)) => {
                command.text_of("path").map(str::to_owned).into_iter().chain(list(command.get("args"))).collect()
            }
            _ => Vec::new(),
        };
        if !words.is_empty() {
            words.extend(list(server.get("args")));
        }
        let url = ["url", "serverUrl", "httpUrl"].iter().find_map(|key| server.text_of(key)).map(str::to_owned);
        let off = server.flag("disabled") || server.get("enabled") == Some(&Node::Flag(false));
        self.keep(Server { name: name.to_owned(), words, url, off, line });
    }

    fn of_toml(&mut self, text: &str) -> Result<(), Flaw> {
        let document = toml_doc::parse(text, "settings")?;
        let lines = toml_doc::Lines::new(text, 0);
        for (name, server) in toml_doc::table(&document, "mcp_servers").into_iter().flatten() {
            let Some(table) = server.get_ref().as_table() else { continue };
            let args = toml_doc::items(table, "args").filter_map(|item| item.get_ref().as_str());
            let program = toml_doc::string(table, "command").into_iter();
            self.keep(Server {
                name: name.get_ref().to_string(),
                words: program.chain(args).map(str::to_owned).collect(),
                url: toml_doc::string(table, "url").map(str::to_owned),
                off: toml_doc::field(table, "enabled").and_then(|v| v.as_bool()) == Some(false),
                line: lines.line_of(&name.span()),
            });
        }
        Ok(())
    }

    fn of_yaml(&mut self, text: &str) -> Result<(), Flaw> {
        let mut one = Server::default();
        // A list element begins anew with its first key, an entry of a mapping with another name.
        let mut key_of_one = String::new();
        yaml::scalars(text, &mut |scalar: &Scalar<'_>| {
            let keys: Vec<&str> = scalar.keys.iter().map(String::as_str).collect();
            let (entry, field) = match keys.as_slice() {
                ["mcpServers" | "extensions", entry, field, ..] => (*entry, *field),
                _ => return,
            };
            let begins = if entry.is_empty() { field == "name" } else { entry != key_of_one };
            if begins {
                self.keep(std::mem::take(&mut one));
                entry.clone_into(&mut key_of_one);
                one = Server { name: entry.to_owned(), line: Some(scalar.line), ..Server::default() };
            }
            match field {
                "name" if entry.is_empty() => scalar.text.clone_into(&mut one.name),
                "command" | "cmd" => one.words.insert(0, scalar.text.to_owned()),
                "args" if one.words.len() < MOST => one.words.push(scalar.text.to_owned()),
                "url" | "uri" => one.url = Some(scalar.text.to_owned()),
                "enabled" => one.off = scalar.text == "false",
                "disabled" => one.off = scalar.text == "true",
                _ => {}
            }
        })?;
        self.keep(one);
        Ok(())
    }

    fn keep(&mut self, server: Server) {
        if (!server.words.is_empty() || server.url.is_some()) && self.found.len() < MOST {
            self.found.push(server);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(name: &str, text: &str) -> (Vec<String>, bool) {
        let mut servers = Servers::default();
        let end = match name {
            "toml" => servers.of_toml(text),
            "yaml" => servers.of_yaml(text),
            _ => servers.of_json(text),
        };
        let shown = servers.found.iter().map(|s| {
            let off = if s.off { " off" } else { "" };
            let words = behind_prompt(&s.words).join(" ");
            format!("{}:{} {words}{}{off}", s.name, s.line.unwrap_or(0), s.url.as_deref().unwrap_or_default())
        });
        (shown.collect(), end.is_ok())
    }

    #[test]
    fn each_form_gives_its_words() {
        for (form, text, expected) in [
            ("json", r#"{"mcpServers": {"a": {"command": "uvx", "args": ["x", 1, "y"]}}}"#, "a:1 uvx x y"),
            (
                "json",
                "{\"x\":{\"servers\":\n{\"a\": {\"command\": \"C:\\\\n\\\\npx.CMD\", \"args\": []}}}}",
                "a:2 C:\\n\\npx.CMD",
            ),
            ("json", r#"{"mcp": {"a": {"command": ["npx.cmd", "x"], "enabled": false}}}"#, "a:1 npx x off"),
            ("json", r#"{"servers": {"a": {"command": "cmd.exe", "args": ["/C", "uvx.exe", "x"]}}}"#, "a:1 uvx x"),
            (
                "json",
                r#"{"mcpServers": {"a": {"url": "https://x.example", "disabled": true}}}"#,
                "a:1 https://x.example off",
            ),
            ("json", r#"{"mcpServers": [{"name": "a", "command": "uvx", "args": ["x"]}]}"#, "a:1 uvx x"),
            (
                "json",
                r#"{"name": "a", "server": {"mcp_config": {"command": "uv", "args": ["run", "x"]}}}"#,
                "a:1 uv run x",
            ),
            ("toml", "[mcp_servers.a]\ncommand = 'uvx'\nargs = ['x']\nenabled = false\n", "a:1 uvx x off"),
            ("yaml", "mcpServers:\n  - name: a\n    args: [x]\n    command: uvx\n", "a:2 uvx x"),
            ("yaml", "extensions:\n  a:\n    enabled: false\n    cmd: uvx\n    args:\n      - x\n", "a:3 uvx x off"),
        ] {
            assert_eq!(servers(form, text), (vec![expected.to_owned()], true), "{text}");
        }
    }

    #[test]
    fn other_shapes_say_nothing_and_damaged_ones_say_so() {
        for text in
            ["", " \n", "[]", "1", r#"{"mcpServers": 1}"#, r#"{"mcpServers": {"a": [], "b": {"args": ["uvx"]}}}"#]
        {
            assert_eq!(servers("json", text), (vec![], true), "{text}");
        }
        let deep = format!("{}1{}", r#"{"servers":"#.repeat(500), "}".repeat(500));
        for (form, text) in [("json", "{"), ("json", "uvx x"), ("json", &*deep), ("toml", "[x"), ("yaml", "a: [")] {
            assert!(!servers(form, text).1, "{text}");
        }
        // Deeper than any program has it.
        let nested =
            format!("{}{{\"servers\":{{\"a\":{{\"command\":\"uvx\"}}}}}}{}", "{\"x\":".repeat(9), "}".repeat(9));
        assert_eq!(servers("json", &nested), (vec![], true));
    }

    #[test]
    fn many_servers_end() {
        let many: Vec<String> = (0..5000).map(|n| format!(r#""s{n}":{{"command":"uvx","args":["x"]}}"#)).collect();
        assert_eq!(servers("json", &format!("{{\"servers\":{{{}}}}}", many.join(",\n"))).0.len(), MOST);
        let many: String = (0..5000).map(|n| format!("- name: s{n}\n  command: uvx\n")).collect();
        assert_eq!(servers("yaml", &format!("mcpServers:\n{many}")).0.len(), MOST);
    }
}
