//! Scripts that carry their own requirements (PEP 723).
//!
//! ```text
//! #!/usr/bin/env -S uv run --script
//! # /// script
//! # requires-python = ">=3.12"
//! # dependencies = ["litellm==1.82.8"]
//! # ///
//! ```
//!
//! Run by `uv run`, `pipx run`, `hatch run` and `pdm run`, which make an environment for them (`python/dist-info` finds that one).
//!
//! ```text
//! ~/.local/bin/*, /usr/local/bin/*     of any name
//! ~/tools/run.py, ./scripts/run        `*.py`, and names without a dot, in somebody's own work, but for folders of packages
//! ```
//!
//! Not read are the modules of packages (a folder with `__init__.py`), what is installed, and what lies in hidden folders and in those
//! of the system: nobody keeps scripts there, and they are nearly all `.py` files of a machine. Scripts that uv locked have a
//! `*.py.lock` too. A hit proves that the script asks for the version; not that it was run. Documented under "Inline script
//! metadata" of packaging.python.org.

use std::fmt::Write as _;

use super::{
    listing::{Listing, numbered, text},
    pyproject::Pins,
    toml_doc::{Lines, parse, table},
};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::has_line},
};

/// The block stands at the top.
const HEAD: usize = 8 << 10;
/// It ends within this.
const BLOCK: usize = 64 << 10;
const START: &[u8] = b"# /// script";

/// `bin/*` and `*.py` with `# /// script`.
pub struct InlineScript;

/// Of this surface.
pub static META: Meta = Meta {
    id: "python/inline-script",
    title: "scripts with their own requirements",
    proves: "the script asks for the version; not that it was run",
};

impl Surface for InlineScript {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let work = [".py", ".pyw"].map(|end| Claim::suffix(end).without_links().in_own_work().without("__init__.py"));
        let bare = Claim::no_ending().without_links().in_own_work().among_few();
        [Claim::any().in_tail("bin").without_links(), bare].into_iter().chain(work).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "# /// script")).then_some("bin/*")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let script = file.entry.path.name().ends_with(b".py") || matches!(file.head(2)?, b"#!" | b"# ");
        if !script || memchr::memmem::find(file.head(HEAD)?, START).is_none() {
            return Ok(());
        }
        let at = file.mtime("mtime of the script");
        let text = text(file.head(BLOCK)?);
        let Some((block, before)) = block(&text) else {
            return Ok(());
        };
        let document = parse(&block, "script metadata")?;
        let mut listing = Listing::new(out, at);
        let mut pins = Pins { lines: Lines::new(&block, before), listing: &mut listing };
        pins.list(Some(&document), "dependencies");
        let uv = table(&document, "tool").and_then(|t| table(t, "uv"));
        for key in ["constraint-dependencies", "override-dependencies"] {
            pins.list(uv, key);
        }
        Ok(())
    }
}

/// The TOML of the block, and the lines before it; `None` where there is none, or where it has no end.
fn block(text: &str) -> Option<(String, u32)> {
    let mut lines = numbered(text).map(|(number, line)| (number, line.trim_end()));
    let (before, _) = lines.find(|(_, line)| *line == "# /// script")?;
    let mut block = String::new();
    for (_, line) in lines {
        if line == "# ///" {
            return Some((block, before));
        }
        let content = line.strip_prefix('#')?;
        let _ = writeln!(block, "{}", content.strip_prefix(' ').unwrap_or(content));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&InlineScript, "h/bin/tool", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn a_block_is_read_with_its_lines() {
        let text = "#!/usr/bin/env -S uv run --script\n#\n# /// script\n# dependencies = [\n#   \"litellm==1.82.8\", # why\n#   \
                    \"x>=1\",\n# ]\n#\n# [tool.uv]\n# override-dependencies = [\"litellm==1.82.7\"]\n# ///\nimport litellm\n";
        assert_eq!(pins(text), (vec!["litellm 1.82.8@5".to_owned(), "litellm 1.82.7@10".to_owned()], 0));
        assert_eq!(pins(&text.replace('\n', "\r\n")).0.len(), 2);
    }

    #[test]
    fn scripts_stand_in_bin_folders_and_in_own_work() {
        use super::super::super::FileMatch;
        let claims = InlineScript.claims(&Interest::default());
        let claimed = |folder: &str, name: &str| {
            let fits = |c: &&Claim| c.file.fits(name.as_bytes()) && c.folder.fits(folder.as_bytes());
            claims.iter().find(fits).map(|c| c.file != FileMatch::Any)
        };
        assert_eq!(claimed("home/a/.local/bin", "tool"), Some(false));
        assert_eq!(claimed("home/a/tools", "run.py"), Some(true));
        assert_eq!(claimed("home/a/v/lib/python3.11/site-packages/x", "run.py"), None);
        assert_eq!(claimed("home/a/tools", "run"), Some(true));
        assert_eq!(claimed("home/a/tools", "run.sh"), None);
        let text = "\"\"\"Does things.\"\"\"\n# /// script\n# dependencies = [\n#   'litellm==1.82.8',\n# ]\n# ///\n";
        assert_eq!(read(&InlineScript, "h/tools/run.py", text.as_bytes()).pins, ["litellm 1.82.8@4"]);
        let deep = format!("{}# /// script\n# dependencies = ['litellm==1.82.8']\n# ///\n", "x = 1\n".repeat(2000));
        assert_eq!(read(&InlineScript, "h/tools/run.py", deep.as_bytes()).pins, [""; 0]);
    }

    #[test]
    fn what_is_no_block() {
        for text in [
            "#!/bin/sh\n# dependencies = [\"litellm==1.82.8\"]\n",
            "#!/x\n# /// script\n# dependencies = [\"litellm==1.82.8\"]\n",
            "#!/x\n# /// script\ndependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// pyproject\n# dependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// script\n# # dependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// script\n# dependencies = [\"litellm!=1.82.8\"]\n# ///\n",
            "import x\n# /// script\n",
            "import x\nprint('# /// script')\n",
            "",
        ] {
            assert_eq!(pins(text), (vec![], 0), "{text}");
        }
        assert_eq!(pins("#!/x\n# /// script\n# dependencies = [\n# ///\n"), (vec![], 1));
    }
}
