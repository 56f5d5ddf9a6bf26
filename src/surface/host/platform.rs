//! What the machine is part of: a cloud, a cluster, a CI service. Each gives credentials that stand in no file.
//!
//! ```text
//! /var/lib/cloud/instances/*/datasource                  cloud-init: `DataSourceEc2Local: …`, `DataSourceGCE`, `DataSourceAzure`
//! /var/lib/amazon/ssm/registration, /etc/ecs/ecs.config  Amazon's agents
//! /etc/default/instance_configs.cfg                      Google's guest agent
//! /etc/waagent.conf                                      Azure's agent
//! /var/lib/kubelet/config.yaml, /etc/kubernetes/*.conf   a node; kubeadm, and what is like it
//! /etc/rancher/{k3s,rke2}/                               a node of K3s or RKE2
//! /run/secrets/kubernetes.io/serviceaccount/*            a pod
//! .runner                                                a runner of GitHub: JSON with `agentId` and where it is registered
//! /imagegeneration/imagedata.json                        a runner that GitHub hosts
//! /etc/gitlab-runner/config.toml, /etc/buildkite-agent/  runners of GitLab and Buildkite
//! ```
//!
//! A hit proves that the platform's own programs were set up here; not that the machine is still part of it. None proves nothing of
//! an image, which runs anywhere. Documented by cloud-init, the agents' own packages, kubeadm and the runner's source.

use crate::{
    fact::{Fact, Platform, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// Of a file whose words count; the longest known has a few hundred bytes.
const SIZE: usize = 16 << 10;

/// Files whose place alone says it: name, folder from the root.
const PLACES: [(&str, &str, Platform); 15] = [
    ("registration", "var/lib/amazon/ssm", Platform::Aws),
    ("amazon-ssm-agent.json", "etc/amazon/ssm", Platform::Aws),
    ("ecs.config", "etc/ecs", Platform::Aws),
    ("instance_configs.cfg", "etc/default", Platform::Gcp),
    ("waagent.conf", "etc", Platform::Azure),
    ("config.yaml", "var/lib/kubelet", Platform::Kubernetes),
    ("*.conf", "etc/kubernetes", Platform::Kubernetes),
    ("k3s.yaml", "etc/rancher/k3s", Platform::Kubernetes),
    ("rke2.yaml", "etc/rancher/rke2", Platform::Kubernetes),
    ("password", "etc/rancher/node", Platform::Kubernetes),
    ("*", "run/secrets/kubernetes.io/serviceaccount", Platform::Kubernetes),
    ("*", "var/run/secrets/kubernetes.io/serviceaccount", Platform::Kubernetes),
    ("imagedata.json", "imagegeneration", Platform::CiRunner),
    ("config.toml", "etc/gitlab-runner", Platform::CiRunner),
    ("buildkite-agent.cfg", "etc/buildkite-agent", Platform::CiRunner),
];

/// What cloud-init names a source of data, by its start.
const SOURCES: [(&str, Platform); 3] =
    [("DataSourceEc2", Platform::Aws), ("DataSourceGCE", Platform::Gcp), ("DataSourceAzure", Platform::Azure)];

/// The files above.
pub struct OfPlatform;

static META: Meta = Meta {
    id: "host/platform",
    title: "the cloud, cluster or CI service that the machine is part of",
    proves: "its own programs were set up here; not that the machine is still part of it",
};

impl Surface for OfPlatform {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let places = PLACES.iter().map(|(name, folder, _)| Claim::pattern(name).in_root(folder));
        let by_words = [Claim::name("datasource").below("var/lib/cloud"), Claim::name(".runner")];
        places.chain(by_words).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let platform = match by_place(&file.entry.path) {
            Some(platform) => Some(platform),
            None if file.entry.path.name() == b".runner" => is_runner(file.head(SIZE)?).then_some(Platform::CiRunner),
            None => by_source(file.head(SIZE)?),
        };
        if let Some(platform) = platform {
            out.push(file.mtime("mtime of the file"), Fact::Platform(platform));
        }
        Ok(())
    }
}

fn by_place(path: &TreePath) -> Option<Platform> {
    let (folder, name) = (path.parent(), path.name());
    let fits = |(wanted, at, _): &&(&str, &str, Platform)| {
        folder.as_bytes() == at.as_bytes()
            && wanted.split_once('*').map_or(wanted.as_bytes() == name, |(_, end)| name.ends_with(end.as_bytes()))
    };
    PLACES.iter().find(fits).map(|(.., platform)| *platform)
}

fn by_source(words: &[u8]) -> Option<Platform> {
    SOURCES.iter().find(|(source, _)| words.starts_with(source.as_bytes())).map(|(_, platform)| *platform)
}

/// Others name files so too.
fn is_runner(words: &[u8]) -> bool {
    let text = String::from_utf8_lossy(words);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && text.contains("\"agentId\"")
        && ["\"gitHubUrl\"", "\"serverUrl\""].iter().any(|key| text.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_say_the_platform_and_their_look_alikes_nothing() {
        let is = |path: &str| by_place(&TreePath::new(path.as_bytes()).unwrap());
        for (path, platform) in [
            ("var/lib/amazon/ssm/registration", Platform::Aws),
            ("etc/default/instance_configs.cfg", Platform::Gcp),
            ("etc/waagent.conf", Platform::Azure),
            ("etc/kubernetes/kubelet.conf", Platform::Kubernetes),
            ("run/secrets/kubernetes.io/serviceaccount/namespace", Platform::Kubernetes),
            ("etc/gitlab-runner/config.toml", Platform::CiRunner),
        ] {
            assert_eq!(is(path), Some(platform), "{path}");
        }
        for path in [
            "srv/etc/waagent.conf",
            "etc/kubernetes/conf",
            "etc/kubernetes/old/admin.conf",
            "home/a/kubelet/config.yaml",
            "etc/ecs/ecs.config.bak",
        ] {
            assert_eq!(is(path), None, "{path}");
        }
    }

    #[test]
    fn words_say_the_platform_and_their_look_alikes_nothing() {
        for (words, platform) in [
            ("DataSourceEc2Local: DataSourceEc2Local\n", Some(Platform::Aws)),
            ("DataSourceGCELocal: DataSourceGCELocal\n", Some(Platform::Gcp)),
            ("DataSourceAzure: DataSourceAzure [seed=/dev/sr0]\n", Some(Platform::Azure)),
            ("DataSourceNoCloud: DataSourceNoCloud [seed=/dev/sr0]\n", None),
            (" DataSourceEc2\n", None),
            ("", None),
        ] {
            assert_eq!(by_source(words.as_bytes()), platform, "{words}");
        }
        assert!(is_runner(
            "\u{feff}{\n  \"agentId\": 7,\n  \"gitHubUrl\": \"https://forge.example/o/r\"\n}".as_bytes()
        ));
        for other in ["", "{\"agentId\": 7}", "agentId gitHubUrl", "\"agentId\" \"gitHubUrl\"", "\u{0}\u{1}{"] {
            assert!(!is_runner(other.as_bytes()), "{other}");
        }
    }
}
