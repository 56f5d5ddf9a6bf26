//! The report for a terminal, looked at whole.

use super::*;
use crate::verdict::Phase;

#[test]
fn the_example_at_80_columns() {
    assert_snapshot!(shown("table", &example(), at_width(80)), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 files and folders, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    HIT    litellm 1.82.8 installed in /home/alice/app/.venv (litellm-2026-03)
    RAN?   yes: the payload left /home/alice/.config/sysmon/sysmon.py when it ran
    SINCE  2026-03-24 11:05 UTC (mtime of INSTALLER); on offer 10:52 to 16:00 UTC
    A  THE MACHINE; now
    A1  Remove the sysmon backdoor of alice
          systemctl --user mask --now sysmon.service
    B  A CLEAN MACHINE: another person; B1 on after A1
    B1  AWS access key AKIAIOSFODNN7EXAMPLE
          aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7…

    every step with commands and reasons: `dosimeter rotate`, as a script `--format
    sh`

    FINDINGS
    litellm-2026-03: LiteLLM 1.82.7 and 1.82.8 on PyPI
      litellm 1.82.7: available from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
      litellm 1.82.8: available from 2026-03-24T10:52:00Z to 2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/sysmon/sysmon.py
        /home/alice/.config/sysmon/sysmon.py
        when:  2026-03-24T11:06:10Z (birth time)
        why:   the payload's backdoor, dropped when it ran

      installed, confirmed: pypi/litellm@1.82.8
        /home/alice/app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version; its start-up hook runs at every Python start
        chain: litellm ← dspy ← my-plugin (asked for)

      cached, confirmed: pypi/litellm@1.82.8
        /home/alice/.cache/pip/http-v2/a/b/c/d/e/abcde0.body
        when:  2026-03-24T11:04:58Z (Date header in the cache entry)
        why:   the wheel's bytes are in pip's cache
        file:  litellm-1.82.8-py3-none-any.whl, 12345 bytes, sha256
               1111111111111111111111111111111111111111111111111111111111111111

      see https://github.com/BerriAI/litellm/issues/24512

    CREDENTIALS
    1 of 1 to rotate; no value is ever read into this report
    now   aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials [default]

    TIMELINE
    times of files move when a file is changed or copied; those of logs and
    histories were written as it happened
      2026-03-24T10:39:00Z  litellm 1.82.7: available from here on (published,
                            litellm-2026-03)
      2026-03-24T10:52:00Z  litellm 1.82.8: available from here on (published,
                            litellm-2026-03)
      2026-03-24T11:05:00Z  litellm 1.82.8 installed in /home/alice/app/.venv (mtime
                            of INSTALLER)
      2026-03-24T16:00:00Z  litellm 1.82.7: available until here (published,
                            litellm-2026-03)
      2026-03-24T16:00:00Z  litellm 1.82.8: available until here (published,
                            litellm-2026-03)

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     41

    LEFT OUT ON PURPOSE
      /proc/sys: pseudo file system
    "#);
}

#[test]
fn the_example_at_200_columns() {
    assert_snapshot!(shown("table", &example(), at_width(200)), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 files and folders, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    HIT    litellm 1.82.8 installed in /home/alice/app/.venv (litellm-2026-03)
    RAN?   yes: the payload left /home/alice/.config/sysmon/sysmon.py when it ran
    SINCE  2026-03-24 11:05 UTC (mtime of INSTALLER); on offer 10:52 to 16:00 UTC
    A  THE MACHINE; now
    A1  Remove the sysmon backdoor of alice
          systemctl --user mask --now sysmon.service
    B  A CLEAN MACHINE: another person; B1 on after A1
    B1  AWS access key AKIAIOSFODNN7EXAMPLE
          aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER

    every step with commands and reasons: `dosimeter rotate`, as a script `--format sh`

    FINDINGS
    litellm-2026-03: LiteLLM 1.82.7 and 1.82.8 on PyPI
      litellm 1.82.7: available from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
      litellm 1.82.8: available from 2026-03-24T10:52:00Z to 2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/sysmon/sysmon.py
        /home/alice/.config/sysmon/sysmon.py
        when:  2026-03-24T11:06:10Z (birth time)
        why:   the payload's backdoor, dropped when it ran

      installed, confirmed: pypi/litellm@1.82.8
        /home/alice/app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version; its start-up hook runs at every Python start
        chain: litellm ← dspy ← my-plugin (asked for)

      cached, confirmed: pypi/litellm@1.82.8
        /home/alice/.cache/pip/http-v2/a/b/c/d/e/abcde0.body
        when:  2026-03-24T11:04:58Z (Date header in the cache entry)
        why:   the wheel's bytes are in pip's cache
        file:  litellm-1.82.8-py3-none-any.whl, 12345 bytes, sha256
               1111111111111111111111111111111111111111111111111111111111111111

      see https://github.com/BerriAI/litellm/issues/24512

    CREDENTIALS
    1 of 1 to rotate; no value is ever read into this report
     rotate  kind            reach      owner  identifier            place
     now     aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE  /home/alice/.aws/credentials [default]

    TIMELINE
    times of files move when a file is changed or copied; those of logs and histories were written as it happened
      2026-03-24T10:39:00Z  litellm 1.82.7: available from here on (published, litellm-2026-03)
      2026-03-24T10:52:00Z  litellm 1.82.8: available from here on (published, litellm-2026-03)
      2026-03-24T11:05:00Z  litellm 1.82.8 installed in /home/alice/app/.venv (mtime of INSTALLER)
      2026-03-24T16:00:00Z  litellm 1.82.7: available until here (published, litellm-2026-03)
      2026-03-24T16:00:00Z  litellm 1.82.8: available until here (published, litellm-2026-03)

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     41

    LEFT OUT ON PURPOSE
      /proc/sys: pseudo file system
    "#);
}

#[test]
fn hostile_names_at_80_columns() {
    assert_snapshot!(shown("table", &examined(true, true), at_width(80)), @r#"
    exposed: made-up-2026-03 executed on this machine; examination incomplete
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    EXAMINATION INCOMPLETE: 1 gap; 812345 files and folders, 70.0 MiB read, 1
    exclusion
    indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    HIT    examplelib 1.2.3 installed in /home/alice/a|b`c\u{1b}[31m\xff/.venv
           (made-up-2026-03)
    RAN?   yes: the payload left /home/alice/.config/example/beacon.py when it ran
    SINCE  2026-03-24 11:05 UTC (mtime of INSTALLER); on offer 10:39 to 16:00 UTC
    NEVER  start Python, pip, aws or gcloud on it; pip uninstall; test an old key
    A  THE MACHINE; now
    A1  Keep the evidence before anything is changed
    A2  Cut the network by dropping packets; leave the power on
    A3  Remove alice's backdoor: made-up-2026-03
          keep s-a0efb69e /home/alice/.config/example/beacon.py
    A4  Take pypi/examplelib@1.2.3 out of /home/alice/a|b`c\u{1b}[31m\xff/.venv
    A5  Find out why the attacker's hosts are named
    B  A CLEAN MACHINE: another person; B1 on after A2
    B1  data, revoke then issue: aws.access_key: AKIAIOSFODNN7EXAMPLE
    B2  data, revoke then issue: ssh.key: /home/alice/.ssh/id\u{202e}<b>x</b>\n# y
    B3  Ask those who run it, and replace what no file shows
    C  LOGS from 2026-03-24 10:39 UTC: a third person, before they expire; now
        C1 Export the logs that expire
        look for evil[.]example
    DONE   [ ] D1 Examine again: dosimeter exits 0   [ ] D3 7 days: no old one used
           [ ] D2 A second person saw each revoked   [ ] Logs of C read
    THEN   D4 Put new secrets on this machine; D5 Make /home/alice…1m\xff/.venv anew

    every step with commands and reasons: `dosimeter rotate`, as a script `--format
    sh`

    FINDINGS
    made-up-2026-03: A made-up incident of examplelib
      examplelib 1.2.3: available from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/example/beacon.py
        /home/alice/.config/example/beacon.py
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   the payload's backdoor, left by the payload when it ran, by name

      installed, confirmed: pypi/examplelib@1.2.3
        /home/alice/a|b`c\u{1b}[31m\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version, where Python loads it; it runs at every Python
               start
        chain: examplelib ← dspy (asked for)

      referenced, likely: host/evil[.]example
        /home/alice/x.ini
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   points evil[.]example somewhere: took the stolen data

      see https://reports.example/a
      see https://reports.example/b
      see https://reports.example/c
      and 1 more source in the JSON report

    CREDENTIALS
    2 of 2 to rotate; no value is ever read into this report
    now   aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials
    now   ssh.key  harvested  alice
          /home/alice/.ssh/id\u{202e}<b>x</b>\n# y

    TIMELINE
    times of files move when a file is changed or copied; those of logs and
    histories were written as it happened
      2026-03-24T10:39:00Z  examplelib 1.2.3: available from here on (published,
                            made-up-2026-03)
      2026-03-24T11:05:00Z  /home/alice/.aws/credentials changed: aws.access_key
                            (mtime of the file)
      2026-03-24T11:05:00Z  /home/alice/.ssh/id\u{202e}<b>x</b>\n# y changed:
                            ssh.key (mtime of the file)
      2026-03-24T11:05:00Z  path/~/.config/example/beacon.py in
                            /home/alice/.config/example/beacon.py (mtime of
                            INSTALLER)
      2026-03-24T11:05:00Z  points evil[.]example somewhere: took the stolen data
                            (mtime of INSTALLER)
      2026-03-24T11:05:00Z  pypi/examplelib@1.2.3 installed in
                            /home/alice/a|b`c\u{1b}[31m�/.venv (mtime of INSTALLER)
      2026-03-24T16:00:00Z  examplelib 1.2.3: available until here (published,
                            made-up-2026-03)

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     44

    NOT EXAMINED
      /root/\u{1b}]0;x\u{7}
        walk: permission denied

    LEFT OUT ON PURPOSE
      /proc: pseudo file system
    "#);
}

#[test]
fn nothing_found_at_80_columns() {
    assert_snapshot!(shown("table", &examined(false, true), at_width(80)), @r#"
    nothing found, examination incomplete
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    EXAMINATION INCOMPLETE: 1 gap; 812345 files and folders, 70.0 MiB read, 1
    exclusion
    indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    CREDENTIALS
    0 of 2 to rotate; no value is ever read into this report
    no    aws.access_key  out_of_reach  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials
    no    ssh.key  out_of_reach  alice
          /home/alice/.ssh/id\u{202e}<b>x</b>\n# y

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     44

    NOT EXAMINED
      /root/\u{1b}]0;x\u{7}
        walk: permission denied

    LEFT OUT ON PURPOSE
      /proc: pseudo file system
    "#);
}

#[test]
fn a_crowd_is_counted_and_the_answer_said_again() {
    let mut report = example();
    let one = report.credentials.first().unwrap().clone();
    report.credentials = (0..150).map(|_| one.clone()).collect();
    let text = shown("table", &report, at_width(100));
    let answer = "exposed: litellm-2026-03 executed on this machine";
    assert_eq!(text.matches("/home/alice/.aws/credentials").count(), 100);
    assert!(text.contains("\nand 50 more to rotate: `dosimeter rotate`\n"), "{text}");
    assert!(text.starts_with(answer) && text.trim_end().ends_with(answer), "{text}");
    assert_eq!(shown("table", &example(), at_width(100)).matches(answer).count(), 1);
}

#[test]
fn the_list_of_a_disk_is_not_asked_of_this_machine() {
    let mut report = example();
    report.run.target.kind = "root".to_owned();
    let text = shown("table", &report, at_width(200));
    assert!(text.contains("commands and reasons: add `-o case.json`, then `dosimeter rotate case.json`"), "{text}");
}

/// Who reads on a telephone at night reads one screen.
#[test]
fn the_first_page_has_25_lines_at_most() {
    let mut report = example();
    let one = v1::Item { workstream: None, place: None, ..report.checklist.first().unwrap().clone() };
    let each = |phase: Phase| (0..40).map(move |n| (phase, n));
    let items = Phase::ALL.into_iter().flat_map(each);
    report.checklist = items
        .map(|(phase, n)| v1::Item { phase, title: format!("{n} {}", "long ".repeat(60)), ..one.clone() })
        .collect();
    for (at, item) in report.checklist.iter_mut().enumerate() {
        item.id = format!("s-{at:08x}");
    }
    for width in [60, 80, 200] {
        let lines = page::page(&report, width);
        assert!(lines.len() <= 25 + 4 && lines.iter().all(|l| l.chars().count() <= width), "{lines:#?}");
        for start in ["HIT ", "RAN?", "SINCE", "A  ", "B  ", "C  ", "DONE"] {
            assert_eq!(lines.iter().filter(|l| l.starts_with(start)).count(), 1, "{start}: {lines:#?}");
        }
        assert!(lines.iter().any(|l| l.contains("more, A")) && lines.iter().any(|l| l.contains("more, B")));
    }
}
