//! The report and the checklist for a ticket, looked at whole.

use super::*;

#[test]
fn hostile_names_in_markdown() {
    assert_snapshot!(shown(Format::Markdown, &examined(true, true), Style::default()), @r#"
    # exposed: made-up-2026-03 executed on this machine; examination incomplete

    - host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    - EXAMINATION INCOMPLETE: 1 gap; 812345 names seen, 70.0 MiB read, 1 exclusion
    - indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    ## What to do now

    ### preserve

    - [ ] **1. Keep the evidence before anything is changed**
      - why: what follows destroys traces, and only they can tell what was taken and when
      - [ ] start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; each start can run the payload again
      - [ ] take an image of the disk, or a snapshot of the volume or virtual machine; of a running machine its memory too
      - [ ] copy this report to another machine
      - [ ] make a folder for what is taken out below; the commands there use it

        ```sh
        EVIDENCE="$(mktemp -d /root/evidence.XXXXXX)"
        ```

      - [ ] export the logs that expire: cloud audit trails (90 days in CloudTrail's event history), CI, DNS and proxy logs

    ### contain

    - [ ] **2. Cut the network by dropping packets**
      - why: the payload sends what it takes and fetches more; a proxy that answers 401, 403 or 407 can look like a revoked token, and some payloads delete files when a token is revoked
      - [ ] deny all traffic at the switch, security group or firewall with a rule that drops and never rejects; not with a proxy or captive portal that answers
      - [ ] where the machine has to stay online, drop at least evil\[.\]example

    ### eradicate

    - [ ] **3. Remove the backdoor of made-up-2026-03 of alice**
      - why: it starts again at each boot or login, and fetches new code
      - after: 1-2
      - [ ] move /home/alice/.config/example/beacon.py to the evidence

        ```sh
        (cd / && cp -a --parents -- home/alice/.config/example/beacon.py "${EVIDENCE:?}/") && rm -- /home/alice/.config/example/beacon.py
        ```

    - [ ] **4. Take pypi/examplelib@<!-- -->1.2.3 out of /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv**
      - why: code of the payload may have been written into any file of it; uninstalling starts the very Python that runs the payload
      - after: 1-2
      - [ ] stop the services and jobs that use it; never use pip for this
      - [ ] this folder is more than one environment, so only what the package brought is deleted; rebuild the machine where you can
      - [ ] delete /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv/lib/python3.11/site-packages/examplelib

        ```sh
        rm -rf -- $'/home/alice/a|b`c\033[31m\377/.venv/lib/python3.11/site-packages/examplelib'
        ```

      - [ ] delete /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info

        ```sh
        rm -rf -- $'/home/alice/a|b`c\033[31m\377/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info'
        ```


    ### purge

    - [ ] **5. Find out why the attacker's hosts are named**
      - why: a block list is harmless, a setting that points there is not
      - after: 1-4
      - [ ] /home/alice/x.ini: points evil\[.\]example somewhere: took the stolen data
    - [ ] **6. Put back what was deleted, in a good version**
      - why: from emptied caches and changed pins, so that the malicious version cannot come back
      - after: 3-5
      - [ ] pin examplelib 1.2.2
      - [ ] make /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv anew
      - [ ] best on a rebuilt machine; on this one only after a second examination finds nothing that runs

    ### freeze

    - [ ] **7. Stop publishing, deploying and CI that reads secrets**
      - why: a job that still runs hands the new secret to whoever has the old one, and a stolen publishing token turns one victim into many
      - [ ] pause release and deployment pipelines, scheduled jobs and self-hosted runners until the new secrets are in place
      - [ ] pin dependencies: no automatic updates until then
      - [ ] set a time at which every old secret is dead; nothing new is stored before it in a place that an old one can read

    ### rotate

    - [ ] **8. now: What made-up-2026-03 takes beyond the files found here**
      - why: no scan can see which of these the process that ran it could reach; ask those who run it
      - after: 3-7
      - [ ] from a clean machine, replace whatever of this the process could reach:
      - [ ] every environment variable of the process that ran it
    - [ ] **9. now: aws.access\_key AKIAIOSFODNN7EXAMPLE**
      - why: harvested by made-up-2026-03; on the payload's list (\~/.aws/credentials), belongs to alice
      - after: 3-7
      - [ ] from a clean machine
      - [ ] it stands in /home/alice/.aws/credentials
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind
    - [ ] **10. now: ssh.key in /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y**
      - why: harvested by made-up-2026-03; on the payload's list (\~/.ssh/\*\*/\*), belongs to alice
      - after: 3-7
      - [ ] from a clean machine
      - [ ] it stands in /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind

    ### verify

    - [ ] **11. Examine again**
      - why: what was missed steals the new secrets too
      - after: 3-6
      - [ ] examine this machine, as root

        ```sh
        dosimeter
        ```

    - [ ] **12. Ask each provider whether the old ones are dead**
      - why: a new secret in its place proves nothing about the copy that was taken
      - after: 8-10
      - [ ] by a second person, from a clean machine: the old identifier is revoked, inactive or absent
      - [ ] sessions and tokens minted from the old one are dead too
    - [ ] **13. Watch the logs for the old ones**
      - why: a use after the revocation means that something still lives, or that another copy exists
      - after: 8-10
      - [ ] no successful use of any old identifier since it was revoked; write down where there is no log

    ## Findings

    ### made-up-2026-03: A made-up incident of examplelib

    - examplelib 1.2.3 could be had from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
    - <https://reports.example/a>
    - <https://reports.example/b>
    - <https://reports.example/c>
    - <https://reports.example/d>

    - **executed, confirmed**: `path/~/.config/example/beacon.py`
      - `/home/alice/.config/example/beacon.py`
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: the payload's backdoor, left by the payload when it ran, by name
    - **installed, confirmed**: `pypi/examplelib@1.2.3`
      - ``/home/alice/a|b`c\u{1b}[31m\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info/METADATA``
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: malicious version, where Python loads it; it runs at every Python start
      - chain: `examplelib ← dspy (asked for)`
    - **referenced, likely**: `host/evil[.]example`
      - `/home/alice/x.ini`
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: points evil\[.\]example somewhere: took the stolen data

    ## Credentials

    No value is ever read into this report.

    | rotate | kind | reach | owner | identifier | place |
    | --- | --- | --- | --- | --- | --- |
    | now | `aws.access_key` | harvested | `alice` | `AKIAIOSFODNN7EXAMPLE` | `/home/alice/.aws/credentials` |
    | now | `ssh.key` | harvested | `alice` |  | `/home/alice/.ssh/id\u{202e}<b>x</b>\n# y` |

    ## What was examined

    - `python/dist-info`: 41 files, 44 facts

    ## Not examined

    - `/root/\u{1b}]0;x\u{7}`: permission denied

    ## Left out on purpose

    - `/proc`: pseudo file system
    "#);
}

#[test]
fn the_checklist_alone() {
    let report = example();
    let mut out = Vec::new();
    render_checklist(Format::Table, &report, &mut out, at_width(80)).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    ERADICATE
       1. Remove the sysmon backdoor of alice
          why: it fetches new code every 50 minutes
          - stop and mask the unit
            $ systemctl --user mask --now sysmon.service
          - move the file to evidence

    ROTATE
       2. AWS access key AKIAIOSFODNN7EXAMPLE
          why: harvested by litellm-2026-03
          after: 1
          - from a clean workstation: create a new key, deploy it, deactivate the
            old, then delete it
            $ aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER
    "#);
}
