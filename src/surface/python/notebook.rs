//! Notebooks of Jupyter, JupyterLab, Colab, VS Code.
//!
//! ```text
//! {"cells": [{"cell_type": "code", "execution_count": 3,
//!   "metadata": {"execution": {"iopub.execute_input": "2026-03-24T11:00:00Z"}},
//!   "source": ["!pip install litellm==1.82.8\n"],               also `%pip`, `!{sys.executable} -m pip`, `%%bash` for a whole cell
//!   "outputs": [{"text": ["Successfully installed litellm-1.82.8\n"]}]}],
//!  "nbformat": 4}                                                nbformat 3: `worksheets`, `input`
//! ```
//!
//! A cell that pins a version names it, like any script. What pip said below the cell is its log: it was installed where the notebook
//! ran, which may have been another machine, since notebooks are passed on with their outputs. A cell without a version counts where
//! the notebook recorded when it ran. Documented in nbformat and in IPython ("Built-in magic commands").

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{
    FILE,
    include::{Includes, named_by_command},
    pin::{Pin, name_and_version},
};
use crate::{
    fact::{At, Command, CommandAction, Ecosystem, Fact, Package, Placement, Wanted},
    interest::Interest,
    shell::install_commands,
    surface::{Claim, CommandSource, Flaw, Meta, Opened, Sink, Surface},
    text::start,
};

const WHAT: &str = "notebook";
/// Cells that are looked at, and what is reported of one.
const CELLS: usize = 20_000;
const TOLD: usize = 200;
/// What is read of a cell's code, and of its outputs.
const CODE: usize = 64 << 10;
const OUTPUT: usize = 1 << 20;
const INSTALLED: &str = "Successfully installed ";

/// `*.ipynb`.
pub struct Notebook;

static META: Meta = Meta {
    id: "python/notebook",
    title: "notebooks that install Python packages",
    proves: "a cell names the version, or pip said that it installed it; not that it did so on this machine",
};

impl Surface for Notebook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Notebook
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".ipynb")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the notebook");
        let interest = file.interest;
        let bytes = file.all(FILE)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // Nearly all notebooks install nothing, and pictures make them large.
        if !["install", "uv add", "Installed"].iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
        {
            return Ok(());
        }
        let notebook: Document = serde_json::from_slice(bytes).map_err(|_| Flaw::malformed(WHAT, "not its JSON"))?;
        let mut includes = Includes::new(out);
        let older = notebook.worksheets.into_iter().flat_map(|sheet| sheet.cells);
        for (number, cell) in (1..).zip(notebook.cells.into_iter().chain(older).take(CELLS)) {
            if cell.cell_type == "code" {
                cell.report(number, at.as_ref(), interest, &mut includes, out);
            }
        }
        includes.end(out);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    cells: Vec<Cell>,
    #[serde(default)]
    worksheets: Vec<Sheet>,
}

#[derive(Deserialize)]
struct Sheet {
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    cell_type: String,
    #[serde(default, alias = "input", deserialize_with = "joined")]
    source: String,
    #[serde(default)]
    outputs: Vec<Output>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default, deserialize_with = "joined")]
    text: String,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    execution: serde_json::Value,
}

/// A text, or a list of its lines; anything else is nothing.
fn joined<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(lines) => lines.iter().filter_map(|l| l.as_str()).collect(),
        _ => String::new(),
    })
}

impl Cell {
    fn report(self, number: usize, at: Option<&At>, interest: &Interest, includes: &mut Includes, out: &mut Sink<'_>) {
        let inner = format!("cell {number}");
        let ran =
            self.metadata.execution.get("iopub.execute_input").and_then(|t| t.as_str()?.parse::<Timestamp>().ok());
        let ran = ran.map(|time| At::new(time, "time in the notebook"));
        let code = start(&self.source, CODE);
        let text = shell_commands(code);
        named_by_command(&text).iter().for_each(|file| includes.add(file));
        for mut command in install_commands(&text).into_iter().take(TOLD) {
            command.wanted.retain(|w| w.ecosystem == Ecosystem::Pypi);
            if command.action == CommandAction::Uninstall {
                continue;
            }
            for pin in command.wanted.iter().filter_map(|w| Pin::new(&w.name, w.pinned.as_deref()?)) {
                let package = Package {
                    ecosystem: Ecosystem::Pypi,
                    name: pin.name.into(),
                    version: pin.version.into(),
                    placement: Placement::Listed,
                    requires: [].into(),
                    artifacts: pin.artifacts,
                };
                out.push_at(Some(&inner), None, at.cloned(), Fact::Package(package));
            }
            // Without a version only the time shows which one it took.
            command.wanted.retain(|w| w.pinned.is_none());
            if ran.is_some() && !command.wanted.is_empty() {
                out.push_at(Some(&inner), None, ran.clone(), Fact::Command(command));
            }
        }
        let mut left = OUTPUT;
        for output in self.outputs {
            let said = start(&output.text, left);
            left -= said.len();
            let wanted: Vec<Wanted> = said
                .lines()
                .filter_map(|l| l.trim().strip_prefix(INSTALLED))
                .flat_map(str::split_whitespace)
                .filter_map(|word| installed(word, interest))
                .take(TOLD)
                .collect();
            if !wanted.is_empty() {
                let command = Command::for_packages("pip", CommandAction::Install, wanted);
                out.push_at(Some(&inner), None, ran.clone().or_else(|| at.cloned()), Fact::Command(command));
            }
        }
    }
}

/// `litellm-1.82.8` of pip's last line, where somebody asks about the package.
fn installed(word: &str, interest: &Interest) -> Option<Wanted> {
    let (name, version) = name_and_version(&format!("{word}.tar.gz")).map(|(n, v)| (n.to_owned(), v.to_owned()))?;
    let pin = Pin::new(&name, &version)?;
    interest.knows_package(Ecosystem::Pypi, &pin.name).then(|| Wanted {
        ecosystem: Ecosystem::Pypi,
        name: pin.name.into(),
        pinned: Some(pin.version.into()),
        specifier: "".into(),
    })
}

/// The shell commands of a cell, one per line.
pub(in crate::surface) fn shell_commands(code: &str) -> String {
    let first = code.trim_start().lines().next().unwrap_or_default();
    let magic = first.strip_prefix("%%").map(|m| m.split_whitespace().collect::<Vec<_>>());
    if let Some(words) = magic {
        let shell = match words.as_slice() {
            ["bash" | "sh" | "zsh" | "!" | "sx" | "system", ..] => true,
            ["script", rest @ ..] => rest.iter().any(|w| matches!(w.rsplit('/').next(), Some("bash" | "sh" | "zsh"))),
            _ => false,
        };
        if shell {
            return code.trim_start().lines().skip(1).collect::<Vec<_>>().join("\n");
        }
        // `%%writefile`, `%%html` and the like hand the cell to something else.
        if !matches!(words.first(), Some(&("capture" | "time" | "timeit" | "prun"))) {
            return String::new();
        }
    }
    let (mut text, mut goes_on) = (String::new(), false);
    // Without its mark a magic is one only where it is all of the cell.
    let is_alone = code.trim().lines().count() == 1;
    for line in code.lines() {
        let command = if goes_on { Some(line) } else { shell_line(line, is_alone) };
        goes_on = command.is_some_and(|c| c.trim_end().ends_with('\\'));
        if let Some(command) = command {
            text.push_str(&command.replace("{sys.executable}", "python"));
            text.push('\n');
        }
    }
    text
}

/// What a line of IPython hands to a shell: `!pip …`, `out = !pip …`, `%pip …`, and `pip …`, which it takes for `%pip` where
/// nothing else is in the cell.
fn shell_line(line: &str, is_alone: bool) -> Option<&str> {
    let line = line.trim();
    let line = line.split_once("= !").filter(|(name, _)| !name.contains(['"', '\''])).map_or(line, |(_, rest)| rest);
    if let Some(rest) = line.strip_prefix('!') {
        return Some(rest.trim_start_matches('!'));
    }
    let magic = line.strip_prefix('%').unwrap_or(line);
    let magic = ["sx ", "system "].iter().find_map(|m| magic.strip_prefix(m)).unwrap_or(magic);
    let tool = magic.split_whitespace().next().unwrap_or_default();
    let verb = magic.split_whitespace().nth(1).unwrap_or_default();
    let known = matches!(tool, "pip" | "pip3" | "uv" | "conda" | "mamba" | "micromamba");
    (known && (line.starts_with('%') || (is_alone && verb == "install"))).then_some(magic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Origin, Seen, TreePath},
        tree::{Body, Entry},
    };

    fn read(text: &str) -> (Vec<String>, usize) {
        let path = TreePath::new(b"p/a.ipynb").unwrap();
        let len = u64::try_from(text.len()).unwrap();
        let entry = Entry { path: path.clone(), len, mtime: None, btime: None, uid: None, gid: None, mode: None };
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Pypi, "litellm");
        let (mut source, mut seen, mut gaps) = (text.as_bytes(), Vec::new(), 0);
        let (mut keep, mut gap) = (|s: Seen| seen.push(s), |_| gaps += 1);
        let mut sink = Sink::new("test", Origin::file(&"t".into(), path), &entry, &mut keep, &mut gap);
        let mut body = Body::stream(&mut source, len);
        let flaw = Notebook.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink).is_err();
        let show = |s: &Seen| {
            let place = s.origin.inner.as_deref().unwrap_or("-").to_owned();
            match &s.fact {
                Fact::Package(p) => format!("{place}: names {} {}", p.name, p.version),
                Fact::Command(c) => {
                    let wanted = c.wanted.iter().map(|w| format!("{}@{}", w.name, w.pinned.as_deref().unwrap_or("?")));
                    let at = s.at.as_ref().map_or(String::new(), |at| format!(" at {}", at.time));
                    format!("{place}: took {}{at}", wanted.collect::<Vec<_>>().join(" "))
                }
                Fact::Includes { file, .. } => format!("{place}: reads {}", file.text()),
                other => panic!("{other:?}"),
            }
        };
        (seen.iter().map(show).collect(), gaps + usize::from(flaw))
    }

    fn code(source: &str) -> Vec<String> {
        let cell = serde_json::json!({"cells": [{"cell_type": "code", "source": source}]});
        let (found, gaps) = read(&cell.to_string());
        assert_eq!(gaps, 0);
        found
    }

    #[test]
    fn cells_that_install() {
        for source in [
            "!pip install litellm==1.82.8",
            "%pip install -q 'litellm==1.82.8'",
            "import sys\n!{sys.executable} -m pip install litellm==1.82.8",
            "out = !pip install litellm==1.82.8",
            "pip install litellm==1.82.8",
            "%%bash\nset -e\npip install litellm==1.82.8",
            "%%script bash\npip install litellm==1.82.8",
            "!pip install \\\n  litellm==1.82.8",
            "!uv pip install --system litellm==1.82.8",
            "%%capture\n!pip install litellm==1.82.8",
        ] {
            assert_eq!(code(source), ["cell 1: names litellm 1.82.8"], "{source}");
        }
        assert_eq!(code("!pip install -r deps/base.txt"), ["-: reads /p/deps/base.txt"]);
    }

    #[test]
    fn cells_that_name_it_only() {
        for source in [
            "# !pip install litellm==1.82.8",
            "print('pip install litellm==1.82.8')",
            "!pip install 'litellm!=1.82.8'",
            "!pip uninstall litellm==1.82.8",
            "!echo pip install litellm==1.82.8",
            "%%writefile x.sh\npip install litellm==1.82.8",
            "%%html\n!pip install litellm==1.82.8",
            "!pip install litellm",
            "pip = 'install litellm==1.82.8'",
        ] {
            assert_eq!(code(source), [""; 0], "{source}");
        }
        let note = r#"{"cells": [{"cell_type": "markdown", "source": "pip install litellm==1.82.8"}]}"#;
        assert_eq!(read(note), (vec![], 0));
    }

    #[test]
    fn what_pip_said_and_when() {
        let text = r#"{"cells": [{"cell_type": "code", "execution_count": 1, "source": ["!pip install litellm\n"],
            "metadata": {"execution": {"iopub.execute_input": "2026-03-24T11:00:00Z"}},
            "outputs": [{"output_type": "stream", "text": ["Collecting litellm\n", "Successfully installed aiohttp-3.9 litellm-1.82.8\n"]},
                        {"output_type": "display_data", "data": {"image/png": "x"}}]}]}"#;
        let want =
            ["cell 1: took litellm@? at 2026-03-24T11:00:00Z", "cell 1: took litellm@1.82.8 at 2026-03-24T11:00:00Z"];
        assert_eq!(read(text), (want.map(str::to_owned).to_vec(), 0));
        let old = r#"{"worksheets": [{"cells": [{"cell_type": "code", "input": ["!pip install litellm==1.82.8"]}]}]}"#;
        assert_eq!(read(old).0, ["cell 1: names litellm 1.82.8"]);
    }

    #[test]
    fn odd_files_do_no_harm() {
        assert_eq!(read("not JSON, install"), (vec![], 1));
        assert_eq!(read("not JSON"), (vec![], 0));
        assert_eq!(read(&format!("{}install", "[".repeat(100_000))).1, 1);
        for text in [
            r#"{"cells": [{"cell_type": "code", "source": {"install": 1}, "outputs": [{"text": 1}], "metadata": {"execution": 1}}]}"#,
            r#"{"install": []}"#,
            r#"{"cells": [{"source": "!pip install litellm==1.82.8"}]}"#,
        ] {
            assert_eq!(read(text), (vec![], 0), "{text}");
        }
        assert_eq!(code(&"!pip install litellm==1.82.8\n".repeat(100_000)).len(), TOLD);
    }
}
