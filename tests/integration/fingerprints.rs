//! Identifiers of keys as the real tools print them: ssh-keygen, openssl and gpg, on fifty keys and certificates made for the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{machine::Machine, program};

/// What a tool prints; it must be there and succeed.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the tools make the evidence
fn run(program: &str, args: &[&OsStr], home: &Path) -> Vec<u8> {
    let output = Command::new(program).args(args).env("GNUPGHOME", home).env("LC_ALL", "C").output();
    let output = output
        .unwrap_or_else(|e| panic!("the tests need `{program}` ({e}): run them with `tests/run`, which installs it"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

macro_rules! run {
    ($home:expr, $program:expr, $($arg:expr),+) => {
        run($program, &[$(OsStr::new($arg)),+], $home)
    };
}

/// The identifiers that a report has, by file.
fn identifiers(report: &Value, kind: &str) -> BTreeMap<String, String> {
    let all = report["credentials"].as_array().unwrap().iter().filter(|c| c["kind"] == kind);
    all.filter_map(|c| Some((c["location"]["path"].as_str()?.to_owned(), c["identifier"].as_str()?.to_owned())))
        .collect()
}

/// A folder of alice.
fn folder(machine: &Machine, path: &str) -> PathBuf {
    let folder = machine.root().join("home/alice").join(path);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn second_word(line: &[u8]) -> String {
    String::from_utf8_lossy(line).split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn ssh_keygen_prints_the_same_fingerprints() {
    let machine = Machine::new();
    let folder = folder(&machine, ".ssh/keys");
    let mut expected = BTreeMap::new();
    // What of a key its own form shows: without the passphrase, OpenSSH's form does; PEM does not.
    let forms: &[(&str, &str, &[&str])] = &[
        ("ed25519", "", &[]),
        ("ed25519", "a long passphrase", &[]),
        ("ecdsa", "", &["-b", "256"]),
        ("ecdsa", "", &["-b", "384"]),
        ("ecdsa", "", &["-b", "521"]),
        ("ecdsa", "a long passphrase", &["-b", "256"]),
        ("rsa", "", &["-b", "2048"]),
        ("rsa", "a long passphrase", &["-b", "2048"]),
        ("rsa", "", &["-b", "2048", "-m", "PEM"]),
        ("rsa", "", &["-b", "2048", "-m", "PKCS8"]),
        ("ecdsa", "", &["-b", "256", "-m", "PKCS8"]),
        ("ecdsa", "", &["-b", "384", "-m", "PEM"]),
    ];
    for (n, (kind, passphrase, more)) in forms.iter().chain(forms.iter().take(8)).enumerate() {
        let path = folder.join(format!("key{n}"));
        let file = path.to_str().unwrap();
        let mut args = vec!["-q", "-t", kind, "-N", passphrase, "-f", file];
        args.extend(*more);
        run("ssh-keygen", &args.iter().map(OsStr::new).collect::<Vec<_>>(), &folder);
        let print = run!(&folder, "ssh-keygen", "-lf", &format!("{file}.pub"));
        expected.insert(format!("/home/alice/.ssh/keys/key{n}"), second_word(&print));
    }
    assert_eq!(expected.len(), 20);
    let (report, _) = program::report(machine.root());
    assert_eq!(identifiers(&report, "ssh.user_private_key"), expected);
}

/// The fingerprint of a public key in PEM, by ssh-keygen; it takes no Ed25519 in that form, of which the last 32 bytes are the key.
fn fingerprint(public: &Path, home: &Path) -> String {
    let der = run!(home, "openssl", "pkey", "-pubin", "-in", public, "-outform", "DER");
    if der.len() == 44 {
        let name = b"ssh-ed25519";
        let parts = [&[0, 0, 0, 11][..], name, &[0, 0, 0, 32], &der[12..]];
        return format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(parts.concat())));
    }
    let line = run!(home, "ssh-keygen", "-i", "-m", "PKCS8", "-f", public);
    let converted = public.with_extension("ssh");
    fs::write(&converted, line).unwrap();
    second_word(&run!(home, "ssh-keygen", "-lf", &converted))
}

#[test]
fn openssl_has_the_same_keys_alone_and_beside_their_certificates() {
    let machine = Machine::new();
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let private = machine.root().join("etc/ssl/private");
    fs::create_dir_all(&private).unwrap();
    let mut expected = BTreeMap::new();
    let kinds: &[&[&str]] = &[
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-algorithm", "ED25519"],
    ];
    for n in 0..20 {
        let (key, public) = (scratch.join(format!("{n}.key")), scratch.join(format!("{n}.pub")));
        let mut args: Vec<&OsStr> = ["genpkey", "-quiet"].map(OsStr::new).to_vec();
        args.extend(kinds[n % kinds.len()].iter().map(OsStr::new));
        args.extend([OsStr::new("-out"), key.as_os_str()]);
        run("openssl", &args, scratch);
        let mut bytes = fs::read(&key).unwrap();
        if n < 10 {
            // Behind its own certificate, whose key it must be.
            let certificate = scratch.join(format!("{n}.crt"));
            run!(
                scratch,
                "openssl",
                "req",
                "-x509",
                "-new",
                "-key",
                &key,
                "-subj",
                "/CN=made-up.example",
                "-days",
                "1",
                "-out",
                &certificate
            );
            fs::write(&public, run!(scratch, "openssl", "x509", "-in", &certificate, "-noout", "-pubkey")).unwrap();
            bytes = [fs::read(&certificate).unwrap(), bytes].concat();
        } else {
            run!(scratch, "openssl", "pkey", "-in", &key, "-pubout", "-out", &public);
            // The older forms, and DER.
            match (n % kinds.len(), n) {
                (0, 10) => bytes = run!(scratch, "openssl", "rsa", "-in", &key, "-traditional"),
                (1 | 2, 11 | 12) => bytes = run!(scratch, "openssl", "ec", "-in", &key),
                (_, 15..) => bytes = run!(scratch, "openssl", "pkey", "-in", &key, "-outform", "DER"),
                _ => {}
            }
        }
        fs::write(private.join(format!("{n}.pem")), bytes).unwrap();
        expected.insert(format!("/etc/ssl/private/{n}.pem"), fingerprint(&public, scratch));
    }
    let (report, _) = program::report(machine.root());
    assert_eq!(identifiers(&report, "tls.private_key"), expected);
}

#[test]
fn gpg_has_the_same_keygrips() {
    let machine = Machine::new();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::set_permissions(home, fs::Permissions::from_mode(0o700)).unwrap();
    for (n, kind) in ["ed25519", "rsa2048", "nistp256", "ed25519", "ed25519"].iter().enumerate() {
        let user = format!("made-up-{n} <{n}@x.example>");
        run!(
            home,
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
            "--quick-generate-key",
            &user,
            kind,
            "sign",
            "1d"
        );
        let list = run!(home, "gpg", "--batch", "--with-colons", "--list-secret-keys", &user);
        let list = String::from_utf8(list).unwrap();
        let print = list.lines().find_map(|l| l.strip_prefix("fpr:")).unwrap().trim_matches(':').to_owned();
        let subkey = if *kind == "rsa2048" { "rsa2048" } else { "cv25519" };
        run!(
            home,
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
            "--quick-add-key",
            &print,
            subkey,
            "encrypt",
            "1d"
        );
    }
    let list = String::from_utf8(run!(home, "gpg", "--batch", "--with-colons", "--with-keygrip", "--list-secret-keys"))
        .unwrap();
    let expected: BTreeSet<String> =
        list.lines().filter_map(|l| l.strip_prefix("grp:")).map(|g| g.trim_matches(':').to_owned()).collect();
    run!(home, "gpgconf", "--kill", "all");
    assert_eq!(expected.len(), 10);
    let keys = folder(&machine, ".gnupg/private-keys-v1.d");
    for file in fs::read_dir(home.join("private-keys-v1.d")).unwrap().map(|f| f.unwrap().path()) {
        fs::copy(&file, keys.join(file.file_name().unwrap())).unwrap();
    }
    let (report, _) = program::report(machine.root());
    let found: BTreeSet<String> = identifiers(&report, "gpg.private_key").into_values().collect();
    assert_eq!(found, expected);
}
