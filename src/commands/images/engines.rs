//! Engines that the user named, and those that were not asked.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, anyhow, bail};

use super::picture::Picture;
use crate::{
    cli::ImagesCommand,
    commands::input,
    coverage::{Coverage, Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::engine::{Endpoint, Engine, EngineContainer, EngineError, EngineImage, Listed, NotAsked, Tls, not_asked},
    image::{self, Inputs, Limits, listing::ImageUse},
    stop::STOP,
    text::escape_short,
};

/// For each answer. Older engines write a whole image to their disk before they send its first byte.
const PATIENCE: Duration = Duration::from_secs(120);
/// Images that are taken of one engine.
const IMAGES: usize = 10_000;
/// Contexts of Docker that are looked at, and bytes of each.
const CONTEXTS: usize = 100;
const META: u64 = 1 << 20;
/// Certificates and keys.
const PEM: u64 = 1 << 20;
/// Port of engines that speak TLS, by custom.
const WITH_TLS: u16 = 2376;
/// Where Docker's programs find the certificates for an engine.
const CERTIFICATES: &str = "DOCKER_CERT_PATH";

/// Engines, and what they said.
pub struct Engines {
    asked: Vec<Asked>,
    gaps: Vec<Gap>,
    exclusions: Vec<Exclusion>,
    /// Images that no store holds are asked for.
    export: bool,
    /// Images that no store holds are at least gaps: nothing else was named.
    all: bool,
}

struct Asked {
    engine: Engine,
    images: Vec<EngineImage>,
    words: String,
}

impl Engines {
    /// Finds out who listens, and sends nothing yet. To be called before landlock takes other processes away. An engine that is not
    /// connected to is a gap.
    ///
    /// # Errors
    /// Where an address names no engine, or cannot be used.
    pub fn connect(command: &ImagesCommand, all: bool) -> anyhow::Result<Self> {
        let mut engines =
            Self { asked: Vec::new(), gaps: Vec::new(), exclusions: Vec::new(), export: command.engine_export, all };
        let mut named = Vec::new();
        for text in &command.engine {
            let shown = escape_short(text.as_bytes(), 200);
            let endpoint = Endpoint::parse(text).with_context(|| {
                format!("`{shown}` names no engine\nhint: the path of a Unix socket, or `tcp://HOST:PORT`")
            })?;
            if named.contains(&endpoint) {
                continue;
            }
            let connected = match &endpoint {
                Endpoint::Unix(socket) => Engine::connect(socket, PATIENCE),
                Endpoint::Tcp(host, port) => {
                    let tls = (*port == WITH_TLS).then(|| certificates(command.registry.ca.as_deref())).transpose()?;
                    Engine::dial(host, *port, tls, command.registry.plain_http, PATIENCE)
                }
                Endpoint::Other(scheme) => bail!("engines are not asked over `{scheme}`: `{shown}`"),
            };
            match connected {
                Ok(engine) => engines.asked.push(Asked { engine, images: Vec::new(), words: String::new() }),
                Err(error @ EngineError::Refused(_)) => engines.gaps.push(gap(&shown, &error)),
                Err(error) => return Err(anyhow!(error).context(format!("the engine `{shown}`"))),
            }
            named.push(endpoint);
        }
        if all && command.root == Path::new("/") {
            engines.exclusions.extend(others(&named).iter().map(exclusion));
        }
        Ok(engines)
    }

    /// Asks each for its images and containers. What does not come is a gap; the containers are what it gives.
    pub fn ask(&mut self, coverage: &mut Coverage) -> Vec<ImageUse> {
        let mut uses = Vec::new();
        for asked in &mut self.asked {
            let engine = &asked.engine;
            let images = engine.images().and_then(|images| Ok((images, engine.containers()?, engine.version()?)));
            let (images, containers, version) = match images {
                Ok(answers) => answers,
                Err(error) => {
                    self.gaps.push(gap(engine.at(), &error));
                    continue;
                }
            };
            let Listed { list, cut } = images;
            let more = list.len().saturating_sub(IMAGES);
            if cut || containers.cut || more > 0 {
                let detail =
                    format!("it has more than {IMAGES} images, or too many containers: the rest was not looked at");
                self.gaps.push(Gap { kind: GapKind::TooLarge, detail, ..at(engine.at()) });
            }
            let who = engine.listener().map(|l| {
                let seen = if l.seen { "" } else { ", by its command line" };
                format!(" ({}, process {}{seen})", l.engine, l.pid)
            });
            asked.words = format!(
                "engine at {}{}: version {}, {} images, {} containers",
                engine.at(),
                who.unwrap_or_default(),
                escape_short(version.version.as_bytes(), 40),
                list.len(),
                containers.list.len()
            );
            uses.extend(containers.list.iter().map(EngineContainer::as_use));
            asked.images = list.into_iter().take(IMAGES).collect();
        }
        coverage.gaps.append(&mut self.gaps);
        coverage.exclusions.append(&mut self.exclusions);
        uses
    }

    /// Adds what they have behind what others have.
    pub fn open<'e>(&'e self, inputs: &mut Inputs<'e>, limits: Limits) {
        for asked in self.asked.iter().filter(|_| self.export || self.all) {
            inputs.absorb(image::open_engine(&asked.engine, &asked.images, self.export, limits, &STOP));
        }
    }

    /// Names of images that the stores do not know.
    pub fn name(&self, picture: &mut Picture) {
        let images = self.asked.iter().flat_map(|asked| &asked.images);
        images.filter(|image| !image.tags.is_empty()).for_each(|image| picture.name(&image.id, &image.tags));
    }

    /// Who was asked, for people.
    pub fn words(&self) -> Vec<String> {
        self.asked.iter().map(|asked| asked.words.clone()).filter(|words| !words.is_empty()).collect()
    }
}

fn at(engine: &str) -> Gap {
    let origin = Origin::file(&format!("engine {engine}").into(), TreePath::root());
    Gap { origin, surface: IMAGE, kind: GapKind::Unreadable, detail: String::new() }
}

fn gap(engine: &str, error: &EngineError) -> Gap {
    let detail = error.to_string();
    // A gap is one line.
    Gap { detail: detail.lines().collect::<Vec<_>>().join("; "), ..at(engine) }
}

/// For an engine that speaks TLS: who signs its certificate, and the client's own.
fn certificates(ca: Option<&Path>) -> anyhow::Result<Tls> {
    let read = |path: &Path| input::bytes(path, PEM);
    let folder = std::env::var_os(CERTIFICATES).map(std::path::PathBuf::from);
    let below = |name: &str| folder.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
    let ca = ca.map(Path::to_owned).or_else(|| below("ca.pem")).map(|path| read(&path)).transpose()?;
    let identity = match below("cert.pem").zip(below("key.pem")) {
        Some((certificate, key)) => Some([read(&certificate)?, b"\n".to_vec(), read(&key)?].concat()),
        None => None,
    };
    Ok(Tls { ca, identity })
}

/// Engines of this machine that were not named.
fn others(named: &[Endpoint]) -> Vec<NotAsked> {
    let folder = |name: &str| std::env::var_os(name).map(std::path::PathBuf::from).filter(|path| path.is_absolute());
    let (home, runtime) = (folder("HOME"), folder("XDG_RUNTIME_DIR"));
    let contexts = home.as_ref().map(|home| contexts(&home.join(".docker/contexts/meta"))).unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    let all = not_asked(&variable, &contexts, home.as_deref(), runtime.as_deref(), &|path| path.exists());
    all.into_iter()
        .filter(|other| !other.endpoint.as_ref().is_some_and(|e| named.iter().any(|n| is_same(n, e))))
        .collect()
}

fn contexts(folder: &Path) -> Vec<Vec<u8>> {
    let below = walkdir::WalkDir::new(folder).min_depth(1).max_depth(1).sort_by_file_name();
    let found = below.into_iter().take(CONTEXTS).flatten();
    found.filter_map(|entry| input::bytes(&entry.path().join("meta.json"), META).ok()).collect()
}

/// Whether two name one engine: `/var/run` is a link to `/run`.
fn is_same(one: &Endpoint, other: &Endpoint) -> bool {
    match (one, other) {
        (Endpoint::Unix(one), Endpoint::Unix(other)) => {
            one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
        }
        _ => one == other,
    }
}

fn exclusion(other: &NotAsked) -> Exclusion {
    let name = &other.named_by;
    let by = |place: &str| if place == name { String::new() } else { format!(" ({name})") };
    let reason = match &other.endpoint {
        Some(Endpoint::Unix(socket)) => {
            let socket = escape_short(socket.as_os_str().as_encoded_bytes(), 200);
            format!("the engine at `{socket}`{} was not asked: name it with `--engine`", by(&socket))
        }
        Some(Endpoint::Tcp(host, port)) => {
            format!("the engine at `tcp://{host}:{port}` ({name}) was not asked: name it with `--engine`")
        }
        Some(Endpoint::Other(scheme)) => format!("the engine of {name} was not asked: it is reached over {scheme}"),
        None => format!("the engine of {name} was not asked: its address is none"),
    };
    Exclusion { origin: Origin::file(&"engines".into(), TreePath::root()), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_that_were_not_asked_are_named() {
        let reason = |by: &str, endpoint| exclusion(&NotAsked { named_by: by.to_owned(), endpoint }).reason;
        let socket = Endpoint::Unix("/run/docker.sock".into());
        let is = "the engine at `/run/docker.sock` was not asked: name it with `--engine`";
        assert_eq!(reason("/run/docker.sock", Some(socket.clone())), is);
        let is = "the engine at `/run/docker.sock` (DOCKER_HOST) was not asked: name it with `--engine`";
        assert_eq!(reason("DOCKER_HOST", Some(socket)), is);
        let is = "the engine at `tcp://build.example:2376` (context build) was not asked: name it with `--engine`";
        assert_eq!(reason("context build", Some(Endpoint::Tcp("build.example".to_owned(), 2376))), is);
        let is = "the engine of context b was not asked: it is reached over ssh";
        assert_eq!(reason("context b", Some(Endpoint::Other("ssh".to_owned()))), is);
        assert_eq!(reason("DOCKER_HOST", None), "the engine of DOCKER_HOST was not asked: its address is none");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes its own files")]
    fn one_socket_has_several_paths() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        std::fs::write(&socket, "").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        let [one, other, gone] = [socket, link.join("docker.sock"), folder.path().join("gone")].map(Endpoint::Unix);
        assert!(is_same(&one, &other) && is_same(&gone, &gone) && !is_same(&one, &gone));
    }
}
