//! Commands of RubyGems and Bundler that name gems: `gem install x -v 1.2.3`, `gem install x:1.2.3`, `gem fetch x`, `bundle add x --version
//! 1.2.3`, `bundle update x`. What installs without a name installs what the lock file says, which other surfaces read. Documented in
//! "Command Reference" of RubyGems and in Bundler's manual.

use super::{
    args::{Long, Options, Parsed, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{gem::is_name, is_version},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Resolve, Run, Uninstall};

static GEM_VALUED: &str =
    "version install-dir bindir platform trust-policy source http-proxy config-file build-root bulk-threshold file gem";
static BUNDLE_VALUED: &str =
    "version group source require path git github branch ref tag glob gemfile jobs retry quiet";
const GEM: Options = Options { short: "vinPpsBg", long: Long::Valued(&[GEM_VALUED]) };
const BUNDLE: Options = Options { short: "vgsrj", long: Long::Valued(&[BUNDLE_VALUED]) };

/// What the words of RubyGems or Bundler do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    // `gem3.1`, as distributions call it.
    let program = base_name(first).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    // What follows is for what builds native code.
    let end = rest.iter().position(|word| word == "--").unwrap_or(rest.len());
    let rest = rest.get(..end).unwrap_or(rest);
    match program {
        "gem" => Some((gem(rest), None)),
        "bundle" | "bundler" => Some((bundle(rest), None)),
        _ => None,
    }
}

fn gem(rest: &[String]) -> Option<Command> {
    let parsed = GEM.all(rest);
    let action = match *parsed.plain.first()? {
        "install" | "i" | "update" => Install,
        "fetch" => Download,
        "exec" => Run,
        "uninstall" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["help", "h", "explain", "system"]) {
        return None;
    }
    command("gem", action, &parsed)
}

fn bundle(rest: &[String]) -> Option<Command> {
    let parsed = BUNDLE.all(rest);
    let action = match *parsed.plain.first()? {
        "add" if parsed.has(&["skip-install"]) => Resolve,
        "add" | "update" => Install,
        "remove" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["git", "github", "path", "help", "h"]) {
        return None;
    }
    command("bundle", action, &parsed)
}

fn command(tool: &'static str, action: CommandAction, parsed: &Parsed<'_>) -> Option<Command> {
    let version = parsed.values(&["v", "version"]).next();
    let count = if action == Run { 1 } else { parsed.plain.len() };
    let wanted: Vec<Wanted> =
        parsed.plain.iter().skip(1).take(count).filter_map(|word| wanted(word, version)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages(tool, action, wanted))
}

/// `x`, `x:1.2.3`, with what an option asks for.
fn wanted(word: &str, version: Option<&str>) -> Option<Wanted> {
    let (name, own) = word.split_once(':').map_or((word, None), |(name, version)| (name, Some(version)));
    if !is_name(name) || name.starts_with(['.', '-']) || name.ends_with(".gem") || word.len() > 300 {
        return None;
    }
    let asked = own.or(version).unwrap_or_default().trim();
    let exact = asked.strip_prefix('=').map_or(asked, str::trim);
    let pinned = is_version(Ecosystem::Gem, exact).then(|| exact.into());
    let bounds = asked.split(',').map(|clause| clause.trim().trim_start_matches(['<', '>', '=', '!', '~']).trim());
    let is_range = asked.len() <= 200 && bounds.into_iter().all(|bound| is_version(Ecosystem::Gem, bound));
    let specifier = match asked {
        asked if asked.starts_with('$') => Wanted::UNSAID,
        _ if pinned.is_some() || !is_range => "",
        asked => asked,
    };
    Some(Wanted { ecosystem: Ecosystem::Gem, name: name.into(), pinned, specifier: specifier.into() })
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn gems_that_are_asked_for() {
        for (text, is) in [
            ("gem install rest-client", "install rest-client@"),
            ("sudo gem3.1 i rest-client -v 1.6.13 --no-document", "install rest-client@1.6.13"),
            ("gem install rest-client:1.6.13 rake", "install rest-client@1.6.13 rake@"),
            ("gem install --user-install -n bin rest-client --version '~> 1.6'", "install rest-client@~> 1.6"),
            ("gem install pg -v '= 1.5.4' -- --with-pg-config=/x y", "install pg@1.5.4"),
            ("gem fetch rest-client -v 1.6.13", "download rest-client@1.6.13"),
            ("gem exec rest-client:1.6.13 other", "run rest-client@1.6.13"),
            ("gem uninstall rest-client", "uninstall rest-client@"),
            ("bundle add rest-client --version '1.6.13' --group x", "install rest-client@1.6.13"),
            ("bundle add rest-client --skip-install", "resolve rest-client@"),
            ("bundle update rest-client", "install rest-client@"),
            ("bundle remove rest-client", "uninstall rest-client@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "gem list rest-client",
            "gem install ./rest-client-1.6.13.gem",
            "gem update --system 3.5.1",
            "gem push rest-client-1.6.13.gem",
            "bundle",
            "bundle install",
            "bundle exec rest-client",
            "bundle add x --git https://host.example/x",
            "gem",
            "echo gem install rest-client",
            "gem install --version",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn no_secret_rides_along() {
        let shown = format!(
            "{:?}",
            install_commands("gem install x -v 'hunter2!' --source https://u:hunter2@r.example 'hunter2/y'")
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
