//! Node's package managers, and which words of their command lines name packages.
//!
//! ```text
//! npm install axios@1.14.1        npm i -g x        npm exec -p x -- y        npx x@1       npm create vite
//! pnpm add x        pnpm dlx x        yarn add x        yarn global add x        yarn dlx x        bun add x        bunx x
//! deno add npm:x        volta install x
//! ```
//!
//! `npm ci`, `npm install` and the like without a name install what a lock file or manifest says, which other surfaces read. Documented
//! in the tools' own references of commands.

use super::{
    args::{Long, Options, Parsed, base_name},
    cutoff::cutoff,
    python::Recognised,
};
use crate::{
    ecosystem::npm::reference::{self, Reference, Target},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Resolve, Run, Uninstall};

/// Longer words name no package.
const LIMIT: usize = 4096;
/// Options with which nothing is installed but a lock file may be written.
const TRIALS: &[&str] =
    &["--dry-run", "--package-lock-only", "--lockfile-only", "--mode=update-lockfile", "--mode=skip-build-lockfile"];

static SHARED: &str = "registry prefix workspace tag otp cache userconfig globalconfig loglevel omit include before \
        save-prefix install-strategy depth cpu os libc location script-shell audit-level maxsockets proxy https-proxy \
        min-release-age minimum-release-age dir filter store-dir virtual-store-dir modules-dir lockfile-dir reporter \
        network-concurrency child-concurrency cwd modules-folder cache-folder link-folder mode backend config \
        cafile fetch-retries fetch-timeout node-linker allow-build";
const NPM: Options = Options { short: "wC", long: Long::Valued(&[SHARED]) };
/// There `-w` is the root of the workspace.
const NODE: Options = Options { short: "CFc", long: Long::Valued(&[SHARED]) };
/// Before a program that is fetched and run: `-p` names its package.
const RUN: Options = Options { short: "pwCc", long: Long::Valued(&[SHARED, "package call shell"]) };

/// What the words of one of Node's package managers do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    let name = base_name(first).trim_start_matches(['!', '%']);
    let name = name.strip_suffix(".cmd").unwrap_or(name);
    let (command, behind) = program(name, rest, 0)?;
    let own = words.get(..words.len() - behind.map_or(0, <[String]>::len)).unwrap_or(words);
    let command = command.map(|mut command| {
        command.cutoff = cutoff(own);
        if command.action == Install && own.iter().any(|w| TRIALS.contains(&w.as_str())) {
            command.action = Resolve;
        }
        command
    });
    let only_asks = |c: &Command| c.action != Run && own.iter().any(|w| w == "--help" || w == "-h");
    Some((command.filter(|c| !only_asks(c)), behind))
}

/// Managers that start managers which are followed.
const DEPTH: usize = 3;

fn program<'w>(name: &str, rest: &'w [String], depth: usize) -> Option<Recognised<'w>> {
    // `corepack pnpm@9 add x`
    let name = name.split('@').next().unwrap_or(name);
    let command = match name {
        "npm" | "cnpm" => npm(rest),
        "npx" | "pnpx" | "bunx" | "pnx" => fetched(name, rest),
        "pnpm" => pnpm(rest),
        "yarn" | "yarnpkg" => yarn(rest, 0),
        "bun" => bun(rest),
        "deno" => deno(rest),
        "volta" => volta(rest),
        "corepack" => {
            let (manager, behind) = rest.split_first()?;
            return if depth < DEPTH { program(manager, behind, depth + 1) } else { None };
        }
        "node" | "nodejs" => {
            let (script, behind) = rest.split_first()?;
            let script = match base_name(script) {
                "npm" | "npm-cli.js" => "npm",
                "npx" | "npx-cli.js" => "npx",
                "yarn.js" => "yarn",
                "pnpm.cjs" | "pnpm.mjs" => "pnpm",
                _ => return None,
            };
            return if depth < DEPTH { program(script, behind, depth + 1) } else { None };
        }
        _ => return None,
    };
    Some((command, None))
}

fn command<'w>(tool: &str, action: CommandAction, specs: impl IntoIterator<Item = &'w str>) -> Option<Command> {
    let wanted: Vec<Wanted> = specs.into_iter().filter_map(wanted).collect();
    (!wanted.is_empty()).then(|| Command::for_packages(tool, action, wanted))
}

fn rebuild(tool: &str) -> Command {
    Command { scripts: Some(true), ..Command::for_packages(tool, Install, Vec::new()) }
}

fn behind<'w>(parsed: &Parsed<'w>, own: usize) -> Vec<&'w str> {
    parsed.plain.get(own..).unwrap_or_default().to_vec()
}

fn npm(rest: &[String]) -> Option<Command> {
    let global = NPM.leading(rest);
    let parsed = NPM.all(rest);
    let action = match *global.plain.first()? {
        "exec" | "x" => return fetched("npm", global.behind),
        "create" | "init" | "innit" => return created("npm", global.behind),
        "pack" => Download,
        "install" | "i" | "in" | "ins" | "inst" | "insta" | "instal" | "isnt" | "isnta" | "isntal" | "isntall"
        | "add" | "install-test" | "it" | "update" | "up" | "upgrade" | "udpate" => Install,
        "uninstall" | "unlink" | "remove" | "rm" | "r" | "un" => Uninstall,
        // It runs the scripts of what stands there.
        "rebuild" | "rb" => return Some(rebuild("npm")),
        _ => return None,
    };
    command("npm", action, behind(&parsed, 1))
}

fn pnpm(rest: &[String]) -> Option<Command> {
    let global = NODE.leading(rest);
    let parsed = NODE.all(rest);
    let action = match *global.plain.first()? {
        "dlx" => return fetched("pnpm", global.behind),
        "create" => return created("pnpm", global.behind),
        "add" | "install" | "i" | "update" | "up" | "upgrade" => Install,
        "remove" | "rm" | "uninstall" | "un" => Uninstall,
        "rebuild" | "rb" | "approve-builds" => return Some(rebuild("pnpm")),
        _ => return None,
    };
    command("pnpm", action, behind(&parsed, 1))
}

/// `yarn workspace app add x`, `yarn global add x`, `yarn workspaces foreach -A add x`.
fn yarn(rest: &[String], depth: usize) -> Option<Command> {
    let global = NODE.leading(rest);
    match *global.plain.first()? {
        "workspace" | "workspaces" if depth >= DEPTH => return None,
        "dlx" => return fetched("yarn", global.behind),
        "create" => return created("yarn", global.behind),
        "workspace" => return yarn(global.behind.get(1..)?, depth + 1),
        "workspaces" => {
            let foreach = NODE.leading(global.behind);
            return if foreach.plain.first() == Some(&"foreach") { yarn(foreach.behind, depth + 1) } else { None };
        }
        _ => {}
    }
    let parsed = NODE.all(rest);
    let own = if parsed.plain.first() == Some(&"global") { 1 } else { 0 };
    let action = match *parsed.plain.get(own)? {
        "add" | "up" | "upgrade" => Install,
        "remove" => Uninstall,
        _ => return None,
    };
    command("yarn", action, behind(&parsed, own + 1))
}

fn bun(rest: &[String]) -> Option<Command> {
    let global = NODE.leading(rest);
    let parsed = NODE.all(rest);
    let action = match *global.plain.first()? {
        "x" => return fetched("bun", global.behind),
        "create" | "c" => return created("bun", global.behind),
        "add" | "a" | "install" | "i" | "update" => Install,
        "remove" | "rm" => Uninstall,
        _ => return None,
    };
    command("bun", action, behind(&parsed, 1))
}

/// Deno writes `npm:` before packages of this index.
fn deno(rest: &[String]) -> Option<Command> {
    let global = NODE.leading(rest);
    let parsed = NODE.all(rest);
    let action = match *global.plain.first()? {
        "add" | "install" | "i" | "cache" | "update" => Install,
        "run" | "x" | "serve" => {
            let main = NODE.leading(global.behind).plain.first().copied();
            return command("deno", Run, main.and_then(|m| m.strip_prefix("npm:")));
        }
        "remove" | "uninstall" => Uninstall,
        _ => return None,
    };
    let specs = behind(&parsed, 1);
    command("deno", action, specs.into_iter().filter_map(|s| s.strip_prefix("npm:")))
}

fn volta(rest: &[String]) -> Option<Command> {
    let parsed = NODE.all(rest);
    let action = match *parsed.plain.first()? {
        "install" | "fetch" => Install,
        "uninstall" => Uninstall,
        _ => return None,
    };
    let tools = ["node", "npm", "yarn", "pnpm"];
    let specs = behind(&parsed, 1);
    command("volta", action, specs.into_iter().filter(|s| !tools.contains(&s.split('@').next().unwrap_or(s))))
}

/// `[-y] [-p spec] name …`: what follows the name belongs to the program.
fn fetched(tool: &str, rest: &[String]) -> Option<Command> {
    let parsed = RUN.leading(rest);
    let named: Vec<&str> = parsed.values(&["p", "package"]).collect();
    let specs = if named.is_empty() { parsed.plain.clone() } else { named };
    command(tool, Run, specs)
}

/// `npm create vite@5`: the package `create-vite`.
fn created(tool: &str, rest: &[String]) -> Option<Command> {
    let spec = *RUN.leading(rest).plain.first()?;
    let (scope, name) = match spec.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => (format!("{scope}/"), name),
        _ => (String::new(), spec),
    };
    command(tool, Run, [format!("{scope}create-{name}").as_str()])
}

/// The package that a word names; `None` for folders, repositories, variables and whatever else.
fn wanted(word: &str) -> Option<Wanted> {
    let word = word.trim();
    if word.len() > LIMIT || word.starts_with(['.', '/', '~', '-', '$']) {
        return None;
    }
    let path = word.split('@').next().unwrap_or(word);
    let is_address = word.contains("://") || word.starts_with("git@");
    if !word.starts_with('@') && !is_address && path.contains(['/', ':', '\\']) {
        return None;
    }
    // A version in a variable.
    if let Some((name, _)) = word.rsplit_once('@').filter(|(name, v)| !name.is_empty() && v.starts_with('$')) {
        return named(name, None, Wanted::UNSAID);
    }
    let Reference { name, target } = if is_address { reference::read(word) } else { reference::locator(word) };
    let name = name?;
    match target {
        Target::Exact(version) | Target::Tarball { version: Some(version), .. } => named(&name, Some(version), ""),
        Target::Range(range) => named(&name, None, if range == "*" { "" } else { &range }),
        Target::Tag(_) => named(&name, None, ""),
        Target::Tarball { .. } | Target::Git { .. } | Target::Local(_) => None,
    }
}

fn named(name: &str, pinned: Option<String>, specifier: &str) -> Option<Wanted> {
    is_name(name).then(|| Wanted {
        ecosystem: Ecosystem::Npm,
        name: name.into(),
        pinned: pinned.map(Into::into),
        specifier: specifier.into(),
    })
}

/// `name`, `@scope/name`: as many characters as the registry allows.
fn is_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
    };
    let parts = name.strip_prefix('@').map_or(("s", name), |rest| rest.split_once('/').unwrap_or(("", rest)));
    name.len() <= 214 && plain(parts.0) && plain(parts.1)
}

#[cfg(test)]
mod tests {
    use crate::shell::install_commands;

    fn show(text: &str) -> String {
        let one = |c: &crate::fact::Command| {
            let specs = c.wanted.iter().map(|w| match &w.pinned {
                Some(version) => format!("{}@{version}", w.name),
                None => format!("{}{}", w.name, w.specifier),
            });
            format!("{} {} {}", c.tool, c.action.as_str(), specs.collect::<Vec<_>>().join(" "))
        };
        install_commands(text).iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn installs_name_packages_and_versions() {
        for (text, expected) in [
            ("npm install axios@1.14.1", "npm install axios@1.14.1"),
            ("npm i -g --registry https://registry.example axios", "npm install axios"),
            (
                "npm --prefix app i -D @ctrl/tinycolor@4.1.1 chalk@^5.6.0",
                "npm install @ctrl/tinycolor@4.1.1 chalk^5.6.0",
            ),
            ("npm i http@npm:axios@1.14.1", "npm install axios@1.14.1"),
            ("npm install axios@latest", "npm install axios"),
            ("npm install axios@$V", "npm install axios==?"),
            ("V=1.14.1; npm install axios@$V", "npm install axios@1.14.1"),
            ("npm i https://registry.example/axios/-/axios-1.14.1.tgz", "npm install axios@1.14.1"),
            ("npm.cmd update axios", "npm install axios"),
            ("npm uninstall axios", "npm uninstall axios"),
            ("npm install --package-lock-only axios@1.14.1", "npm resolve axios@1.14.1"),
            ("npm install --dry-run axios", "npm resolve axios"),
            ("npm pack axios@1.14.1", "npm download axios@1.14.1"),
            ("pnpm add -w axios@1.14.1 --filter app", "pnpm install axios@1.14.1"),
            ("pnpm -C app add --lockfile-only axios", "pnpm resolve axios"),
            ("yarn add axios@1.14.1 --dev", "yarn install axios@1.14.1"),
            ("yarn global add axios", "yarn install axios"),
            ("yarn workspace web add axios@1.14.1", "yarn install axios@1.14.1"),
            ("yarn remove axios", "yarn uninstall axios"),
            ("bun add axios@1.14.1", "bun install axios@1.14.1"),
            ("bun i axios", "bun install axios"),
            ("deno add npm:axios@1.14.1 jsr:@std/path", "deno install axios@1.14.1"),
            ("volta install axios@1.14.1 node@20", "volta install axios@1.14.1"),
            ("corepack pnpm@9 add axios", "pnpm install axios"),
            ("node /usr/lib/node_modules/npm/bin/npm-cli.js i axios", "npm install axios"),
            ("sudo -E npm i -g axios", "npm install axios"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_fetched_and_run() {
        for (text, expected) in [
            ("npx -y axios@1.14.1 --port 3000 other", "npx run axios@1.14.1"),
            ("npx -p axios@1.14.1 -p chalk cmd", "npx run axios@1.14.1 chalk"),
            ("npm exec --package=axios@1.14.1 -- cmd", "npm run axios@1.14.1"),
            ("npm x -- axios@1.14.1 serve", "npm run axios@1.14.1"),
            ("pnpm dlx axios@1.14.1 x", "pnpm run axios@1.14.1"),
            ("yarn dlx -p axios@1.14.1 cmd", "yarn run axios@1.14.1"),
            ("bunx axios@1.14.1", "bunx run axios@1.14.1"),
            ("bun x axios", "bun run axios"),
            ("npm create vite@5.0.0 app", "npm run create-vite@5.0.0"),
            ("npm init @scope/app", "npm run @scope/create-app"),
            ("deno run -A npm:axios@1.14.1 x", "deno run axios@1.14.1"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_package_of_the_index() {
        for text in [
            "npm install",
            "npm ci",
            "npm ci --registry axios",
            "npm run axios",
            "npm test axios",
            "npm view axios",
            "npm ls axios",
            "npm install ./axios",
            "npm install ../axios",
            "npm install github:axios/axios",
            "npm install axios/axios#v1.14.1",
            "npm install git+https://registry.example/axios.git",
            "npm install --help axios",
            "npm config set registry axios",
            "yarn",
            "yarn install",
            "yarn axios",
            "yarn why axios",
            "pnpm install",
            "pnpm run add axios",
            "pnpm why axios",
            "bun run axios",
            "bun test axios",
            "deno add jsr:@std/axios",
            "deno run axios.ts",
            "node axios",
            "npx",
            "echo npm install axios",
            "npm install -C axios",
            "npm init",
            "npm init -y",
            "volta pin node@20",
            "corepack enable",
        ] {
            assert_eq!(show(text), "", "{text}");
        }
    }

    #[test]
    fn no_secret_rides_along() {
        let text = "npm i --otp hunter2 axios@hunter2 https://u:hunter2@registry.example/axios/-/axios-1.14.1.tgz \
                    '@hunter2' 'x@npm:hunter2!' 'a@$hunter2' git+https://hunter2@registry.example/x";
        let found = install_commands(text);
        let shown = format!("{found:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        for piece in ["npm i ", "@", "npm:", "corepack ", "yarn workspace ", "node npm "] {
            install_commands(&format!("npm i {}", piece.repeat(5000)));
            install_commands(&piece.repeat(5000));
        }
    }
}
