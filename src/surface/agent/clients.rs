//! Which program a file of settings belongs to.

use crate::fact::TreePath;

/// Whose file it is, by a part of its path or its name.
const CLIENTS: &[(&str, &str)] = &[
    (".cursor/", "Cursor"),
    ("saoudrizwan.claude-dev/", "Cline"),
    ("rooveterinaryinc.roo-cline/", "Roo Code"),
    (".roo/", "Roo Code"),
    ("Claude Extensions/", "Claude Desktop"),
    ("claude_desktop_config.json", "Claude Desktop"),
    (".claude", "Claude Code"),
    (".mcp.json", "Claude Code"),
    ("windsurf/", "Windsurf"),
    ("antigravity/", "Antigravity"),
    (".gemini/", "Gemini CLI"),
    (".codex/", "Codex"),
    ("opencode", "opencode"),
    ("/zed/", "Zed"),
    ("/Zed/", "Zed"),
    (".zed/", "Zed"),
    (".continue/", "Continue"),
    ("goose/", "Goose"),
    ("amazonq/", "Amazon Q"),
    (".kiro/", "Kiro"),
    (".copilot/", "Copilot CLI"),
    (".github/hooks/", "Copilot"),
    (".lmstudio/", "LM Studio"),
    (".junie/", "Junie"),
    ("Trae/", "Trae"),
    (".trae/", "Trae"),
    ("Cursor/User/", "Cursor"),
    ("VSCodium/User/", "VSCodium"),
    (".vscode/", "VS Code"),
    ("/User/", "VS Code"),
];

/// Whose file it is.
pub(super) fn client(path: &TreePath) -> &'static str {
    let text = String::from_utf8_lossy(path.as_bytes());
    CLIENTS.iter().find(|(part, _)| text.contains(part)).map_or("an agent", |(_, name)| name)
}
