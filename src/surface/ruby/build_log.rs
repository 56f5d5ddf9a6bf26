//! Logs of what built native code of a gem while it was installed.
//!
//! ```text
//! GEM_HOME/extensions/x86_64-linux/3.1.0/NAME-VERSION/gem_make.out       gems/NAME-VERSION/ext/gem_make.out before RubyGems 2.2
//! │   /usr/bin/ruby -I … extconf.rb
//! │   creating Makefile
//! │   extconf failed, exit code 1                                        at its end, where it failed; the gem is then not installed
//! ```
//!
//! A hit proves that the gem's `extconf.rb` (or Rakefile, or `configure`) was run in this gem home, also where the install failed and no gemspec
//! is there. Not documented; read in what RubyGems 3.3 wrote.

use super::package;
use crate::{
    ecosystem::gem::package_of,
    fact::{Fact, Placement, ScriptOutcome},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

/// Larger logs are those of compilers; how they end is then not known.
const FILE: usize = 4 << 20;

/// `extensions/*/*/*/gem_make.out`.
pub struct BuildLog;

static META: Meta = Meta {
    id: "ruby/build-log",
    title: "logs of gems that were built while they were installed",
    proves: "code of the gem ran while it was installed; not that the install succeeded",
};

impl Surface for BuildLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("gem_make.out")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some((name, version)) = package_of(&file.entry.path) else {
            return Ok(());
        };
        let at = file.mtime("mtime of gem_make.out");
        let outcome = match file.all(FILE) {
            Ok(bytes) if text(bytes).lines().any(is_failure) => ScriptOutcome::Failed,
            Ok(_) | Err(Flaw::TooLarge(_)) => ScriptOutcome::Started,
            Err(flaw) => return Err(flaw),
        };
        out.push(at.clone(), Fact::Package(package(&name, &version, Placement::Built)));
        out.push(at, Fact::InstallScript { name, version, folder: None, outcome });
        Ok(())
    }
}

/// `extconf failed, exit code 1`
fn is_failure(line: &str) -> bool {
    line.trim().split_once(" failed, ").is_some_and(|(step, how)| !step.contains(' ') && how.starts_with("exit code "))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const HOME: &str = "h/.local/share/gem/ruby/3.1.0";

    fn read(path: &str, text: &[u8]) -> Vec<String> {
        let (said, flaw) = said(&BuildLog, path, text, &[]);
        assert!(flaw.is_none());
        said
    }

    #[test]
    fn a_log_says_that_code_ran_however_it_ended() {
        let path = format!("{HOME}/extensions/x86_64-linux/3.1.0/a-b-1.0/gem_make.out");
        let good = b"current directory: /x\nruby extconf.rb\ncreating Makefile\n".as_slice();
        assert_eq!(read(&path, good), ["package a-b 1.0 Built", "script a-b 1.0 Started"]);
        for bad in ["x\n\nextconf failed, exit code 1\n", "make failed, exit code 2"] {
            assert_eq!(read(&path, bad.as_bytes()), ["package a-b 1.0 Built", "script a-b 1.0 Failed"], "{bad}");
        }
        let old = format!("{HOME}/gems/a-b-1.0/ext/x/gem_make.out");
        assert_eq!(read(&old, good), ["package a-b 1.0 Built", "script a-b 1.0 Started"]);
        for odd in [b"".as_slice(), b"\0\xff", &vec![b'x'; FILE + 1]] {
            assert_eq!(read(&path, odd), ["package a-b 1.0 Built", "script a-b 1.0 Started"]);
        }
    }

    #[test]
    fn logs_elsewhere_are_left_alone() {
        for path in
            ["h/gem_make.out", "h/src/a-1.0/ext/gem_make.out", &format!("{HOME}/extensions/x/3.1.0/a/gem_make.out")]
        {
            assert_eq!(read(path, b"extconf failed, exit code 1"), [""; 0], "{path}");
        }
    }
}
