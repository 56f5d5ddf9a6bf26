use super::*;
use crate::fact::CommandAction::{self, *};

fn show(commands: &[Command]) -> Vec<String> {
    let one = |c: &Command| {
        let specs = c.wanted.iter().map(|w| match &w.pinned {
            Some(version) => format!("{}@{version}", w.name),
            None => format!("{}{}", w.name, w.specifier),
        });
        let action = if c.action == Install { String::new() } else { format!("{:?} ", c.action) };
        format!("{}: {action}{}", c.tool, specs.collect::<Vec<_>>().join(" "))
    };
    commands.iter().filter(|c| c.action != Start).map(one).collect()
}

/// That a text is one command, shown as `tool: name@version`.
fn reads(text: &str, expected: &str) {
    assert_eq!(show(&install_commands(text)), [expected], "{text}");
}

fn nothing(text: &str) {
    assert!(install_commands(text).is_empty(), "{text}: {:?}", show(&install_commands(text)));
}

#[test]
fn pip_in_all_its_spellings() {
    for program in [
        "pip",
        "pip3",
        "pip3.12",
        "./venv/bin/pip",
        "/usr/bin/pip3",
        "python -m pip",
        "python3.12 -m pip",
        "py -3.12 -m pip",
        "python3 -Im pip",
        "python3 -X utf8 -m pip",
        "python -mpip",
        "pipx runpip venv",
        "pip --no-cache-dir --proxy http://x",
        "'pip'",
        "\\pip",
        "~/v/bin/python -m pip",
        "python.exe -m pip",
        "python -u -W ignore -m pip",
    ] {
        let tool = "pip";
        reads(&format!("{program} install litellm==1.82.8"), &format!("{tool}: litellm@1.82.8"));
    }
}

#[test]
fn pip_options_are_no_packages() {
    reads(
        "pip install -U --pre -i https://u:p@registry.example/simple --extra-index-url x --index-url=y -t dir --target d \
         -c cons -r req -e editable --no-binary foo --python x --group g -qf links 'litellm[proxy]>=1.80,!=1.82.7' requests",
        "pip: litellm>=1.80,!=1.82.7 requests",
    );
    reads("pip install litellm -i litellm2", "pip: litellm");
    reads("pip download -d out --platform linux litellm==1.82.8", "pip: Download litellm@1.82.8");
    reads("pip wheel -w out litellm", "pip: Download litellm");
    reads("pip uninstall -y litellm", "pip: Uninstall litellm");
    reads("pip install https://registry.example/a/litellm-1.82.8-py3-none-any.whl", "pip: litellm@1.82.8");
    reads("pip install litellm>=1.80", "pip: litellm");
}

#[test]
fn commands_that_install_nothing() {
    for text in [
        "grep litellm",
        "echo pip install litellm",
        "pip show litellm",
        "pip list",
        "pip install -r requirements.txt",
        "pip install .",
        "pip install -e .",
        "# pip install litellm",
        "ls # ; pip install litellm",
        "alias p='pip install litellm'",
        "cat <<EOF\npip install litellm\nEOF",
        "python -c 'pip install litellm'",
        "pip install git+https://registry.example/litellm",
        "pip install $PKG",
        "pip",
        "pip install",
        "command -v pip install x",
        "python script.py -m pip install litellm",
        "which pip install",
        "man pip",
        "git commit -m 'pip install litellm'",
        "A=(pip install litellm)",
        "pip freeze | grep litellm",
        "pip index versions litellm",
        "pip config set install.x litellm",
        "conda env create -f x.yml",
        "uv sync",
        "uv pip compile litellm.in",
        "uv python install 3.12",
        "poetry install litellm",
        "pipx list",
        "uv run litellm",
        "docker pull litellm",
        "docker run litellm",
        "docker build -t litellm .",
        "ssh host",
        "sudo",
        "bash -c",
        "bash install.sh",
        "brew info litellm",
        "pip install \"$(cat x)\"",
        "apt install python3-litellm",
        "pip install --help litellm",
        "pip install -h litellm",
        "pip help install litellm",
        "$BREW install litellm",
        "$(brew --prefix)/x install litellm",
        "$X litellm",
        "$",
        "tmux ls",
        "tmux send-keys -t x 'grep litellm'",
        "find . -name pip -o -name install -name litellm",
        "find . -exec grep litellm {} +",
        "watch pip show litellm",
        "script pip install litellm",
        "gcloud compute ssh pip install litellm",
        "mise install litellm",
        "pyenv install litellm",
        "pixi exec pip",
        "pixi search litellm",
        "rye show litellm",
        "",
    ] {
        nothing(text);
    }
}

#[test]
fn uv() {
    for (text, expected) in [
        ("uv pip install --system --python 3.12 -p x litellm==1.82.8", "uv: litellm@1.82.8"),
        ("uv pip install --no-binary x litellm", "uv: litellm"),
        ("uv --directory d pip uninstall litellm", "uv: Uninstall litellm"),
        ("uv add --dev --group g --script f.py 'litellm>=1'", "uv: litellm>=1"),
        ("uv add --no-binary litellm", "uv: litellm"),
        ("uv remove litellm", "uv: Uninstall litellm"),
        ("uv tool install litellm@1.82.8 --with a --with 'b>=1,<2,c[x,y]'", "uv: litellm@1.82.8 a b>=1,<2 c"),
        ("uv tool install --from litellm==1.82.8 litellm", "uv: litellm@1.82.8"),
        ("uv tool upgrade litellm", "uv: litellm"),
        ("uv tool uninstall litellm", "uv: Uninstall litellm"),
        ("uv tool run litellm@1.82.8 --config x", "uv: Run litellm@1.82.8"),
        ("uvx litellm@latest --with y", "uvx: Run litellm"),
        ("uvx --python 3.12 --from 'litellm[proxy]==1.82.8' litellm serve", "uvx: Run litellm@1.82.8"),
        ("uvx --with litellm==1.82.8 httpie get x", "uvx: Run httpie litellm@1.82.8"),
        ("uv run --with litellm==1.82.8 -m app litellm2", "uv: Run litellm@1.82.8"),
        ("uv run --project p pip install litellm", "pip: litellm"),
        ("uv lock --upgrade-package litellm", "uv: Resolve litellm"),
        ("uv lock -P litellm==1.82.8", "uv: Resolve litellm@1.82.8"),
        ("uv sync -P litellm==1.82.8", "uv: litellm@1.82.8"),
        ("uv pip compile -P litellm==1.82.8 x.in", "uv: Resolve litellm@1.82.8"),
        ("uv add --frozen litellm==1.82.8", "uv: Resolve litellm@1.82.8"),
        ("uv pip install --dry-run litellm==1.82.8", "uv: Resolve litellm@1.82.8"),
        ("python -m uv pip install litellm", "uv: litellm"),
    ] {
        reads(text, expected);
    }
}

#[test]
fn other_python_tools() {
    for (text, expected) in [
        ("pipx install --python 3.12 litellm==1.82.8 --pip-args '-i x'", "pipx: litellm@1.82.8"),
        ("pipx run litellm==1.82.8 --model x", "pipx: Run litellm@1.82.8"),
        ("pipx run --spec litellm==1.82.8 app", "pipx: Run litellm@1.82.8"),
        ("pipx inject env litellm", "pipx: litellm"),
        ("pipx upgrade litellm", "pipx: litellm"),
        ("pipx uninstall litellm", "pipx: Uninstall litellm"),
        ("poetry add -G dev litellm@^1.82 requests", "poetry: litellm>=1.82,<2 requests"),
        ("poetry add litellm==1.82.8 --source s", "poetry: litellm@1.82.8"),
        ("poetry self add litellm", "poetry: litellm"),
        ("poetry remove litellm", "poetry: Uninstall litellm"),
        ("pdm add -dG test litellm", "pdm: litellm"),
        ("pdm remove litellm", "pdm: Uninstall litellm"),
        ("pipenv install --dev --python 3.12 litellm~=1.82.0", "pipenv: litellm~=1.82.0"),
        ("pipenv uninstall litellm", "pipenv: Uninstall litellm"),
        ("conda install -y -n e -c conda-forge conda-forge::litellm=1.82.8", "conda: litellm@1.82.8"),
        ("mamba create -n e python=3.12 litellm", "mamba: python==3.12.* litellm"),
        ("micromamba remove -n e litellm", "micromamba: Uninstall litellm"),
        ("conda install --download-only litellm", "conda: Download litellm"),
        ("conda run -n e pip install litellm", "pip: litellm"),
        ("easy_install -i x litellm", "easy_install: litellm"),
        ("rye add litellm==1.82.8 --dev", "rye: litellm@1.82.8"),
        ("rye install litellm", "rye: litellm"),
        ("rye remove litellm", "rye: Uninstall litellm"),
        ("pixi add litellm=1.82.8", "pixi: litellm@1.82.8"),
        ("pixi add --pypi 'litellm[proxy]==1.82.8'", "pixi: litellm@1.82.8"),
        ("pixi add -f dev litellm", "pixi: litellm"),
        ("pixi global install litellm", "pixi: litellm"),
        ("pixi remove litellm", "pixi: Uninstall litellm"),
        ("$(which pip) install litellm==1.82.8", "pip: litellm@1.82.8"),
        ("uvx litellm@1.82.8 --help", "uvx: Run litellm@1.82.8"),
    ] {
        reads(text, expected);
    }
}

#[test]
fn prefixes_and_shells_around_a_command() {
    for text in [
        "sudo -E -H -u x pip install litellm",
        "sudo -Hu x A=b pip install litellm",
        "sudo --user=x -- pip install litellm",
        "env -u X A=b B='c d' pip install litellm",
        "A=b B=$(date) pip install litellm",
        "time -p nohup pip install litellm &",
        "command pip install litellm",
        "exec nice -n 5 pip install litellm",
        "timeout -k 5 60 pip install litellm",
        "bash -c 'cd x && pip install litellm'",
        "bash -lc \"pip install litellm\"",
        "/bin/sh -o pipefail -ec 'pip install litellm' arg",
        "sudo bash -c \"sh -c 'pip install litellm'\"",
        "docker exec -it c pip install litellm",
        "docker exec -u root -w /x c bash -c 'pip install litellm'",
        "docker run --rm -it -v a:b --network host python:3.12 pip install litellm",
        "docker compose -f x.yml exec app pip install litellm",
        "podman container exec c pip install litellm",
        "kubectl exec -it pod -- pip install litellm",
        "ssh -p 22 -i key u@host pip install litellm",
        "ssh host 'cd x; pip install litellm'",
        "cd x; if true; then pip install litellm; fi",
        "{ pip install litellm; }",
        "(. venv/bin/activate && pip install litellm)",
        "x=$(pip install litellm)",
        "yes | pip install litellm 2>&1 | tee log",
        "poetry run pip install litellm",
        "eval 'pip install litellm'",
        "su - u -c 'pip install litellm'",
        "cat <<EOF > r.txt\nlitellm\nEOF\npip install litellm",
        "pip install \\\r\n  litellm",
        "and pip install litellm",
        "! pip install litellm",
        "!pip install litellm",
        "%pip install litellm",
        "tmux new-session -d -s x 'pip install litellm'",
        "tmux -L sock new -d pip install litellm",
        "tmux send-keys -t x 'pip install litellm'",
        "screen -dmS x pip install litellm",
        "pyenv exec pip install litellm",
        "asdf exec pip install litellm",
        "mise exec python@3.12 -- pip install litellm",
        "direnv exec . pip install litellm",
        "rye run pip install litellm",
        "pixi run -e dev pip install litellm",
        "proxychains4 -q pip install litellm",
        "systemd-run --user -p A=b pip install litellm",
        "lxc exec c1 -- pip install litellm",
        "wsl -d Debian pip install litellm",
        "nix-shell -p python3 --run 'pip install litellm'",
        "srun --pty -p gpu pip install litellm",
        "watch -n 5 pip install litellm",
        "watch 'pip install litellm'",
        "apptainer exec -B a:b img.sif pip install litellm",
        "singularity exec img.sif pip install litellm",
        "strace -f -o log pip install litellm",
        "flock /tmp/lock pip install litellm",
        "find . -name bin -exec {}/pip install litellm \\;",
        "vagrant ssh -c 'pip install litellm'",
        "gcloud compute ssh vm --zone z --command='pip install litellm'",
        "ansible all -a 'pip install litellm'",
        "script -c 'pip install litellm' log",
        "$PIP install litellm",
        "${PIP:-pip3} install litellm",
        "$VENV/bin/pip install litellm",
        "${PYTHON:-python3} -m pip install litellm",
        "$(which python3) -m pip install litellm",
    ] {
        reads(text, "pip: litellm");
    }
}

#[test]
fn several_commands_in_one_text() {
    let found = install_commands("pip install a && uv add b; pip uninstall c\nuvx d");
    assert_eq!(show(&found), ["pip: a", "uv: b", "pip: Uninstall c", "uvx: Run d"]);
}

#[test]
fn a_shell_runs_the_here_document_that_it_reads() {
    for start in [
        "bash <<EOF",
        "sudo -u al bash -ex <<'EOF'",
        "bash -s -- a b <<EOF",
        "sh -o pipefail <<EOF",
        "ssh -p 22 al@host <<EOF",
        "ssh host 'bash -s' <<EOF",
        "ssh host sudo bash <<EOF 2>&1 | tee log",
        "docker exec -i c bash <<EOF",
        "su - al <<EOF",
        "cd x && bash <<EOF",
        "bash -c 'ls; bash' <<EOF",
        "cat <<A; bash <<EOF\npip install a\nA",
        "bash <<O\nbash <<EOF",
    ] {
        reads(&format!("{start}\nset -e\npip install litellm\nEOF\n"), "pip: litellm");
    }
    for start in [
        "cat > x.sh <<EOF",
        "bash x.sh <<EOF",
        "bash -x x.sh <<EOF",
        "bash -c 'cat' <<EOF",
        "ssh host cat <<EOF",
        "python3 - <<EOF",
        "cat <<EOF | grep x; bash",
        "bash <<O\ncat <<EOF",
    ] {
        let found = install_commands(&format!("{start}\npip install litellm\nEOF\n"));
        assert_eq!(show(&found), [""; 0], "{start}");
    }
    // It is read once, whoever asks.
    let many = format!("bash -c '{}' <<EOF\n{}EOF\n", "bash;".repeat(5000), "pip install x\n".repeat(2000));
    assert_eq!(install_commands(&many).len(), 2000);
}

#[test]
fn steps_of_an_image() {
    let one = ["pip: litellm@1.82.8"];
    for text in [
        "/bin/sh -c pip install litellm==1.82.8",
        "RUN /bin/sh -c pip install litellm==1.82.8 # buildkit",
        "RUN |1 ARG=x /bin/sh -c pip install litellm==1.82.8 # buildkit",
        "|2 A=b c D=e /bin/sh -c set -eux;   pip install --no-cache-dir   litellm==1.82.8",
        "|1 A=b pip install litellm==1.82.8",
        "RUN [\"pip\",\"install\",\"litellm==1.82.8\"]",
        "RUN [\"/bin/sh\", \"-c\", \"pip install litellm==1.82.8\"]",
        "pip install litellm==1.82.8",
        "RUN pip install litellm==1.82.8",
        "RUN --mount=type=cache,target=/root/.cache pip install litellm==1.82.8",
        "/bin/bash -o pipefail -c pip install 'litellm==1.82.8'",
        "/bin/bash -eo pipefail -c pip install 'litellm==1.82.8' && rm -rf x",
        "/bin/sh -c apt-get update     && pip install litellm==1.82.8     && rm -rf /x",
        "RUN /bin/sh -c cat <<EOF > x\npip install y\nEOF\npip install litellm==1.82.8 # buildkit",
    ] {
        assert_eq!(show(&from_image_history(text)), one, "{text}");
    }
}

#[test]
fn steps_of_an_image_that_run_nothing() {
    for text in [
        "/bin/sh -c #(nop) COPY file:0 in /pip install x",
        "/bin/sh -c #(nop)  CMD [\"pip\" \"install\" \"litellm\"]",
        "COPY x y # buildkit",
        "ENV A=$(pip install litellm)",
        "CMD [\"pip\" \"install\" \"litellm\"]",
        "ENTRYPOINT [\"pip\",\"install\",\"litellm\"]",
        "LABEL x=; pip install litellm",
        "ONBUILD RUN pip install litellm",
        "",
        "RUN",
        "|",
        "|9 a",
        "|99999999999999999999999 a b",
        "/bin/sh -c",
        "RUN []",
        "RUN [\"pip\"",
    ] {
        assert!(from_image_history(text).is_empty(), "{text}");
    }
}

#[test]
fn no_secret_rides_along() {
    let secrets = "TOKEN=hunter2 pip install --index-url https://hunter2@registry.example/simple --proxy hunter2 \
                   litellm@hunter2 'litellm==hunter2;x' 'a @ https://hunter2@registry.example/a.zip' 'b==1,hunter2' $hunter2";
    assert!(!format!("{:?}", install_commands(secrets)).contains("hunter2"));
    reads("pip install 'litellm==1.82.8\u{1b}[2J'", "pip: litellm");
}

#[test]
fn hostile_texts_end_without_a_panic() {
    let nested = (0..12).fold("pip install x".to_owned(), |t, _| format!("bash -c {t:?}"));
    assert!(install_commands(&nested).is_empty(), "shells in shells are followed to a limit");
    for piece in [
        "sudo ",
        "uv run ",
        "env -",
        "docker run ",
        "ssh h ",
        "bash -c ",
        "$(pip install ",
        "eval ",
        "pip install \"",
        "((",
        "é\u{0}",
    ] {
        install_commands(&piece.repeat(5000));
        from_image_history(&piece.repeat(5000));
    }
    let many = format!("pip install {}", "x ".repeat(30_000));
    assert_eq!(install_commands(&many).len(), 1);
}

#[test]
fn actions_fit() {
    let action = |t: &str| install_commands(t).first().map(|c| c.action);
    let expected: [(&str, CommandAction); 3] = [("uvx x", Run), ("pip wheel x", Download), ("pip install x", Install)];
    for (text, wanted) in expected {
        assert_eq!(action(text), Some(wanted));
    }
}

#[test]
fn variables_with_their_values_beside_them() {
    let cut = |text: &str| {
        let commands = words::simple_commands(text, &mut Variables::default());
        commands.iter().map(|c| c.words.join("|")).collect::<Vec<_>>()
    };
    assert_eq!(cut("V=1.2; a x==$V \"y==${V}\" '$V'"), ["V=1.2", "a|x==1.2|y==1.2|$V"]);
    assert_eq!(cut("export V=1.2 && a $(b $V)"), ["export|V=1.2", "b|1.2", "a|$"]);
    assert_eq!(cut("P='x y==1'; a $P \"$P\""), ["P=x y==1", "a|x|y==1|x y==1"]);
    // The shell expands before it sets.
    assert_eq!(cut("V=1.2 a $V"), ["V=1.2|a|$V"]);
    assert_eq!(cut("V=$(b); a $V"), ["b", "V=$", "a|$V"]);
    assert_eq!(cut("V=1; V=(1 2); a $V; unset V"), ["V=1", "V=", "a|$V", "unset|V"]);
    assert_eq!(cut("V=1; read V; a $V"), ["V=1", "read|V", "a|$V"]);
    assert_eq!(cut("for V in 1 2; do a $V; done"), ["for|V|in|1|2", "do|a|$V", "done"]);
    assert_eq!(cut("a ${V:-1.2} $1 $@ $"), ["a|1.2|$1|$@|$"]);
}
