use super::*;

const HEX: &str = "3f5a0c1b2d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";

fn listed(text: &str) -> Listing {
    read(text.as_bytes(), &|_| false)
}

fn digest() -> String {
    format!("sha256:{HEX}")
}

/// Uses, what is left out and faults, in short.
fn said(text: &str) -> Vec<String> {
    let listing = listed(text);
    let some = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".to_owned());
    let uses = listing.uses.iter().map(|u| {
        let user = match &u.user {
            User::Pod(p) => {
                let owner = p.owner.as_ref().map_or("-".to_owned(), |o| format!("{}/{}", o.kind, o.name));
                let running = p.running.map_or("?", |r| if r { "runs" } else { "off" });
                let role = format!("{:?}", p.role).to_lowercase();
                format!(
                    "{}/{} {} {role} {owner} {} {running}",
                    some(&p.namespace),
                    some(&p.pod),
                    p.container,
                    some(&p.node)
                )
            }
            User::Service { project, service, built } => {
                format!("{}/{service}{}", some(project), if *built { " built" } else { "" })
            }
            User::Value(path) => path.clone(),
            User::Container(c) => c.name.clone(),
        };
        let id = match &u.image_id {
            Some(ImageId::Manifest { repository, digest }) => format!(" manifest {repository} {}", &digest[..10]),
            Some(ImageId::Config(digest)) => format!(" config {}", &digest[..10]),
            None => String::new(),
        };
        format!("{}{id} | {user}{}", u.image, if u.by_default { " by default" } else { "" })
    });
    let left = listing.left_out.iter().map(|l| format!("left out: {}: {}", l.place, l.reason));
    let flaws = listing.flaws.iter().map(|f| format!("flaw: {f}"));
    uses.chain(left).chain(flaws).collect()
}

/// As `kubectl get pods -A -o json` prints it, cut to what differs.
fn pods() -> String {
    let digest = digest();
    format!(
        r#"{{
  "apiVersion": "v1",
  "items": [
    {{
      "apiVersion": "v1",
      "kind": "Pod",
      "metadata": {{
        "annotations": {{"kubectl.kubernetes.io/last-applied-configuration": "{{\"kind\":\"Pod\",\"spec\":{{\"containers\":[{{\"image\":\"old\"}}]}}}}"}},
        "creationTimestamp": "2026-11-28T10:00:00Z",
        "labels": {{"app": "web", "pod-template-hash": "6d4b75cb6d"}},
        "managedFields": [{{"manager": "kube-controller-manager", "fieldsV1": {{"f:spec": {{"f:containers": {{}}}}}}}}],
        "name": "web-6d4b75cb6d-k2x9p",
        "namespace": "shop",
        "ownerReferences": [{{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true, "kind": "ReplicaSet", "name": "web-6d4b75cb6d", "uid": "1"}}]
      }},
      "spec": {{
        "containers": [{{"image": "registry.example/shop/web:1.4", "name": "web", "env": [{{"name": "TOKEN", "value": "s3cret"}}]}},
                       {{"image": "registry.example/mesh/proxy:2", "name": "proxy"}}],
        "initContainers": [{{"image": "registry.example/shop/migrate:1.4", "name": "migrate"}}],
        "ephemeralContainers": [{{"image": "busybox", "name": "debugger-1", "targetContainerName": "web"}}],
        "nodeName": "node-a",
        "volumes": [{{"name": "data", "image": {{"reference": "registry.example/shop/data:7"}}}}, {{"name": "tmp", "emptyDir": {{}}}}]
      }},
      "status": {{
        "containerStatuses": [
          {{"containerID": "containerd://{HEX}", "image": "registry.example/shop/web:1.4", "imageID": "registry.example/shop/web@{digest}", "lastState": {{"terminated": {{"exitCode": 1}}}}, "name": "web", "ready": true, "restartCount": 1, "state": {{"running": {{"startedAt": "2026-11-28T10:00:09Z"}}}}}},
          {{"image": "registry.example/mesh/proxy:2", "imageID": "", "name": "proxy", "ready": false, "state": {{"waiting": {{"reason": "ImagePullBackOff"}}}}}}],
        "initContainerStatuses": [{{"imageID": "docker-pullable://registry.example/shop/migrate@{digest}", "name": "migrate", "state": {{"terminated": {{"exitCode": 0}}}}}}],
        "ephemeralContainerStatuses": [{{"imageID": "{HEX}", "name": "debugger-1", "state": {{"running": {{}}}}}}],
        "phase": "Running"
      }}
    }},
    {{"apiVersion": "v1", "kind": "Pod",
      "metadata": {{"name": "etcd-node-a", "namespace": "kube-system", "ownerReferences": [{{"apiVersion": "v1", "controller": true, "kind": "Node", "name": "node-a"}}]}},
      "spec": {{"containers": [{{"image": "registry.example/etcd:3.5", "name": "etcd"}}], "nodeName": "node-a"}},
      "status": {{"containerStatuses": [{{"imageID": "docker://{digest}", "name": "etcd", "state": {{"running": {{}}}}}}]}}
    }}
  ],
  "kind": "List",
  "metadata": {{"resourceVersion": ""}}
}}"#
    )
}

#[test]
fn pods_of_a_cluster() {
    let at = "shop/web-6d4b75cb6d-k2x9p";
    let is = [
        format!(
            "registry.example/shop/migrate:1.4 manifest registry.example/shop/migrate sha256:3f5 | {at} migrate init Deployment/web node-a off"
        ),
        format!(
            "registry.example/shop/web:1.4 manifest registry.example/shop/web sha256:3f5 | {at} web main Deployment/web node-a runs"
        ),
        format!("registry.example/mesh/proxy:2 | {at} proxy main Deployment/web node-a off"),
        format!("busybox config sha256:3f5 | {at} debugger-1 ephemeral Deployment/web node-a runs"),
        format!("registry.example/shop/data:7 | {at} data volume Deployment/web node-a ?"),
        "registry.example/etcd:3.5 config sha256:3f5 | kube-system/etcd-node-a etcd main Node/node-a node-a runs"
            .to_owned(),
    ];
    assert_eq!(said(&pods()), is);
    let listing = listed(&pods());
    assert_eq!(listing.form, Form::Kubernetes);
    let remotes: Vec<String> = listing.remotes().iter().map(ToString::to_string).collect();
    assert_eq!(remotes.len(), 6);
    assert!(remotes.contains(&format!("registry.example/shop/web@{}", digest())), "{remotes:?}");
    assert!(remotes.contains(&Remote::complete("busybox").unwrap().to_string()));
    // The same as YAML, as UTF-16 from PowerShell, and as `jq .items[]` prints it.
    let value: serde_json::Value = serde_json::from_str(&pods()).unwrap();
    let items = value["items"].as_array().unwrap();
    let yaml = format!("apiVersion: v1\nitems:\n- {}\n- {}\nkind: List\n", items[0], items[1]);
    assert_eq!(said(&yaml), is);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(pods().encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&wide, &|_| false).uses, listing.uses);
    assert_eq!(said(&format!("{}\n{}\n", items[0], items[1])), is);
    assert_eq!(said(&value["items"].to_string()), is);
}

#[test]
fn every_kind_that_has_pods() {
    let template = "template: {spec: {containers: [{name: c, image: 'registry.example/a:1'}]}}";
    let object = |api: &str, kind: &str, spec: &str| {
        format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: x, namespace: n}}\nspec: {{{spec}}}\n")
    };
    for kind in ["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"] {
        let is = format!("registry.example/a:1 | n/- c main {kind}/x - ?");
        assert_eq!(said(&object("apps/v1", kind, template)), [is]);
    }
    let off = "registry.example/a:1 | n/- c main Deployment/x - off";
    assert_eq!(said(&object("apps/v1", "Deployment", &format!("replicas: 0, {template}"))), [off]);
    assert_eq!(
        said(&object("batch/v1", "CronJob", &format!("jobTemplate: {{spec: {{{template}}}}}"))),
        ["registry.example/a:1 | n/- c main CronJob/x - ?"]
    );
    let of_own = object("argoproj.example/v1", "Rollout", template);
    assert_eq!(said(&of_own), ["registry.example/a:1 | n/- c main Rollout/x - ?"]);
    let unknown = object("monitoring.example/v1", "Prometheus", "image: 'registry.example/p:1', containers: nothing");
    let left = "left out: Prometheus x: a kind of somebody's own: which images it stands for is not known";
    assert_eq!(said(&unknown), [left]);
    let template = format!("apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: x}}\n{template}\n");
    assert_eq!(said(&template), ["registry.example/a:1 | -/- c main PodTemplate/x - ?"]);
    let others = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {image: 'registry.example/a:1'}\n---\n";
    assert_eq!(said(others), Vec::<String>::new());
    let list = format!("{others}{}{}", object("apps/v1", "Deployment", "template: 3"), "---\n# Source: x\n---\n");
    assert_eq!(said(&list), Vec::<String>::new());
    let none = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}, 7, ~]}\n";
    assert_eq!(said(none), ["left out: default/p, container c: no image is written"]);
}

#[test]
fn owners_are_followed_as_far_as_the_list_goes() {
    let owned = |kind: &str, name: &str, by: &str, of: &str| {
        let spec = if kind == "Pod" {
            r#""spec":{"containers":[{"name":"c","image":"registry.example/a:1"}]}"#
        } else {
            r#""spec":{}"#
        };
        format!(
            r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"n","ownerReferences":[{{"kind":"{by}","name":"{of}","controller":true}}]}},{spec}}}"#
        )
    };
    let list = |objects: &[String]| format!(r#"{{"items":[{}],"kind":"List","apiVersion":"v1"}}"#, objects.join(","));
    let owner = |text: &str| said(text).first().map(|s| s.split(' ').nth(5).unwrap().to_owned()).unwrap();
    let pod = owned("Pod", "p", "Job", "nightly-1");
    assert_eq!(owner(&list(std::slice::from_ref(&pod))), "Job/nightly-1");
    assert_eq!(owner(&list(&[pod.clone(), owned("Job", "nightly-1", "CronJob", "nightly")])), "CronJob/nightly");
    let circle = [pod, owned("Job", "nightly-1", "CronJob", "a"), owned("CronJob", "a", "Job", "nightly-1")];
    assert!(owner(&list(&circle)).contains('/'));
}

#[test]
fn a_compose_file() {
    let text = "name: shop\nx-base: &base\n  image: registry.example/base:1\n  restart: always\nservices:\n  web:\n    image: \"registry.example/web:${TAG:-1.2}\"\n  db: {image: 'postgres:16'}\n  api:\n    <<: *base\n    command: x\n  two: {<<: [{restart: no}, *base]}\n  job: {build: .}\n  both: {build: ., image: registry.example/both}\n  ext: {extends: {file: other.yaml, service: z}}\n  late: {image: \"${IMAGE}\"}\n  none: {command: y}\ninclude: [more.yaml]\n";
    let is = [
        "registry.example/base:1 | shop/api",
        "registry.example/both | shop/both built",
        "postgres:16 | shop/db",
        "registry.example/base:1 | shop/two",
        "registry.example/web:1.2 | shop/web by default",
        "left out: include: another file: name it too",
        "left out: service ext: it extends another service, which names the image",
        "left out: service job: it is built from a Dockerfile, and its image has the name of project and service",
        "left out: service late: its image depends on variables without a default",
        "left out: service none: no image is written",
    ];
    assert_eq!(said(text), is);
    assert_eq!(listed(text).form, Form::Compose);
    let json = r#"{"name":"shop","services":{"db":{"image":"postgres:16","build":null}}}"#;
    assert_eq!(said(json), ["postgres:16 | shop/db"]);
    assert_eq!(said("services: 3\n"), Vec::<String>::new());
    assert_eq!(
        said("services:\n  x: [image]\n  y: {<<: {<<: 3}, image: ''}\n"),
        ["left out: service y: its image depends on variables without a default"]
    );
}

#[test]
fn values_of_a_chart() {
    let text = format!(
        "replicaCount: 1\nimage:\n  repository: registry.example/web\n  pullPolicy: IfNotPresent\n  tag: \"1.10\"\nsidecar:\n  image: registry.example/sidecar:3\nworker:\n  image: registry.example/worker\n  imageTag: 7\njobs:\n- image: {{registry: registry.example, repository: team/job, digest: \"{}\"}}\napp:\n  image: {{repository: registry.example/app, tag: \"\"}}\ncharts: {{repository: 'https://charts.example/x', tag: 1}}\nlogo: {{image: logo}}\ntemplated: {{image: '{{{{ .Values.x }}}}'}}\n",
        digest()
    );
    let is = [
        "left out: app.image: its tag is not written here: the chart gives it (`helm template` writes it out)"
            .to_owned(),
        "registry.example/sidecar:3 | sidecar.image".to_owned(),
        format!("registry.example/team/job@{} | jobs.image", digest()),
        "registry.example/web:1.10 | image".to_owned(),
        "registry.example/worker:7 | worker.image".to_owned(),
    ];
    let mut all = said(&text);
    all.sort();
    assert_eq!(all, is);
    assert_eq!(listed(&text).form, Form::Values);
    let mirror = "global: {imageRegistry: mirror.example}\nimage: {registry: docker.example, repository: a/b, tag: 1}\nother: {image: {repository: c/d, tag: 2}}\n";
    assert_eq!(said(mirror), ["mirror.example/a/b:1 | image", "c/d:2 | other.image"]);
}

#[test]
fn a_list_of_targets() {
    let text = "# ours\nregistry.example/a:1   # shop\n\ndocker:\ndocker:app\n  ./x.tar\n-\nno such thing\n";
    let listing = listed(text);
    let targets: Vec<String> = listing.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["registry.example/a:1", "docker:", "docker:app", "./x.tar"]);
    assert_eq!(listing.form, Form::Targets);
    let bad: Vec<usize> = listing.bad_lines.iter().map(|b| b.line).collect();
    assert_eq!((bad, &listing.bad_lines[0].why), (vec![7, 8], &TargetError::Nested));
    // A store alone in a line is no key of YAML, unless something belongs to it.
    assert_eq!(listed("docker:\n").targets.len(), 1);
    assert_eq!(listed("docker:\nregistry.example/a\n").targets.len(), 2);
    assert_eq!(listed("docker:   # all\n").targets.len(), 1);
    assert_eq!(listed("docker:\n  image: registry.example/a:1\n").uses.len(), 1);
    let empty = listed("");
    assert!(empty.targets.is_empty() && empty.flaws.is_empty());
    assert_eq!(read(b"a\0b", &|_| true).flaws.len(), 1);
    assert_eq!(listed(&"registry.example/a\n".repeat(MOST + 5)).flaws.len(), 1);
}

#[test]
fn what_is_broken_keeps_what_stands_before() {
    let text = pods();
    let cut = said(&text[..text.len() - 60]);
    assert_eq!(cut.len(), 7, "{cut:?}");
    assert_eq!(cut[6], "flaw: the JSON text ends too early");
    let broken = text.replace("\"kind\": \"List\"", "kind");
    assert!(said(&broken)[6].starts_with("flaw: not a valid JSON text: a fault in line "));
    let yaml =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: a/b}]}\n---\nkind: [\n";
    let said_of = said(yaml);
    assert!(said_of.len() == 2 && said_of[1].starts_with("flaw: not a valid YAML text"), "{said_of:?}");
    let template =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\nspec:\n{{- if .x }}\n  y: 1\n{{- end }}\n";
    assert!(said(template)[0].contains("`helm template`"), "{:?}", said(template));
    for bad in [
        "{",
        "[",
        "{\"items\":[",
        "{\"items\": 3, \"kind\": 4}",
        "{\"kind\":\"Pod\",\"apiVersion\":[],\"spec\":[[]]}",
        "{}{",
        "\"x",
        "[[[]]]",
        "---",
        "%YAML 1.2\n",
        "a: *b\n",
    ] {
        let _ = said(bad);
    }
    let bytes = text.as_bytes();
    (0..bytes.len()).step_by(37).for_each(|n| _ = read(&bytes[..n], &|_| false));
    assert!(said(&"{\"a\":".repeat(10_000)).iter().all(|l| l.starts_with("flaw: ")));
    assert!(said(&"[".repeat(100_000)).iter().all(|l| l.starts_with("flaw: ")));
}

#[test]
fn what_is_huge_is_bounded() {
    let containers = format!("[{}]", vec![r#"{"name":"c","image":"a/b:1"}"#; 5000].join(","));
    let pod =
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":{containers}}}}}"#);
    let listing = listed(&pod);
    assert_eq!((listing.uses.len(), listing.flaws.len()), (2000, 1));
    let long = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","spec":{{"containers":[{{"name":"c","image":"{}"}}]}}}}"#,
        "a".repeat(5000)
    );
    assert_eq!(said(&long), ["left out: default/, container c: the name of its image is too long, or is none"]);
    let values = format!("image: registry.example/a:1\nx: {}\n", "y".repeat(WRITTEN));
    assert!(said(&values)[0].starts_with("flaw: larger than"));
    assert!(read(&vec![b' '; LARGEST + 1], &|_| false).flaws.len() == 1);
    let mut bomb = "apiVersion: v1\nkind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    (1..10).for_each(|n| bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "))));
    assert_eq!(said(&bomb), ["flaw: YAML whose aliases stand for more than 4 MB is not supported"]);
}
