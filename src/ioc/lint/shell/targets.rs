//! Where a command acts must stand in it: a default profile, context, project or registry is whatever was used last on that machine.

use super::Fault;
use crate::shell::syntax::{Command, Word};

/// What a program needs, unless it is one of some commands that do without.
struct Needs {
    program: &'static str,
    /// One of each list.
    options: &'static [&'static [&'static str]],
    /// First words that need nothing.
    free: &'static [&'static str],
    /// First words that need it, where others do not; empty for all.
    only: &'static [&'static str],
    hint: &'static str,
}

const NEEDS: &[Needs] = &[
    Needs {
        program: "aws",
        options: &[&["--profile"]],
        free: &["configure", "sso", "help"],
        only: &[],
        hint: "write `--profile PROFILE`, and say whose profile that is",
    },
    Needs {
        program: "kubectl",
        options: &[&["--context"]],
        free: &["config", "version", "kustomize", "completion"],
        only: &[],
        hint: "write `--context {context}`, or ask every context in a loop",
    },
    Needs {
        program: "helm",
        options: &[&["--kube-context"]],
        free: &["repo", "version", "search"],
        only: &[],
        hint: "write `--kube-context CONTEXT`",
    },
    Needs {
        program: "gcloud",
        options: &[
            &["--account", "--configuration"],
            &["--project", "--iam-account", "--organization", "--configuration"],
        ],
        free: &["config", "auth", "projects", "info"],
        only: &[],
        hint: "write `--account=ADMIN` and `--project=PROJECT`",
    },
    Needs {
        program: "az",
        options: &[&["--subscription"]],
        free: &["ad", "rest", "login", "account", "devops", "version"],
        only: &[],
        hint: "write `--subscription SUBSCRIPTION`",
    },
    Needs {
        program: "npm",
        options: &[&["--registry"]],
        free: &[],
        only: &[
            "access",
            "deprecate",
            "dist-tag",
            "dist-tags",
            "login",
            "adduser",
            "logout",
            "org",
            "owner",
            "ping",
            "profile",
            "publish",
            "search",
            "star",
            "team",
            "token",
            "trust",
            "unpublish",
            "view",
            "info",
            "show",
            "whoami",
        ],
        hint: "write `--registry=https://{id}/`: a mirror is asked otherwise, or the public one",
    },
    Needs {
        program: "pnpm",
        options: &[&["--registry"]],
        free: &[],
        only: &["publish", "login", "owner", "view"],
        hint: "write `--registry=https://{id}/`",
    },
    Needs {
        program: "gh",
        options: &[&["--hostname"]],
        free: &[],
        only: &["api", "auth"],
        hint: "write `--hostname HOST`",
    },
    Needs {
        program: "gh",
        options: &[&["--repo", "-R", "--org", "-o"]],
        free: &[],
        only: &["secret", "variable", "run", "workflow", "release", "cache", "issue", "pr"],
        hint: "write `--repo HOST/OWNER/REPO`: the folder decides otherwise",
    },
    Needs {
        program: "glab",
        options: &[&["--hostname"]],
        free: &[],
        only: &["api", "auth"],
        hint: "write `--hostname HOST`",
    },
    Needs {
        program: "glab",
        options: &[&["--repo", "-R"]],
        free: &["api", "auth", "version", "help", "config"],
        only: &[],
        hint: "write `--repo HOST/GROUP/PROJECT`: the folder decides otherwise",
    },
    Needs {
        program: "vault",
        options: &[&["-address"]],
        free: &["version", "print"],
        only: &[],
        hint: "write `-address=https://VAULT`",
    },
    Needs {
        program: "bao",
        options: &[&["-address"]],
        free: &["version"],
        only: &[],
        hint: "write `-address=https://VAULT`",
    },
    Needs {
        program: "terraform",
        options: &[&["-chdir"]],
        free: &["version", "fmt"],
        only: &[],
        hint: "write `-chdir=DIR`",
    },
    Needs {
        program: "tofu",
        options: &[&["-chdir"]],
        free: &["version", "fmt"],
        only: &[],
        hint: "write `-chdir=DIR`",
    },
    Needs {
        program: "argocd",
        options: &[&["--server"]],
        free: &["version"],
        only: &[],
        hint: "write `--server SERVER`",
    },
    Needs {
        program: "cargo",
        options: &[&["--registry", "--index"]],
        free: &[],
        only: &["owner", "yank", "publish", "login"],
        hint: "write `--registry REGISTRY`",
    },
    Needs {
        program: "gem",
        options: &[&["--host"]],
        free: &[],
        only: &["owner", "yank", "push"],
        hint: "write `--host https://HOST`",
    },
    Needs {
        program: "psql",
        options: &[&["--host", "-h"], &["--username", "-U"]],
        free: &[],
        only: &[],
        hint: "write `--host=HOST --username=ADMIN`",
    },
    Needs {
        program: "pg_dump",
        options: &[&["--host", "-h"], &["--username", "-U"]],
        free: &[],
        only: &[],
        hint: "write `--host=HOST --username=ADMIN`",
    },
    Needs {
        program: "mysql",
        options: &[&["--host", "-h"], &["--user", "-u"]],
        free: &[],
        only: &[],
        hint: "write `--host=HOST --user=ADMIN`",
    },
    Needs { program: "redis-cli", options: &[&["-h", "-u"]], free: &[], only: &[], hint: "write `-h HOST`" },
    Needs {
        program: "doctl",
        options: &[&["--context"]],
        free: &["version"],
        only: &[],
        hint: "write `--context CONTEXT`",
    },
];
/// Services of AWS that have one place for all regions.
const GLOBAL: &[&str] = &[
    "iam",
    "organizations",
    "s3",
    "s3api",
    "cloudfront",
    "route53",
    "account",
    "configure",
    "sso",
    "help",
    "budgets",
    "ce",
];
/// Resources of Kubernetes that stand in no namespace.
const CLUSTER: &[&str] = &[
    "node",
    "nodes",
    "namespace",
    "namespaces",
    "ns",
    "clusterrole",
    "clusterroles",
    "clusterrolebinding",
    "clusterrolebindings",
    "persistentvolume",
    "pv",
    "crd",
    "crds",
    "csr",
    "storageclass",
    "apiservice",
    "apiservices",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
];

/// What is not said in one command.
pub fn fault(command: &Command) -> Option<Fault> {
    let (program, words) = (command.program(), command.arguments());
    let first = words.iter().find(|w| !w.text.starts_with('-') && !is_value(words, w)).map_or("", |w| w.text.as_str());
    for needs in NEEDS.iter().filter(|n| n.program == program) {
        if needs.free.contains(&first) || (!needs.only.is_empty() && !needs.only.contains(&first)) {
            continue;
        }
        if let Some(missing) = needs.options.iter().find(|any| !has(words, any)) {
            return Some((format!("`{program}` without `{}`", missing.first().unwrap_or(&"")), needs.hint));
        }
    }
    match program {
        "aws" if !GLOBAL.contains(&first) && !has(words, &["--region"]) => Some((
            format!("`aws {first}` without `--region`"),
            "write `--region \"$r\"` in a loop over every region, or name it",
        )),
        "kubectl" if is_namespaced(words) && !has(words, &["-n", "--namespace", "-A", "--all-namespaces"]) => {
            Some(("`kubectl` without a namespace".to_owned(), "write `--namespace NAMESPACE` or `--all-namespaces`"))
        }
        _ => None,
    }
}

/// Whether one of some options is there, as `--x y` or `--x=y`.
fn has(words: &[Word], options: &[&str]) -> bool {
    let named =
        |w: &Word| options.iter().any(|o| w.text == *o || w.text.strip_prefix(o).is_some_and(|r| r.starts_with('=')));
    words.iter().any(named)
}

/// Whether a word is the value of the option before it. Options that take none are few where a command begins with options.
fn is_value(words: &[Word], word: &Word) -> bool {
    let at = words.iter().position(|w| std::ptr::eq(w, word));
    let before = at.and_then(|at| at.checked_sub(1)).and_then(|at| words.get(at));
    before.is_some_and(|w| w.text.starts_with('-') && !w.text.contains('='))
}

fn is_namespaced(words: &[Word]) -> bool {
    let plain: Vec<&str> =
        words.iter().filter(|w| !w.text.starts_with('-') && !is_value(words, w)).map(|w| &*w.text).collect();
    match plain.as_slice() {
        ["get" | "delete" | "describe" | "edit" | "annotate" | "label" | "patch" | "scale", what, ..] => {
            what.split(',').any(|w| !CLUSTER.contains(&w.split('/').next().unwrap_or(w)))
        }
        ["exec" | "logs" | "rollout" | "cp" | "port-forward" | "attach" | "debug" | "run" | "create", ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::syntax::parse;

    fn fault(command: &str) -> Option<String> {
        parse(command).unwrap().iter().find_map(super::fault).map(|(what, _)| what)
    }

    #[test]
    fn a_target_that_is_not_named_and_its_look_alike() {
        for (bad, what) in [
            ("aws iam list-users", "`aws` without `--profile`"),
            ("aws cloudtrail lookup-events --profile P", "`aws cloudtrail` without `--region`"),
            ("aws --profile P ec2 describe-instances", "`aws ec2` without `--region`"),
            ("kubectl get nodes", "`kubectl` without `--context`"),
            ("kubectl --context C get pods", "`kubectl` without a namespace"),
            ("kubectl --context C get nodes,pods", "`kubectl` without a namespace"),
            ("kubectl --context C exec POD -- ls", "`kubectl` without a namespace"),
            ("helm list", "`helm` without `--kube-context`"),
            ("gcloud iam service-accounts keys list --iam-account=E", "`gcloud` without `--account`"),
            ("gcloud compute instances list --account=A", "`gcloud` without `--project`"),
            ("az storage account list", "`az` without `--subscription`"),
            ("npm token list", "`npm` without `--registry`"),
            ("npm view x time", "`npm` without `--registry`"),
            ("gh api /user", "`gh` without `--hostname`"),
            ("gh secret set X", "`gh` without `--repo`"),
            ("glab api /user", "`glab` without `--hostname`"),
            ("vault token revoke -accessor A", "`vault` without `-address`"),
            ("terraform state list", "`terraform` without `-chdir`"),
            ("cargo owner --list x", "`cargo` without `--registry`"),
            ("psql -U al -c 'select 1'", "`psql` without `--host`"),
            ("true && aws iam list-users", "`aws` without `--profile`"),
        ] {
            assert_eq!(fault(bad).as_deref(), Some(what), "{bad}");
        }
        for good in [
            "aws iam list-users --profile P",
            "aws ec2 describe-instances --profile P --region eu-west-1",
            "aws configure list-profiles",
            "kubectl --context C get nodes",
            "kubectl --context C --namespace N get pods",
            "kubectl --context=C get pods -A",
            "kubectl --context C auth can-i list secrets --all-namespaces",
            "kubectl config get-contexts",
            "gcloud iam service-accounts keys list --iam-account=E --account=A",
            "gcloud auth list",
            "az ad app list",
            "az storage account list --subscription S",
            "npm token list --registry=https://r.example/",
            "npm ci",
            "gh api --hostname H /user",
            "gh secret set X --repo H/O/R",
            "gh --version",
            "vault token revoke -address=https://v.example -accessor A",
            "terraform -chdir=D state list",
            "cargo build",
            "psql --host=H --username=A --command='select 1'",
            "ls aws",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
    }
}
