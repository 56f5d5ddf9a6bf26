//! Credentials: found in their places, judged, put into order, and never shown.

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{report, run},
};

const CANARY: &str = "CaNaRy7f3kQ9xZ";

/// A secret in every kind of place that the payload reads.
fn planted() -> Machine {
    let c = CANARY;
    let key = format!("-----BEGIN PRIVATE KEY-----\n{c}{c}{c}\n-----END PRIVATE KEY-----\n");
    Machine::new()
        .home(".aws/credentials", format!("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {c}\n[ci]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\naws_secret_access_key = {c}2\n"))
        .home(".ssh/id_rsa", &key)
        .home(".ssh/deploy", &key)
        .home(".kube/config", format!("users:\n- name: admin\n  user:\n    token: {c}\n- name: cert\n  user:\n    client-key-data: {c}\n"))
        .home(".docker/config.json", format!(r#"{{"auths":{{"registry.example":{{"auth":"{c}"}}}}}}"#))
        .home(".git-credentials", format!("https://alice:{c}@forge.example\nhttps://{c}:x-oauth-basic@forge.example\n"))
        .home(".npmrc", format!("//registry.example/:_authToken={c}\n"))
        .home(".pypirc", format!("[pypi]\nusername = __token__\npassword = pypi-{c}\n"))
        .home(".vault-token", c)
        .home(".netrc", format!("machine api.example login alice password {c}\n"))
        .home(".pgpass", format!("db.example:5432:app:alice:{c}\n"))
        .home(".my.cnf", format!("[client]\nuser=alice\npassword={c}\n"))
        .home(".mongorc.js", format!("db = connect('mongodb://alice:{c}@db.example/app')\n"))
        .home("app/.env", format!("APP_SECRET={c}\nOPENAI_API_KEY=sk-{c}\nexport DATABASE_URL='postgres://u:{c}@db/x'\nPEM=\"-----BEGIN\n{c}=\n\"\nPORT=80\n"))
        .home("infra/terraform.tfstate", format!(r#"{{"version":4,"resources":[{{"x":"{c}"}}]}}"#))
        .home("infra/prod.tfvars", format!("db_password = \"{c}\"\n"))
        .home(".config/gcloud/application_default_credentials.json", format!(r#"{{"client_id":"764086051850-x.apps.googleusercontent.com","client_secret":"{c}","refresh_token":"{c}","type":"authorized_user"}}"#))
        .home(".azure/msal_token_cache.json", format!(r#"{{"RefreshToken":{{"k":{{"secret":"{c}"}}}}}}"#))
        .home(".config/solana/id.json", format!("[{}]", vec!["7"; 64].join(",")))
        .home(".ethereum/keystore/UTC--x", format!(r#"{{"address":"00112233445566778899aabbccddeeff00112233","crypto":{{"ciphertext":"{c}"}}}}"#))
        .home(".bitcoin/bitcoin.conf", format!("rpcuser=u\nrpcpassword={c}\n"))
        .home(".bash_history", format!("#1774350000\npip install litellm --index-url https://u:{c}@registry.example/simple\nexport TOKEN={c}\n"))
        .home("gw/litellm_config.yaml", format!("general_settings:\n  master_key: sk-{c}\nmodel_list:\n- model_name: gpt\n  litellm_params:\n    api_key: sk-{c}\n"))
        .home("certs/server.pem", &key)
        .file("etc/wireguard/wg0.conf", format!("[Interface]\nPrivateKey = {c}\n"))
        .file("etc/environment", format!("SECRET_TOKEN={c}\n"))
        .file("etc/shadow", format!("alice:$6${c}:19000:0:99999:7:::\n"))
        .file("etc/redis/redis.conf", format!("requirepass {c}\n"))
        .file("etc/postfix/sasl_passwd", format!("smtp.example alice:{c}\n"))
        .file("var/run/secrets/kubernetes.io/serviceaccount/token", c)
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import os\n")
}

fn credentials(report: &Value) -> Vec<&Value> {
    report["credentials"].as_array().unwrap().iter().collect()
}

#[test]
fn every_place_is_found_and_no_secret_is_shown() {
    let machine = planted();
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    let found = |kind: &str| credentials(&report).iter().filter(|c| c["kind"] == kind).count();
    for kind in [
        "aws.access_key",
        "ssh.user_private_key",
        "k8s.kubeconfig_token",
        "k8s.kubeconfig_client_cert",
        "container.docker_config",
        "git.credential_store",
        "npm.token",
        "pypi.token",
        "vault.token",
        "netrc",
        "db.postgres",
        "db.mysql",
        "db.mongo",
        "llm.openai",
        "db.connection_strings",
        "terraform.state_vars",
        "gcp.adc_user",
        "azure.cli_user_tokens",
        "wallet.solana",
        "wallet.ethereum_keystore",
        "wallet.bitcoin_family",
        "os.shell_history",
        "litellm.proxy_config",
        "tls.private_key",
        "vpn.wireguard",
        "os.shadow",
        "db.redis",
        "smtp.credentials",
        "k8s.service_account_token",
        "dotenv.file",
    ] {
        assert!(found(kind) > 0, "{kind} was not found");
    }
    assert_eq!(found("aws.access_key"), 2);
    let root = machine.root().to_str().unwrap();
    for format in ["json", "ndjson", "table", "markdown"] {
        for command in ["scan", "rotate"] {
            let said = run([command, "--root", root, "--format", format, "-vv"]);
            assert_eq!(said.code, 1);
            assert!(!said.out.contains(CANARY) && !said.err.contains(CANARY), "{command} {format}");
            // Nor a part of it.
            assert!(!said.out.contains("CaNaRy"), "{command} {format}");
        }
    }
}

#[test]
fn reach_follows_the_payloads_list_and_the_account() {
    let (report, _) = report(planted().root());
    let one = |kind: &str| credentials(&report).into_iter().find(|c| c["kind"] == kind).unwrap().clone();
    let aws = one("aws.access_key");
    assert_eq!(aws["identifier"], "AKIAI44QH8DHBEXAMPLE");
    assert_eq!((aws["reach"].as_str(), aws["rotate"].as_str()), (Some("harvested"), Some("now")));
    assert_eq!(aws["reach_by"][0]["rule"], "~/.aws/credentials");
    let pypi = one("pypi.token");
    assert_eq!((pypi["reach"].as_str(), pypi["rotate"].as_str()), (Some("exposed"), Some("soon")));
}

#[test]
fn a_home_that_is_a_link_is_a_home_where_it_really_is() {
    for (link, target, real) in
        [("home/alice", "/data/al", "/data/al"), ("home", "data", "/data/alice"), ("other", "data", "/home/alice")]
    {
        let machine = planted();
        let of = |path: &str| machine.root().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(of(real).parent().unwrap()).unwrap();
        if real != "/home/alice" {
            std::fs::rename(of("home/alice"), of(real)).unwrap();
        }
        if link == "home" {
            std::fs::remove_dir(of("home")).unwrap();
        }
        std::os::unix::fs::symlink(target, of(link)).unwrap();
        let (report, _) = report(machine.root());
        let aws = credentials(&report).into_iter().find(|c| c["kind"] == "aws.access_key").unwrap();
        assert_eq!(aws["location"]["path"], format!("{real}/.aws/credentials"));
        assert_eq!((aws["reach"].as_str(), aws["rotate"].as_str()), (Some("harvested"), Some("now")), "{link}");
    }
}

#[test]
fn nothing_is_to_be_rotated_where_nothing_ran() {
    let machine = Machine::new()
        .home(
            ".aws/credentials",
            format!("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {CANARY}\n"),
        )
        .home("app/requirements.txt", "litellm==1.82.8\n");
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    let aws = credentials(&report)[0];
    assert_eq!((aws["reach"].as_str(), aws["rotate"].as_str()), (Some("out_of_reach"), Some("no")));
    assert!(!report["checklist"].to_string().contains("AKIA"));
}

#[test]
fn removal_comes_before_every_rotation_but_that_of_wallets() {
    let machine = planted().home(".config/sysmon/sysmon.py", "# inert\n");
    let (report, _) = report(machine.root());
    let items = report["checklist"].as_array().unwrap();
    let at = |text: &str| items.iter().position(|i| i.to_string().contains(text)).unwrap_or_else(|| panic!("{text}"));
    assert!(at("sysmon.py") < at("AKIAIOSFODNN7EXAMPLE") && at("litellm_init.pth") < at("AKIAIOSFODNN7EXAMPLE"));
    let phases =
        ["preserve", "contain", "disarm", "eradicate", "purge", "freeze", "rotate", "verify", "rebuild", "audit"];
    let streams = ["machine", "clean", "logs", "close"];
    let order: Vec<_> = items.iter().map(|i| streams.iter().position(|s| *s == i["workstream"]).unwrap()).collect();
    assert!(order.is_sorted(), "{order:?}");
    for item in items {
        for command in item["steps"].as_array().unwrap().iter().filter_map(|s| s["command"].as_str()) {
            let early = phases.iter().position(|p| *p == item["phase"]).unwrap() < 6;
            let starts_python = ["pip ", "python", "aws ", "az ", "gcloud "].iter().any(|w| command.starts_with(w));
            assert!(!(early && starts_python), "{command}");
        }
    }
}

#[test]
fn look_alikes_are_no_credentials() {
    let machine = Machine::new()
        .home(".npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\n")
        .home(".docker/config.json", r#"{"credsStore":"desktop","auths":{"registry.example":{}}}"#)
        .home(".aws/config", "[default]\nregion = eu-west-1\n")
        .home("app/.env", "PORT=80\nAPI_KEY=\nTOKEN=${OTHER}\nPASSWORD=changeme\n")
        .home(".kube/config", "users:\n- name: x\n  user:\n    exec:\n      command: aws\n")
        .home(".ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ x\n")
        .home("certs/ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let (report, code) = report(machine.root());
    assert_eq!(code, 0, "{:#?}", report["coverage"]["gaps"]);
    assert!(credentials(&report).is_empty(), "{:#?}", report["credentials"]);
}

#[test]
fn a_variable_that_moves_a_place_is_followed() {
    let machine = Machine::new().home(".bashrc", "export AWS_SHARED_CREDENTIALS_FILE=/srv/keys/aws\n").file(
        "srv/keys/aws",
        format!("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {CANARY}\n"),
    );
    let (report, _) = report(machine.root());
    assert_eq!(credentials(&report)[0]["location"]["path"], "/srv/keys/aws");
}

#[test]
fn variables_of_running_processes_are_reported_once_per_account() {
    let environ = |token: &str| format!("PATH=/bin\0OPENAI_API_KEY={token}\0NODE_ENV=production\0LESS=-R\0");
    let machine = Machine::new()
        .file("proc/71/environ", environ(CANARY))
        .file("proc/72/environ", environ(CANARY))
        .file("proc/73/environ", environ(""))
        .file("srv/app/environ", environ(CANARY))
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import os\n");
    let (report, _) = report(machine.root());
    let [one] = credentials(&report)[..] else { panic!("{}", report["credentials"]) };
    assert_eq!((one["kind"].as_str(), one["reach"].as_str()), (Some("llm.openai"), Some("harvested")));
    assert_eq!(one["location"]["path"], "/proc/71/environ");
    assert_eq!(one["location"]["inner"], "OPENAI_API_KEY");
    assert_eq!(one["note"], "1 more process has a variable of that name");
    assert_eq!(one["reach_by"][0]["rule"], "environment of a process of the account that ran it");
    assert!(!report.to_string().contains(CANARY));
}
