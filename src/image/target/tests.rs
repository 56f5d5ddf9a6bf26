use std::os::unix::ffi::OsStrExt as _;

use super::*;

const HEX: &str = "3f5a0c1b2d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";

/// The registry of names without one.
fn hub() -> String {
    Remote::complete("x").unwrap().registry
}

/// What it is, in short; an error's first line with `!` in front.
fn said(text: &str, there: &[&str]) -> String {
    let parsed = Target::parse(OsStr::new(text), &|path| there.iter().any(|t| Path::new(t) == path));
    let said = match parsed {
        Ok(Target::Path(path)) => format!("path {}", path.display()),
        Ok(Target::Stored(stored)) => {
            let of = |i: &Sought| match (&i.name, &i.id) {
                (Some(n), None) => format!("name {}", n.repository),
                (None, Some(id)) => format!("id {}", id.get(..4).unwrap_or(id)),
                (Some(n), Some(id)) => format!("name {} or id {id}", n.repository),
                (None, None) => "nothing".to_owned(),
            };
            let which = stored.image.as_ref().map_or("all".to_owned(), of);
            format!("{} {} {which}", stored.store.as_str(), stored.namespace.as_deref().unwrap_or("*"))
        }
        Ok(Target::Remote(remote)) => format!("remote {remote}"),
        Ok(Target::Whole { registry, below }) => format!("whole {registry} {below}"),
        Ok(Target::List) => "list".to_owned(),
        Err(error) => format!("!{}", error.to_string().lines().next().unwrap_or_default()),
    };
    said.replace(&hub(), "hub")
}

#[test]
fn what_may_be_named() {
    let digest = format!("sha256:{HEX}");
    for (text, is) in [
        ("-", "list"),
        (".", "path ."),
        ("..", "path .."),
        ("./-", "path ./-"),
        ("/srv/x.tar", "path /srv/x.tar"),
        ("./registry.example/app", "path ./registry.example/app"),
        ("../docker:x", "path ../docker:x"),
        ("docker:app", "docker * name hub/library/app"),
        ("docker:registry.example:5000/team/app:1", "docker * name registry.example:5000/team/app"),
        ("docker:", "docker * all"),
        ("docker:3f5a0c1b2d4e", "docker * name hub/library/3f5a0c1b2d4e or id 3f5a0c1b2d4e"),
        ("docker:cafe", "docker * name hub/library/cafe or id cafe"),
        ("docker:caf", "docker * name hub/library/caf"),
        ("docker:sha256:3F5A0c1b", "docker * id 3f5a"),
        ("podman:localhost/app:1", "podman * name localhost/app"),
        ("cri-o:registry.example/pause:3.9", "cri-o * name registry.example/pause"),
        ("buildah:app", "buildah * name hub/library/app"),
        ("containerd:k8s.io/registry.example/app:1", "containerd k8s.io name registry.example/app"),
        ("containerd:moby/app", "containerd moby name hub/library/app"),
        ("containerd:k8s.io/", "containerd k8s.io all"),
        ("containerd:/app:1", "containerd * name hub/library/app"),
        ("containerd:", "containerd * all"),
        ("registry.example/app", "remote registry.example/app:latest"),
        ("Registry.example/Team/App:V1", "remote registry.example/team/app:V1"),
        ("registry.example:5000/app:1", "remote registry.example:5000/app:1"),
        ("localhost/app:1", "remote localhost/app:1"),
        ("10.0.0.7:5000/app:1", "remote 10.0.0.7:5000/app:1"),
        ("registry.example/", "whole registry.example "),
        ("registry.example:5000/", "whole registry.example:5000 "),
        ("registry.example/team/sub/", "whole registry.example team/sub/"),
        ("localhost:5000/", "whole localhost:5000 "),
        ("docker://registry.example/app.tar", "remote registry.example/app.tar:latest"),
        ("docker://registry.example/", "whole registry.example "),
    ] {
        assert_eq!(said(text, &[]), is, "{text}");
    }
    assert_eq!(said(&format!("docker:{HEX}"), &[]), "docker * id 3f5a");
    assert_eq!(said(&format!("registry.example/app@{digest}"), &[]), format!("remote registry.example/app@{digest}"));
    let both = format!("registry.example/app:1@{digest}");
    assert_eq!(said(&both, &[]), format!("remote {both}"));
    // Names without a registry, of clients: where a container's image is named so.
    let completed = Remote::complete("app:1").unwrap();
    assert_eq!((completed.registry.as_str(), completed.repository.as_str()), (hub().as_str(), "library/app"));
}

#[test]
fn what_is_there_is_a_path_whatever_it_looks_like() {
    for text in ["registry.example/app", "registry.example/", "docker:app", "app", "app:1", "oci:x", "docker://x/y"] {
        assert_eq!(said(text, &[text]), format!("path {text}"));
    }
    // `-` is never a file; `./-` is.
    assert_eq!(said("-", &["-"]), "list");
    let raw = OsStr::from_bytes(b"a\xff");
    assert_eq!(Target::parse(raw, &|_| false), Ok(Target::Path(raw.into())));
}

#[test]
fn what_names_nothing_says_what_to_write() {
    for (text, is) in [
        ("", "!an empty target names nothing"),
        (" \t", "!an empty target names nothing"),
        ("app", "!`app` is no file or folder here, and names no registry"),
        ("app:1", "!`app:1` is no file or folder here, and names no registry"),
        ("team/app:1", "!`team/app:1` is no file or folder here, and names no registry"),
        ("registry.example", "!`registry.example` is no file or folder here"),
        ("localhost:5000", "!`localhost:5000` is no file or folder here"),
        ("app.tar", "!`app.tar`: no such file"),
        ("images/app.tar.gz", "!`images/app.tar.gz`: no such file"),
        ("my.images/App.TGZ", "!`my.images/App.TGZ`: no such file"),
        ("images/", "!`images/`: no such file"),
        ("~/x", "!`~/x`: no such file"),
        ("a b", "!`a b`: no such file"),
        ("https://registry.example/app", "!`https://registry.example/app` is an address, not a name"),
        ("oci:layout", "!`oci:layout` is not written so here"),
        ("docker-daemon:app", "!`docker-daemon:app` is not written so here"),
        ("docker:a//b", "!`docker:a//b` is no name of an image"),
        ("docker:A b", "!`docker:A b` is no name of an image"),
        ("docker:app@sha256:xyz", "!`docker:app@sha256:xyz` is no name of an image"),
        ("docker:sha256:xyz", "!`docker:sha256:xyz` is no name of an image"),
        ("containerd:app:1", "!`containerd:app:1` names no namespace"),
        ("containerd:app:1/x", "!`containerd:app:1/x` names no namespace"),
        ("registry.example/app:", "!`registry.example/app:` is no name of an image"),
        (
            "registry.example/app@sha256:abcdefabcdef",
            "!`registry.example/app@sha256:abcdefabcdef` is no name of an image",
        ),
        ("registry.example/../x", "!`registry.example/../x` is no name of an image"),
        ("registry.example:99999/x", "!`registry.example:99999/x` is no file or folder here, and names no registry"),
        ("docker://team/", "!`docker://team/` is no name of an image"),
        ("registry.example/\u{1b}[2J", "!`registry.example/\\u{1b}[2J` is no name of an image"),
    ] {
        assert_eq!(said(text, &[]), is, "{text}");
    }
    for text in [
        "https://me:s3cret@registry.example/app",
        "docker://me:s3cret@registry.example/app",
        "me:s3cret@registry.example/a",
    ] {
        assert!(said(text, &[]).starts_with('!') && !said(text, &[]).contains("s3cret"), "{}", said(text, &[]));
    }
    assert!(said(&"a".repeat(5000), &[]).ends_with("is longer than 4096 bytes"));
    assert!(said(&format!("registry.example/{}", "a".repeat(2000)), &[]).contains("is no name of an image"));
    let hint = Target::parse(OsStr::new("app:1"), &|_| false).unwrap_err().to_string();
    assert!(hint.ends_with(
        "hint: `docker:app:1` or `podman:app:1` is an image of this machine, `registry.example/app:1` one of a registry"
    ));
}

#[test]
fn a_name_is_compared_as_engines_do() {
    let sought = |t: &str| Sought::parse(t).unwrap();
    let digest = format!("sha256:{HEX}");
    for (wanted, name, fits) in [
        ("app", "app:latest", true),
        ("app", "hub/library/app:latest", true),
        ("app", "localhost/app:latest", true),
        ("app", "app:1", false),
        ("app:1", "team/app:1", false),
        ("team/app:1", "localhost/team/app:1", true),
        ("team/app:1", "registry.example/team/app:1", false),
        ("registry.example/app:1", "Registry.example/app:1", true),
        ("registry.example/app:1", "registry.example:5000/app:1", false),
        ("app", "<none>:<none>", false),
    ] {
        assert_eq!(sought(wanted).is_named(&name.replace("hub", &hub())), fits, "{wanted} {name}");
    }
    let by_digest = sought(&format!("app@{digest}"));
    assert!(by_digest.is_named(&format!("{}/library/app:2@{digest}", hub())) && !by_digest.is_named("app:latest"));
    let id = sought("3f5a0c1b2d4e");
    assert!(id.has_id(HEX) && id.has_id(&digest) && !id.has_id("3f5a0c1b2d4f00") && !sought("app").has_id(HEX));
}

#[test]
fn lines_of_a_list() {
    let line = |l: &str| match Target::parse_line(l, &|_| false)? {
        Ok(target) => Some(target.to_string()),
        Err(error) => Some(format!("!{}", error.to_string().lines().next().unwrap())),
    };
    assert_eq!(line("  registry.example/app:1  # the shop").as_deref(), Some("registry.example/app:1"));
    assert_eq!(line("./a#b.tar").as_deref(), Some("./a#b.tar"));
    assert_eq!(line("containerd:/app:1\r").as_deref(), Some("containerd:/app:1"));
    assert_eq!((line(""), line("# x"), line("   #")), (None, None, None));
    assert_eq!(line("-").as_deref(), Some("!a list cannot name standard input"));
    for text in
        ["docker:", "containerd:k8s.io/", "containerd:k8s.io/app:1", "podman:app", "registry.example/team/", "-"]
    {
        assert_eq!(Target::parse(OsStr::new(text), &|_| false).unwrap().to_string(), text);
    }
}
