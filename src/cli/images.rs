//! `dosimeter images`.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::{Choice, OutputOptions};

/// `dosimeter images`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImagesCommand {
    /// Archives, image layouts, folders of both, data folders of engines and registries; `docker:NAME`, `podman:NAME`, `buildah:NAME`,
    /// `cri-o:NAME`, `containerd:NAMESPACE/NAME`, without NAME all of them; `registry.example/name[:tag][@digest]`,
    /// `registry.example/` for all of it; what `kubectl get pods -A -o json` printed, Compose files, values of Helm charts: the images
    /// that these name are fetched, those without a registry from Docker's; `-` for a list. Without any, the stores of all engines
    /// of this machine
    #[arg(value_name = "TARGET")]
    pub targets: Vec<OsString>,
    /// Look for stores of engines below this folder: a mounted disk
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub root: PathBuf,
    /// A registry's own storage, on a disk or copied from its bucket: also what no tag leads to (repeatable)
    #[arg(long, value_name = "DIR")]
    pub blob_store: Vec<PathBuf>,
    /// Ask this engine, which runs, what it knows: names of images, and the containers that use them. A Unix socket, or
    /// `tcp://HOST:PORT`; one that could only be reached by starting it is left alone, as a gap (repeatable)
    #[arg(long, value_name = "SOCKET")]
    pub engine: Vec<String>,
    /// Have the engine save the images that no store here holds; it may write a copy of its own meanwhile
    #[arg(long, requires = "engine")]
    pub engine_export: bool,
    #[command(flatten)]
    /// How registries are asked.
    pub registry: RegistryOptions,
    /// Print how many images, different layers, bytes and requests it would take, and read no layer. Manifests and lists are read
    #[arg(long, conflicts_with_all = ["output", "format"])]
    pub plan: bool,
    /// Keep what each layer holds in this folder, and read no layer again whose entry answers: nothing else is kept between runs.
    /// Whoever may write there can hide findings
    #[arg(long, value_name = "DIR")]
    pub layer_cache: Option<PathBuf>,
    /// Use a folder for `--layer-cache` that others may write to
    #[arg(long, requires = "layer_cache")]
    pub trust_shared_cache: bool,
    /// Read every layer again, and renew its entry
    #[arg(long, requires = "layer_cache")]
    pub reread: bool,
    /// Read one share of the layers, `3/8`, and write what they hold to `--part`: on each of eight machines another one, then
    /// `dosimeter merge`. `auto` takes the numbers from what Kubernetes, AWS Batch, Cloud Run, Slurm, GitLab or Buildkite sets,
    /// `auto/8` where only the first is set
    #[arg(long, value_name = "I/N", requires = "part", conflicts_with_all = ["output", "format", "plan"])]
    pub shard: Option<String>,
    /// Write the record of each image (NDJSON) into this file as soon as it is examined, while the sweep goes on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shard", "plan"])]
    pub each: Option<PathBuf>,
    /// Where the part of a `--shard` goes
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub part: Option<PathBuf>,
    #[command(flatten)]
    /// Which indicators and surfaces.
    pub choice: Choice,
    #[command(flatten)]
    /// Where the report goes.
    pub output: OutputOptions,
}

/// How registries are asked.
#[derive(Debug, Args)]
pub struct RegistryOptions {
    /// Of an image for several platforms this one, as `linux/arm64/v8`; by default that of this machine. Of files and stores all are
    /// examined
    #[arg(long, value_name = "PLATFORM", conflicts_with = "all_platforms", value_parser = platform)]
    pub platform: Option<String>,
    /// Of an image for several platforms all
    #[arg(long)]
    pub all_platforms: bool,
    /// Passwords and tokens: a line `HOST[/NAMESPACE] SECRET` for each, where a secret is `user:password` or a token (also
    /// DOSIMETER_REGISTRY_TOKEN). Those of `docker login` and `podman login` are found; no credential helper is started
    #[arg(long, value_name = "FILE")]
    pub registry_token_file: Option<PathBuf>,
    /// Also trust the certificates in this file (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Ask registries without encryption too, wherever they are
    #[arg(long)]
    pub plain_http: bool,
    /// Fetch no more than this from all registries together: `500M`, `20G`, in powers of 1024
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub max_bytes: Option<u64>,
    /// A mirror that is asked first: `HOST=URL`, a `hosts.toml` or a `registries.conf` (repeatable)
    #[arg(long, value_name = "MIRROR")]
    pub mirror: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  dosimeter images                                   all of this machine
  dosimeter images app.tar docker:web:1.4            a saved image, one of Docker's
  dosimeter images registry.example/ -o sweep.json   a whole registry
  kubectl get pods -A -o json | dosimeter images -   what a cluster runs
  dosimeter images --blob-store /srv/registry        a registry's own disk";

fn platform(text: &str) -> Result<String, String> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let parts = text.split('/').count();
    let fits = (2..=3).contains(&parts) && text.split('/').all(plain);
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("`{text}` is no platform: write `OS/ARCHITECTURE[/VARIANT]`, as `linux/arm64/v8`"))
}

fn bytes(text: &str) -> Result<u64, String> {
    let refused = || format!("`{text}` is no number of bytes: write `500M` or `20G`");
    let text = text.to_ascii_uppercase();
    let end = text.trim_end_matches(['K', 'M', 'G', 'T', 'I', 'B']);
    let number: u64 = end.parse().map_err(|_| refused())?;
    let unit = text.get(end.len()..).unwrap_or_default().trim_end_matches('B').trim_end_matches('I');
    let power = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(refused()),
    };
    number.checked_mul(1 << power).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::{bytes, platform};

    #[test]
    fn amounts() {
        for (text, amount) in [("0", 0), ("12", 12), ("3k", 3072), ("2MiB", 2 << 20), ("1G", 1 << 30), ("5GB", 5 << 30)]
        {
            assert_eq!(bytes(text), Ok(amount), "{text}");
        }
        assert_eq!(bytes("3m"), Ok(3 << 20));
        assert!(platform("linux/arm64/v8").is_ok() && platform("linux/amd64").is_ok());
        assert!(["bogus", "linux/", "a/b/c/d", "", "linux/a b"].iter().all(|text| platform(text).is_err()));
        for text in ["", "G", "1X", "-1", "1.5G", "99999999T", "1GG"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
