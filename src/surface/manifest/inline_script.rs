//! Scripts that carry their own requirements (PEP 723), in folders called `bin`.
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
//! Scripts elsewhere are left alone: to open every `.py` of a machine would cost more than all the rest; those that uv locked
//! have a `*.py.lock`. A hit proves that the script asks for the version; not that it was run. Documented under "Inline script
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
const HEAD: usize = 16 << 10;

/// `bin/*` with `# /// script`.
pub struct InlineScript;

static META: Meta = Meta {
    id: "python/inline-script",
    title: "scripts with their own requirements, in bin folders",
    proves: "the script asks for the version; not that it was run",
};

impl Surface for InlineScript {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::any().in_tail("bin").plain()]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "# /// script")).then_some("bin/*")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !matches!(file.head(2)?, b"#!" | b"# ") {
            return Ok(());
        }
        let at = file.mtime("mtime of the script");
        let text = text(file.head(HEAD)?);
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
    fn what_is_no_block() {
        for text in [
            "#!/bin/sh\n# dependencies = [\"litellm==1.82.8\"]\n",
            "#!/x\n# /// script\n# dependencies = [\"litellm==1.82.8\"]\n",
            "#!/x\n# /// script\ndependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// pyproject\n# dependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// script\n# # dependencies = [\"litellm==1.82.8\"]\n# ///\n",
            "#!/x\n# /// script\n# dependencies = [\"litellm!=1.82.8\"]\n# ///\n",
            "import x\n# /// script\n",
            "",
        ] {
            assert_eq!(pins(text), (vec![], 0), "{text}");
        }
        assert_eq!(pins("#!/x\n# /// script\n# dependencies = [\n# ///\n"), (vec![], 1));
    }
}
