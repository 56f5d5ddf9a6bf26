//! LiteLLM 1.82.8, whose list was read out of the decoded collector: as the owner of an environment, as every account of a machine, and
//! in an image.

use super::{
    machine::Machine,
    reach::{
        ALICE, BOB, IF_THERE, OFF_LIST, ON_LIST, OTHER_HOME, Planted, SECRET, UNREADABLE, aws, compare, judged, key,
        kube, npmrc, numbers, open, own, service_account,
    },
};

/// A file, what an ordinary user's collector could do with it, and what that of every account could.
type Row = (Planted, &'static str, &'static str);

/// In reach of whoever reads it: of alice, and of everybody.
fn both(planted: Planted, words: &'static str) -> Row {
    (planted, words, words)
}

/// On the list, and for root alone.
fn of_root(planted: Planted) -> Row {
    (planted, UNREADABLE, ON_LIST)
}

fn lines(text: &str) -> String {
    text.replace('%', SECRET)
}

/// The homes: those of the list are every folder of `/home`, and `/root`.
fn homes() -> Vec<Row> {
    let wallet =
        || format!(r#"{{"address":"00112233445566778899aabbccddeeff00112233","crypto":{{"ciphertext":"{SECRET}"}}}}"#);
    vec![
        // ~/.ssh, two folders deep.
        both(own("/home/alice/.ssh/id_rsa", key()), ON_LIST),
        both(own("/home/alice/.ssh/keys/team/deploy", key()), ON_LIST),
        both(own("/home/alice/.ssh/keys/team/old/deploy", key()), OFF_LIST),
        of_root(own("/home/bob/.ssh/id_rsa", key())),
        both(open("/home/bob/.ssh/shared", key()), ON_LIST),
        of_root(own("/root/.ssh/id_rsa", key())),
        // Files by name, directly in a home.
        both(own("/home/alice/.git-credentials", lines("https://alice:%@forge.example\n")), ON_LIST),
        both(own("/home/alice/.aws/credentials", aws()), ON_LIST),
        both(own("/home/alice/.aws/config", aws()), ON_LIST),
        both(
            own(
                "/home/alice/.aws/sso/cache/a.json",
                lines(r#"{"startUrl":"https://s.example","accessToken":"%","expiresAt":"2027-01-01T00:00:00Z"}"#),
            ),
            OFF_LIST,
        ),
        both(own("/home/alice/.kube/config", kube()), ON_LIST),
        both(own("/home/alice/.kube/config-prod", kube()), OFF_LIST),
        both(own("/home/alice/.docker/config.json", lines(r#"{"auths":{"registry.example":{"auth":"%"}}}"#)), ON_LIST),
        both(own("/home/alice/.npmrc", npmrc()), ON_LIST),
        both(own("/home/alice/code/web/.npmrc", npmrc()), OFF_LIST),
        both(own("/home/alice/.vault-token", SECRET), ON_LIST),
        both(own("/home/alice/.netrc", lines("machine api.example login alice password %\n")), ON_LIST),
        both(own("/home/alice/.lftp/rc", lines("open -u alice,% ftp.example\n")), ON_LIST),
        both(own("/home/alice/.msmtprc", lines("account a\nuser alice\npassword %\n")), ON_LIST),
        both(own("/home/alice/.my.cnf", lines("[client]\nuser=alice\npassword=%\n")), ON_LIST),
        both(own("/home/alice/.pgpass", lines("db.example:5432:app:alice:%\n")), ON_LIST),
        both(own("/home/alice/.mongorc.js", lines("db = connect('mongodb://alice:%@db.example/app')\n")), ON_LIST),
        both(own("/home/alice/.bash_history", "ls\n"), ON_LIST),
        both(own("/home/alice/.psql_history", "select 1;\n"), ON_LIST),
        both(own("/home/alice/.python_history", "1\n"), OFF_LIST),
        of_root(own("/home/bob/.zsh_history", "ls\n")),
        // Not on the list.
        both(own("/home/alice/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")), OFF_LIST),
        both(own("/home/alice/.cargo/credentials.toml", lines("[registry]\ntoken = \"%\"\n")), OFF_LIST),
        both(
            own("/home/alice/.config/gh/hosts.yml", lines("github.com:\n    oauth_token: %\n    user: alice\n")),
            OFF_LIST,
        ),
        both(
            own(
                "/home/alice/.mozilla/firefox/a.default/logins.json",
                lines(r#"{"logins":[{"hostname":"https://a.example","encryptedPassword":"%"}]}"#),
            ),
            OFF_LIST,
        ),
        both(own("/home/alice/.password-store/mail.gpg", "x"), OFF_LIST),
        both(own("/home/alice/.local/share/keyrings/login.keyring", "x"), OFF_LIST),
        (own("/home/bob/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")), UNREADABLE, OFF_LIST),
        // ~/.config/gcloud, four folders deep; ~/.azure, three.
        both(own("/home/alice/.config/gcloud/application_default_credentials.json", service_account()), ON_LIST),
        both(own("/home/alice/.config/gcloud/legacy_credentials/a/adc.json", service_account()), ON_LIST),
        both(own("/home/alice/.config/gcloud/1/2/3/4/sa.json", service_account()), ON_LIST),
        both(own("/home/alice/.config/gcloud/1/2/3/4/5/sa.json", service_account()), OFF_LIST),
        both(
            own("/home/alice/.azure/msal_token_cache.json", lines(r#"{"RefreshToken":{"k":{"secret":"%"}}}"#)),
            ON_LIST,
        ),
        // Wallets.
        both(own("/home/alice/.bitcoin/bitcoin.conf", lines("rpcuser=u\nrpcpassword=%\n")), ON_LIST),
        both(own("/home/alice/.bitcoin/wallet.dat", "x"), ON_LIST),
        both(own("/home/alice/.bitcoin/wallets/a/wallet.dat", "x"), ON_LIST),
        both(own("/home/alice/.bitcoin/wallets/a/b/wallet.dat", "x"), OFF_LIST),
        both(own("/home/alice/.litecoin/litecoin.conf", lines("rpcuser=u\nrpcpassword=%\n")), ON_LIST),
        both(own("/home/alice/.litecoin/wallet.dat", "x"), OFF_LIST),
        both(own("/home/alice/.ethereum/keystore/UTC--a", wallet()), ON_LIST),
        both(own("/home/alice/.foundry/keystores/a", wallet()), OFF_LIST),
        both(own("/home/alice/.config/solana/id.json", numbers()), ON_LIST),
        both(own("/home/alice/validator-keypair.json", numbers()), ON_LIST),
        // Homes that the list does not name: one of a service, one of another system.
        both(open("/var/lib/ci/.npmrc", npmrc()).of(990), OTHER_HOME),
        (own("/var/lib/ci/.netrc", lines("machine api.example login ci password %\n")).of(990), UNREADABLE, OTHER_HOME),
        both(own("/Users/alice/.aws/credentials", aws()).of(ALICE), OTHER_HOME),
        both(
            own("/Users/alice/.pypirc", lines("[pypi]\nusername = __token__\npassword = pypi-%\n")).of(ALICE),
            OFF_LIST,
        ),
    ]
}

/// The system, the roots that are searched, and the working folder.
fn elsewhere() -> Vec<Row> {
    let env = || lines("APP_SECRET=%\n");
    let state = || lines(r#"{"version":4,"resources":[{"instances":[{"attributes":{"password":"%"}}]}]}"#);
    let gateway = || lines("model_list:\n- model_name: gpt\n  litellm_params:\n    api_key: sk-%\n");
    vec![
        of_root(own("/etc/ssh/ssh_host_ed25519_key", key())),
        of_root(own("/etc/shadow", lines("alice:$6$%:19000:0:99999:7:::\n"))),
        both(open("/etc/environment", env()), ON_LIST),
        of_root(own("/etc/kubernetes/admin.conf", kube())),
        of_root(own("/etc/wireguard/wg0.conf", lines("[Interface]\nPrivateKey = %\n"))),
        // `wg showconf` gives what NetworkManager set up, too.
        (
            own("/etc/NetworkManager/system-connections/w.nmconnection", lines("[wireguard]\nprivate-key=%\n")),
            UNREADABLE,
            // The file itself, which may hold a password of another VPN, is on no list.
            "harvested likely now | exposed possible soon",
        ),
        of_root(own("/etc/redis/redis.conf", lines("requirepass %\n"))),
        of_root(own("/etc/postfix/sasl_passwd", lines("smtp.example alice:%\n"))),
        both(open("/etc/mysql/my.cnf", lines("[client]\nuser=app\npassword=%\n")), ON_LIST),
        both(open("/etc/ldap.conf", lines("bindpw %\n")), ON_LIST),
        (own("/etc/nslcd.conf", lines("bindpw %\n")), UNREADABLE, OFF_LIST),
        of_root(own("/var/lib/postgresql/.pgpass", lines("db.example:5432:app:pg:%\n"))),
        both(open("/kaniko/.docker/config.json", lines(r#"{"auths":{"registry.example":{"auth":"%"}}}"#)), ON_LIST),
        both(open("/var/run/secrets/kubernetes.io/serviceaccount/token", SECRET), ON_LIST),
        both(open("/run/secrets/a/b/c/password", SECRET), ON_LIST),
        both(open("/var/secrets/password", SECRET), ON_LIST),
        (own("/var/lib/kubelet/pki/kubelet-client-current.pem", key()), UNREADABLE, ON_LIST),
        (own("/etc/kubernetes/pki/ca.key", key()), UNREADABLE, OFF_LIST),
        of_root(own("/etc/ssl/private/site.key", key())),
        of_root(own("/etc/letsencrypt/live/site/privkey.pem", key())),
        // .env, six folders below a root; anywhere it is taken, where it is the working folder's or that of one of the two above.
        both(own("/home/alice/1/2/3/4/5/6/.env", env()), ON_LIST),
        both(own("/home/alice/1/2/3/4/5/6/7/.env", env()), IF_THERE),
        both(open("/opt/1/2/3/4/5/6/.env", env()), ON_LIST),
        both(open("/srv/web/.env.production", env()), ON_LIST),
        (own("/srv/web/.env", env()), UNREADABLE, ON_LIST),
        both(open("/usr/local/web/.env", env()), IF_THERE),
        both(open("/data/.env", env()), ON_LIST),
        // Only the working folder's: the project that holds the environment is most likely that.
        both(own("/home/alice/code/app/.env.test", env()), ON_LIST),
        both(own("/home/alice/code/.env.test", env()), ON_LIST),
        both(own("/home/alice/code/web/.env.test", env()), IF_THERE),
        both(own("/home/alice/code/web/.env.ci", env()), OFF_LIST),
        both(own("/home/alice/code/web/ci.env", lines("STRIPE_API_KEY=%\n")), IF_THERE),
        // Terraform, four folders deep.
        both(own("/home/alice/1/2/3/4/terraform.tfstate", state()), ON_LIST),
        both(own("/home/alice/1/2/3/4/5/terraform.tfstate", state()), OFF_LIST),
        both(own("/home/alice/1/terraform.tfstate.backup", state()), OFF_LIST),
        both(own("/home/alice/1/prod.tfvars", lines("db_password = \"%\"\n")), ON_LIST),
        // Keys, five folders deep.
        both(own("/home/alice/1/2/3/4/5/site.pem", key()), ON_LIST),
        both(own("/home/alice/1/2/3/4/5/6/site.pem", key()), OFF_LIST),
        both(open("/usr/local/etc/site.key", key()), OFF_LIST),
        // By grep below the working folder.
        both(own("/home/alice/code/app/conf/litellm_config.yaml", gateway()), ON_LIST),
        both(own("/home/alice/code/web/litellm_config.yaml", gateway()), IF_THERE),
        both(own("/home/alice/code/app/tools/service-account.json", service_account()), OFF_LIST),
        // What a variable leads to, and what sets variables.
        both(open("/usr/local/etc/named-sa.json", service_account()), ON_LIST),
        both(
            own(
                "/home/alice/.bashrc",
                lines(
                    "export OPENAI_API_KEY=sk-%\nexport GOOGLE_APPLICATION_CREDENTIALS=/usr/local/etc/named-sa.json\n",
                ),
            ),
            ON_LIST,
        ),
        // Processes: those of the account have what it has.
        both(own("/proc/71/environ", lines("PATH=/bin\0OPENAI_API_KEY=%\0")).of(ALICE), ON_LIST),
        (own("/proc/72/environ", lines("PATH=/bin\0ANTHROPIC_API_KEY=%\0")).of(BOB), UNREADABLE, ON_LIST),
    ]
}

#[test]
fn as_the_owner_of_an_environment() {
    let machine =
        Machine::new().venv("code/app/.venv").dist("litellm", "1.82.8").site_file("litellm_init.pth", "import os\n");
    let rows: Vec<Row> = homes().into_iter().chain(elsewhere()).collect();
    let expected: Vec<(&str, &str)> = rows.iter().map(|(p, user, _)| (p.path, *user)).collect();
    let planted: Vec<Planted> = rows.into_iter().map(|(p, ..)| p).collect();
    compare(&judged(machine, &planted, ALICE), &expected);
}

#[test]
fn as_every_account_where_the_environment_is_the_system_s() {
    let site = "usr/lib/python3/dist-packages";
    let machine = Machine::new()
        .file(
            &format!("{site}/litellm-1.82.8.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n",
        )
        .file(&format!("{site}/litellm_init.pth"), "import os\n");
    let rows: Vec<Row> = homes().into_iter().chain(elsewhere()).collect();
    // No project holds the environment: the working folder may have been any.
    let unknown = |path: &str| path.ends_with("/code/app/.env.test") || path == "/home/alice/code/.env.test";
    let gateway = |path: &str| path.ends_with("/app/conf/litellm_config.yaml");
    let expected: Vec<(&str, &str)> = rows
        .iter()
        .map(|(p, _, every)| (p.path, if unknown(p.path) || gateway(p.path) { IF_THERE } else { *every }))
        .collect();
    let planted: Vec<Planted> = rows.into_iter().map(|(p, ..)| p).collect();
    compare(&judged(machine, &planted, 0), &expected);
}
