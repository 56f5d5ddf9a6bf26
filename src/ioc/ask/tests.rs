use super::*;
use crate::ioc::{Database, Index, withdrawn::Withdrawals};

/// Answers as `iocs search` does: the arguments, then the state, what is found (`incident indicator`), and the notes.
fn asked(index: &mut Index, arguments: &[&str]) -> Vec<(State, Vec<String>, Vec<String>)> {
    let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
    let withdrawn = Withdrawals::embedded().unwrap();
    let questions = questions(&arguments);
    let packages = questions.iter().flat_map(Question::packages).collect();
    let new = index.unadmitted(&packages);
    index.admit(new);
    let answer = |q: &Question| {
        let a = index.ask(q, &withdrawn, None);
        let id = |at| index.incident(at).map(|i| i.id.clone()).unwrap_or_default();
        let found = a.found.iter().map(|f| format!("{} {}", id(f.incident), f.indicator)).collect();
        (a.state, found, a.notes)
    };
    questions.iter().map(answer).collect()
}

fn embedded() -> Index {
    Index::new(Database::embedded().unwrap(), &[])
}

#[test]
fn what_people_type_finds_what_is_known() {
    let mut index = embedded();
    let (litellm, axios) = ("litellm-2026-03 pypi/litellm@1.82.8", "axios-2026-03 npm/axios@1.14.1");
    let (tj, commit) =
        ("tj-actions-2025-03 action/tj-actions/changed-files", "0e58ed8671d6b60d0890c21b07f8835ace038e67");
    let hook = "71e35aef03099cd1f2d6446734273025a163597de93912df321ef118bf135238";
    let sri = "sha256-ceNa7wMJnNHy1kRnNCcwJaFjWX3pORLfMh7xGL8TUjg=";
    let hash = format!("litellm-2026-03 hash/{hook}");
    let host = "litellm-2026-03 host/models.litellm.cloud";
    let address = "litellm-2026-03 host/46.151.182.203";
    let extension = "checkmarx-2026-03 openvsx/checkmarx.ast-results@2.53.0";
    let cases: &[(&[&str], &str)] = &[
        (&["litellm 1.82.8"], litellm),
        (&["litellm", "1.82.8"], litellm),
        (&["litellm", "v1.82.8"], "litellm-2026-03 pypi/litellm@v1.82.8"),
        (&["litellm", "==", "1.82.8"], litellm),
        (&["litellm", "version", "1.82.8"], litellm),
        (&["litellm==1.82.8"], litellm),
        (&["litellm ==1.82.8"], litellm),
        (&["litellm:1.82.8"], litellm),
        (&["litellm=1.82.8"], litellm),
        (&["litellm-1.82.8"], litellm),
        (&["litellm_1.82.8"], litellm),
        (&["litellm/1.82.8"], litellm),
        (&["litellm (1.82.8)"], litellm),
        (&["LITELLM==1.82.8"], litellm),
        (&["litellm[proxy]==1.82.8"], litellm),
        (&["litellm==1.82.8 ; python_version > '3.8'"], litellm),
        (&["litellm==1.82.8 \\"], litellm),
        (&["pip install litellm==1.82.8"], litellm),
        (&["python", "litellm", "1.82.8"], litellm),
        (&["pypi litellm 1.82.8"], litellm),
        (&["pypi:litellm:1.82.8"], litellm),
        (&["pip:litellm", "1.82.8"], litellm),
        (&["litellm = \"1.82.8\""], litellm),
        (&["\"litellm==1.82.8\","], litellm),
        (&["“litellm 1.82.8”"], litellm),
        (&["li\u{200b}tellm==1.82.8"], litellm),
        (&["litellm\u{2011}1.82.8"], litellm),
        (&["litellm>=1.82.7"], litellm),
        (&["litellm~=1.82.0"], litellm),
        (&["litellm"], litellm),
        (&["litellm==1.82.*"], litellm),
        (&["litellm@1.82.7,1.82.8"], litellm),
        (&["litellm==1.82.7||1.82.8"], litellm),
        (&["litellm", "1.82.7", "1.82.8"], litellm),
        (&["litellm 1.82.7 1.82.8"], litellm),
        (&["pkg:pypi/litellm@1.82.8"], litellm),
        (&["PKG:PyPI/LiteLLM@1.82.8"], litellm),
        (&["pkg:pypi/litellm@1.82.8?extension=whl"], litellm),
        (&["litellm-1.82.8-py3-none-any.whl"], litellm),
        (&["/tmp/x/litellm-1.82.8-py3-none-any.whl"], litellm),
        (&["litellm-1.82.8.tar.gz"], litellm),
        (&["litellm-1.82.8.dist-info"], litellm),
        (&["litellm-1.82.8-pyhd8ed1ab_0.conda"], litellm),
        (&["https://files.example/packages/ab/litellm-1.82.8.tar.gz#sha256=00"], litellm),
        (&["https://page.example/project/litellm/1.82.8/"], litellm),
        (&["axios 1.14.1"], axios),
        (&["AXIOS@1.14.1"], axios),
        (&["axios@1.14.1,"], axios),
        (&["`axios@1.14.1`"], axios),
        (&["\"axios\": \"1.14.1\""], axios),
        (&["\"axios\": \"^1.14.0\""], axios),
        (&["axios@1.x"], axios),
        (&["axios@npm:1.14.1"], axios),
        (&["/axios@1.14.1"], axios),
        (&["node_modules/axios@1.14.1"], axios),
        (&["npm", "axios", "1.14.1"], axios),
        (&["npm i axios@1.14.1"], axios),
        (&["axios-1.14.1.tgz"], axios),
        (&["https://registry.example/axios/-/axios-1.14.1.tgz"], axios),
        (&["https://page.example/package/axios/v/1.14.1"], axios),
        (&["xz@5.6.1"], "xz-2024-03 generic/tukaani-project/xz@5.6.1"),
        (&["xz 5.6.1"], "xz-2024-03 rpm/xz@5.6.1-1.fc40"),
        (&["xz-libs-5.6.0-1.fc40.x86_64.rpm"], "xz-2024-03 rpm/xz-libs@5.6.0-1.fc40"),
        (&["xz-utils_5.6.1-1_amd64.deb"], "xz-2024-03 deb/xz-utils@5.6.1-1"),
        (&["alvr-20.13.0-1-x86_64.pkg.tar.zst"], "aur-atomic-arch-2026-06 aur/alvr@20.13.0-1"),
        (&["pkg:alpm/arch/alvr@20.13.0-1?arch=x86_64"], "aur-atomic-arch-2026-06 aur/alvr@20.13.0-1"),
        (&["rest-client-1.6.10.gem"], "rest-client-2019-08 gem/rest-client@1.6.10"),
        (&["toptal-picasso-54.1.3.tgz"], "toptal-2025-07 npm/@toptal/picasso@54.1.3"),
        (&["@toptal/picasso", "54.1.3"], "toptal-2025-07 npm/@toptal/picasso@54.1.3"),
        (&["org.mvnpm:posthog-node:4.18.1"], "shai-hulud-2025-11 maven/org.mvnpm:posthog-node@4.18.1"),
        (&["tj-actions/changed-files"], tj),
        (&["TJ-Actions/Changed-Files"], tj),
        (&["https://github.com/tj-actions/changed-files"], tj),
        (&["uses: tj-actions/changed-files@v45"], "tj-actions-2025-03 action/tj-actions/changed-files@v45"),
        (&["tj-actions/changed-files", "v45.0.7"], "tj-actions-2025-03 action/tj-actions/changed-files@v45.0.7"),
        (
            &["https://github.com/tj-actions/changed-files/tree/v45"],
            "tj-actions-2025-03 action/tj-actions/changed-files@v45",
        ),
        (&["0e58ed8"], "tj-actions-2025-03 action/tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67"),
        (&[commit], "tj-actions-2025-03 action/tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67"),
        (&["checkmarx.ast-results"], extension),
        (&["checkmarx/ast-results"], extension),
        (&["Checkmarx.AST-results", "2.53.0"], extension),
        (&["checkmarx.ast-results-2.53.0.vsix"], extension),
        (&["aquasec/trivy:0.69.4"], "trivy-2026-03 image/aquasec/trivy"),
        (&["docker.io/aquasec/trivy:0.69.4"], "trivy-2026-03 image/aquasec/trivy"),
        (&["aquasec/trivy"], "trivy-2026-03 image/aquasec/trivy"),
        (&[hook], &hash),
        (&[&hook.to_uppercase()], &hash),
        (&[&format!("sha256:{hook}")], &hash),
        (&[&format!("--hash=sha256:{hook}")], &hash),
        (&[sri], &hash),
        (&["188d8592f393ce45f7273102f02efee1"], "telnyx-2026-03 hash/188d8592f393ce45f7273102f02efee1"),
        (
            &["8e6e505438c21f3d281e1cc257abdbf7223b7f5a"],
            "notepadpp-2025-06 hash/8e6e505438c21f3d281e1cc257abdbf7223b7f5a",
        ),
        (&["models.litellm.cloud"], host),
        (&["MODELS.LiteLLM.cloud."], host),
        (&["models.litellm.cloud:443"], host),
        (&["*.models.litellm.cloud"], host),
        (&["models[.]litellm[.]cloud"], host),
        (&["models(dot)litellm[dot]cloud"], host),
        (&["hXXps[:]//models[.]litellm[.]cloud:8443/x?y=z"], host),
        (&["hxxps://user@models.litellm.cloud/"], host),
        (&["models.litellm.cloud/a/b"], host),
        (&["46.151.182.203"], address),
        (&["46.151.182.203:443"], address),
        (&["46[.]151[.]182[.]203:8080"], address),
        (&["http://46.151.182.203/a/b"], address),
        (&["[::ffff:46.151.182.203]:443"], address),
        (&["C:\\ProgramData\\USOShared\\conf.c"], "notepadpp-2025-06 path/any:ProgramData/USOShared/conf.c"),
        (&["%ProgramData%\\USOShared\\conf.c"], "notepadpp-2025-06 path/any:ProgramData/USOShared/conf.c"),
        (&["models\\.litellm\\.cloud"], host),
        (&["MAL-2026-2254"], "telnyx-2026-03 incident/telnyx-2026-03"),
        (&["mal-2026-2254"], "telnyx-2026-03 incident/telnyx-2026-03"),
        (&["CVE-2025-30066"], "tj-actions-2025-03 incident/tj-actions-2025-03"),
        (&["GHSA-mrrh-fwg8-r2c3"], "tj-actions-2025-03 incident/tj-actions-2025-03"),
        (&["RUSTSEC-2026-0280"], "polinrider-2026-08 incident/polinrider-2026-08"),
        (&["TeamPCP"], "litellm-2026-03 incident/litellm-2026-03"),
        (&["unc6780"], "nx-console-2026-05 incident/nx-console-2026-05"),
        (&["Sapphire Sleet"], "mastra-2026-06 incident/mastra-2026-06"),
        (&["lazarus"], "3cx-2023-03 incident/3cx-2023-03"),
        (&["GlassWorm"], "glassworm-2025-10 incident/glassworm-2025-10"),
        (&["shai hulud"], "shai-hulud-2025-09 incident/shai-hulud-2025-09"),
        (&["litellm-2026-03"], "litellm-2026-03 incident/litellm-2026-03"),
        (&["litellm_init.pth"], "litellm-2026-03 path/site:litellm_init.pth"),
    ];
    let mut wrong = Vec::new();
    for (arguments, expected) in cases {
        let answers = asked(&mut index, arguments);
        let (state, found, notes) = &answers[0];
        let good = *state == State::Known && found.iter().any(|f| f == expected);
        if answers.len() != 1 || !good {
            wrong.push(format!("{arguments:?}: {found:?} {notes:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_says_what_is() {
    let mut index = embedded();
    let cases: &[(&[&str], &str)] = &[
        (&["litellm==1.82.6"], "known of pypi/litellm: 1.82.7, 1.82.8 (litellm-2026-03)"),
        (&["litellm==1.82.6"], "litellm-2026-03 names 1.82.6 as a good version"),
        (&["litellm", "1.82.9"], "known of pypi/litellm: 1.107.0 (litellm-2026-10)"),
        (&["litellm==1.82.80"], "known of pypi/litellm: 1.82.7, 1.82.8 (litellm-2026-03)"),
        (&["litellm-1.82.6.tar.gz"], "known of pypi/litellm: 1.82.7, 1.82.8 (litellm-2026-03)"),
        (&["axios@^2.0.0"], "known of npm/axios: 0.30.4, 1.14.1 (axios-2026-03)"),
        (&["npm:litellm@1.82.8"], "known in pypi, not in npm: ask `pypi:litellm@1.82.8`"),
        (&["cargo", "axios", "1.14.1"], "known in npm, not in cargo: ask `npm:axios@1.14.1`"),
        (&["litelm"], "known names like it: pypi/litellm"),
        (&["axois@1.14.1"], "known names like it: npm/axios"),
        (&["tj-actions/changed-file@v1"], "known names like it: action/tj-actions/changed-files"),
        (
            &["react-hook-form@7.73.0"],
            "withdrawn advisory GHSA-w8j3-qvc3-h56f, MAL-2026-2853 (2026-06-02) on npm/react-hook-form, 7.73.0",
        ),
        (&["React-Hook-Form", "7.73.0"], "withdrawn advisory GHSA-w8j3-qvc3-h56f"),
        (&["mal-2026-2853"], "withdrawn advisory GHSA-w8j3-qvc3-h56f"),
        (&["GHSA-x96m-c5fj-q75c"], "on npm/supabase, every version"),
        (&["flipper-plugin-core"], "advisory of an earlier package of that name"),
        (&["webhook.site"], "others use it too, so it proves nothing alone"),
        (&["MAL-2026-999999"], "numbers are known of curated incidents only"),
        (&["bitwarden"], "in the headings of bitwarden-cli-2026-04"),
        (&["pytorch"], "in the headings of torchtriton-2022-12"),
        (&["71e35aef03"], "of a hash all are needed"),
    ];
    for (arguments, note) in cases {
        let answers = asked(&mut index, arguments);
        let (state, found, notes) = &answers[0];
        assert_eq!((answers.len(), *state), (1, State::Unknown), "{arguments:?}: {found:?}");
        assert!(notes.iter().any(|n| n.contains(note)), "{arguments:?}: {notes:?}");
    }
    for arguments in
        [["requests 2.31.0"], ["example.org"], ["[2001:db8::1]:443"], ["203.0.113.7:443"], ["alvr-nightly-x"]]
    {
        let answers = asked(&mut index, &arguments);
        assert_eq!((answers[0].0, answers[0].2.len()), (State::Unknown, 0), "{arguments:?}: {answers:?}");
    }
}

#[test]
fn what_cannot_be_asked_says_how_to_ask() {
    let mut index = embedded();
    let cases: &[(&[&str], &str)] = &[
        (&["1.82.8"], "a version without a name: `iocs search 'NAME 1.82.8'`"),
        (&["==1.82.8"], "a version without a name"),
        (&["npm"], "`iocs list --ecosystem npm`"),
        (&["pypi:"], "`iocs search pypi:NAME@VERSION`"),
        (&[""], "nothing to look up"),
        (&["   "], "nothing to look up"),
        (&["\u{200b}"], "nothing to look up"),
        (&["***"], "no name in it"),
        (&["is litellm safe?"], "a name that is known: ask `iocs search litellm`"),
        (&["who did what to whom"], "ask with one name and version"),
    ];
    for (arguments, hint) in cases {
        let answers = asked(&mut index, arguments);
        assert_eq!((answers.len(), answers[0].0), (1, State::Unclear), "{arguments:?}: {answers:?}");
        assert!(answers[0].2.iter().any(|n| n.contains(hint)), "{arguments:?}: {answers:?}");
    }
    for (text, hint) in [
        ("a1".repeat(31), "62 hex digits are no SHA-256"),
        ("a1".repeat(34), "68 hex digits are no SHA-256"),
        ("a1".repeat(64), "ask with one of these"),
        (format!("sha512-{}==", "A".repeat(86)), "ask with one of these"),
    ] {
        let answers = asked(&mut index, &[&text]);
        assert_eq!(answers[0].0, State::Unclear, "{text}: {answers:?}");
        assert!(answers[0].2[0].contains(hint), "{text}: {answers:?}");
    }
}

#[test]
fn arguments_that_belong_together_are_one_question() {
    let texts = |arguments: &[&str]| -> Vec<String> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        questions(&arguments).into_iter().map(|q| q.text).collect()
    };
    assert_eq!(texts(&["a", "1.0", "b", "2.0"]), ["a 1.0", "b 2.0"]);
    assert_eq!(texts(&["a@1.0", "b@2.0"]), ["a@1.0", "b@2.0"]);
    assert_eq!(texts(&["a@1.0", "2.0"]), ["a@1.0", "2.0"]);
    assert_eq!(texts(&["a", "b"]), ["a", "b"]);
    assert_eq!(texts(&["npm", "a", "1.0", "b"]), ["npm a 1.0", "b"]);
    assert_eq!(texts(&["a", "1.0", "1.1", "b"]), ["a 1.0 1.1", "b"]);
    assert_eq!(texts(&["a 1.0, b 2.0"]), ["a 1.0", "b 2.0"]);
    assert_eq!(texts(&["a==1.0\nb==2.0\n"]), ["a==1.0", "b==2.0"]);
    assert_eq!(texts(&["a,b"]), ["a,b"]);
    assert_eq!(texts(&["this is a longer sentence, with a comma in it"]).len(), 1);
    // Addresses, hashes and hosts are no versions.
    assert_eq!(texts(&["a", "203.0.113.7"]), ["a", "203.0.113.7"]);
    assert_eq!(texts(&["a", "203.0.113.7:443"]), ["a", "203.0.113.7:443"]);
    assert_eq!(texts(&["a", "3cx.example"]), ["a", "3cx.example"]);
    assert_eq!(texts(&["a", &"1".repeat(64)]), ["a".to_owned(), "1".repeat(64)]);
}

#[test]
fn hostile_questions_are_answered() {
    let mut index = embedded();
    let long = [
        "-1".repeat(50_000),
        "a@".repeat(50_000),
        "1.".repeat(50_000),
        "a ".repeat(50_000),
        "/".repeat(100_000),
        "[.]".repeat(30_000),
    ];
    let odd = [
        "@",
        ":",
        "==",
        "a==",
        "@/",
        "pkg:",
        "pkg:npm",
        "pkg:npm/%",
        "sha256:",
        "://",
        "http://",
        "[",
        "]",
        "[]",
        "a@@1",
        "\u{202e}",
        "é-1.0.whl",
        "-.whl",
        "1-1.gem",
        "x.vsix",
        "@a/-1.0.tgz",
        "--hash=",
        "sha256-====",
        "npm:",
        "\0",
    ];
    for text in odd.into_iter().chain(long.iter().map(String::as_str)) {
        asked(&mut index, &[text]);
        asked(&mut index, &[text, text]);
    }
}
