//! The report and the checklist for a ticket, looked at whole.

use super::*;

#[test]
fn hostile_names_in_markdown() {
    assert_snapshot!(shown("markdown", &examined(true, true), Style::default()), @r#"
    # exposed: made-up-2026-03 executed on this machine; examination incomplete

    - host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    - EXAMINATION INCOMPLETE: 1 gap; 812345 files and folders, 70.0 MiB read, 1 exclusion
    - indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    ## What to do now

    ```text
    HIT    examplelib 1.2.3 installed in /home/alice/a|b`c\u{1b}[31m\xff/.venv (made-up-2026-03)
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
    DONE   [ ] D1 Examine again: dosimeter exits 0   [ ] D2 A second person saw each revoked
           [ ] D3 7 days: no old one used   [ ] Logs of C read
    THEN   D4 Put new secrets on this machine; D5 Make /home/alice/a|b`c\u{1b}[31m\xff/.venv anew
    ```

    ## Findings

    ### made-up-2026-03: A made-up incident of examplelib

    - examplelib 1.2.3: available from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
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

    ## Timeline

    times of files move when a file is changed or copied; those of logs and histories were written as it happened

    | when (UTC) | what | read from |
    | --- | --- | --- |
    | 2026-03-24T10:39:00Z | `examplelib 1.2.3: available from here on` | `published, made-up-2026-03` |
    | 2026-03-24T11:05:00Z | `/home/alice/.aws/credentials changed: aws.access_key` | `mtime of the file` |
    | 2026-03-24T11:05:00Z | `/home/alice/.ssh/id\u{202e}<b>x</b>\n# y changed: ssh.key` | `mtime of the file` |
    | 2026-03-24T11:05:00Z | `path/~/.config/example/beacon.py in /home/alice/.config/example/beacon.py` | `mtime of INSTALLER` |
    | 2026-03-24T11:05:00Z | `points evil[.]example somewhere: took the stolen data` | `mtime of INSTALLER` |
    | 2026-03-24T11:05:00Z | ``pypi/examplelib@1.2.3 installed in /home/alice/a\|b`c\u{1b}[31m�/.venv`` | `mtime of INSTALLER` |
    | 2026-03-24T16:00:00Z | `examplelib 1.2.3: available until here` | `published, made-up-2026-03` |

    ## Every step

    ### A: the machine

    - [ ] **A1. Keep the evidence before anything is changed** `s-44aa24c5`
      - why: what follows destroys traces, and only they can tell what was taken and when
      - where: on the examined machine
      - [ ] start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; each start can run the payload again
      - [ ] take an image of the disk, or a snapshot of the volume or virtual machine; of a running machine its memory too
      - [ ] copy this report to another machine: a later examination finds less, and only this one lists what to rotate
      - [ ] in \`sh\`, as whoever owns the files below or as root: make a folder for what is taken out; \`keep\` moves files into one archive an item, with its digest, and removes nothing that it could not keep

        ```sh
        EVIDENCE=$(mktemp -d "$HOME/dosimeter-evidence.XXXXXX") && printf 'dosimeter evidence 1\ncase b6252d6586e2df6a\n' >"$EVIDENCE/DOSIMETER-EVIDENCE" && echo "$EVIDENCE"; keep() ( n=$1; shift; cd "${ROOT:-/}" || exit; for f do shift; f=$(printf '%b.' "$f"); f=.${f%.}; if [ -e "$f" ] || [ -L "$f" ]; then set -- "$@" "$f"; fi; case $f in */.local/share/systemd/user/*) d=${f%%/.local/share/*}/.config/systemd/user ;; ./lib/systemd/* | ./usr/lib/systemd/*) d=${f#*lib/}; d=./etc/${d%/*} ;; */systemd/user/* | */systemd/system/*) d=${f%/*} ;; *) d= ;; esac; for l in "$d"/*.wants/"${f##*/}" "$d"/*.requires/"${f##*/}"; do if [ -n "$d" ] && [ -L "$l" ]; then set -- "$@" "$l"; fi; done; done; if [ $# = 0 ]; then echo "$n: nothing is left to move" >&2; exit 0; fi; t=${EVIDENCE:?}/$n.tar; case $(tar --version 2>/dev/null) in *GNU*) u=--no-unquote;; *) u=;; esac; if [ ! -e "$t" ] && tar $u -cf - "$@" >"$t" && tar tf - <"$t" >/dev/null && (cd "$EVIDENCE" && sha256sum "$n.tar" >>DOSIMETER-EVIDENCE); then rm -rf "$@"; else echo "$n: not moved" >&2; exit 1; fi )
        ```

    - [ ] **A2. Cut the network by dropping packets; leave the power on** `s-c04c38cf`
      - why: the payload sends what it takes and fetches more; a proxy that answers 401, 403 or 407 can look like a revoked token, and some payloads delete files when a token is revoked
      - where: around the examined machine
      - [ ] deny all traffic at the switch, security group or firewall with a rule that drops and never rejects; not with a proxy or captive portal that answers
      - [ ] where the machine has to stay online, drop at least evil\[.\]example
    - [ ] **A3. Remove alice's backdoor: made-up-2026-03** `s-a0efb69e`
      - why: it starts again at each boot or login, and fetches new code
      - where: on the examined machine
      - after: evidence kept by: A1; network cut by: A2
      - [ ] see what still runs from it, before anything is moved

        ```sh
        ps -eo pid,user,args | grep -F -e /home/alice/.config/example/beacon.py -e beacon.py | grep -vF -e 'grep -F'; grep -lsF -e /home/alice/.config/example/beacon.py /proc/[0-9]*/maps /proc/[0-9]*/environ; for p in /proc/[0-9]*/exe /proc/[0-9]*/cwd; do t=$(readlink "$p") && echo "$p $t"; done 2>/dev/null | grep -F -e /home/alice/.config/example/beacon.py; [ "$(id -u)" = 0 ] || echo 'not as root: processes of other accounts do not show'
        ```

        - expect: no process but your own search; otherwise keep their memory if you can, then end them (\`kill -KILL PID\`) and look again
      - [ ] move /home/alice/.config/example/beacon.py to the evidence

        ```sh
        keep s-a0efb69e /home/alice/.config/example/beacon.py
        ```

    - [ ] **A4. Take pypi/examplelib@<!-- -->1.2.3 out of /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv** `s-41154724`
      - why: it runs at every start of any Python there; uninstalling starts that very Python
      - where: on the examined machine
      - after: evidence kept by: A1; network cut by: A2
      - [ ] stop the services and jobs that use it; never use pip for this, and start no Python there until it is made anew
      - [ ] see what still runs from it, before anything is moved

        ```sh
        ps -eo pid,user,args | grep -F -e "$(printf %b '/home/alice/a|b`c\0033[31m\0377/.venv')" -e beacon.py | grep -vF -e 'grep -F'; grep -lsF -e "$(printf %b '/home/alice/a|b`c\0033[31m\0377/.venv')" /proc/[0-9]*/maps /proc/[0-9]*/environ; for p in /proc/[0-9]*/exe /proc/[0-9]*/cwd; do t=$(readlink "$p") && echo "$p $t"; done 2>/dev/null | grep -F -e "$(printf %b '/home/alice/a|b`c\0033[31m\0377/.venv')"; [ "$(id -u)" = 0 ] || echo 'not as root: processes of other accounts do not show'
        ```

        - expect: no process but your own search; otherwise keep their memory if you can, then end them (\`kill -KILL PID\`) and look again
      - [ ] move to the evidence what is there of these 3 files and folders

        ```sh
        keep s-41154724 '/home/alice/a|b`c\0033[31m\0377/.venv/lib/python3.11/site-packages/examplelib' '/home/alice/a|b`c\0033[31m\0377/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info' '/home/alice/a|b`c\0033[31m\0377/.venv/lib/python3.11/site-packages/examplelib.py'
        ```

    - [ ] **A5. Find out why the attacker's hosts are named** `s-f5bfe7e4`
      - why: a block list is harmless, a setting that points there is not
      - where: on the examined machine
      - after: evidence kept by: A1; network cut by: A2; code gone by: A3-A4
      - [ ] /home/alice/x.ini: points evil\[.\]example somewhere: took the stolen data

    ### B: a clean machine

    - [ ] **B1. now: aws.access\_key: AKIAIOSFODNN7EXAMPLE (data)** `s-730cb3b5`
      - why: harvested by made-up-2026-03; on the payload's list (\~/.aws/credentials), belongs to alice
      - where: on a clean machine
      - after: network cut by: A2
      - [ ] revoke the old one, issue a new one
      - [ ] it stands in /home/alice/.aws/credentials
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind
    - [ ] **B2. now: ssh.key: /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y (data)** `s-8292c370`
      - why: harvested by made-up-2026-03; on the payload's list (\~/.ssh/\*\*/\*), belongs to alice
      - where: on a clean machine
      - after: network cut by: A2
      - [ ] revoke the old one, issue a new one
      - [ ] it stands in /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind
    - [ ] **B3. now: Ask those who run it, and replace what no file shows** `s-956e23c2`
      - why: no scan can see which of these the process that ran it could reach
      - where: on a clean machine
      - after: network cut by: A2
      - [ ] whatever of this the process could reach:
      - [ ] every environment variable of the process that ran it

    ### C: logs

    - [ ] **C1. Export the logs that expire** `s-4b4ee1ce`
      - why: most providers keep them for 30 to 90 days
      - where: on a clean machine
      - [ ] cloud audit trails (90 days in CloudTrail's event history), CI, registries, forges, DNS and proxy; those that end first come first
      - [ ] where a log no longer reaches back to the beginning of the exposure, ask for copies (a trail's bucket, a SIEM), and write down what nobody has
      - [ ] keep them where the compromised accounts cannot write

    ### D: done when

    - [ ] **D1. Examine again: dosimeter exits 0** `s-a7c3b434`
      - why: what was missed steals the new secrets too
      - where: on the examined machine
      - after: proof of: A3-A5
      - [ ] examine this machine, as root

        ```sh
        dosimeter
        ```

      - [ ] it finds less than this report; what to rotate is what this report lists
    - [ ] **D2. A second person saw each revoked** `s-99e8172c`
      - why: a new secret in its place proves nothing about the copy that was taken
      - where: on a clean machine
      - after: proof of: B1-B3
      - [ ] by a second person: the old identifier is revoked, inactive or absent
      - [ ] sessions and tokens minted from the old one are dead too
    - [ ] **D3. 7 days: no old one used** `s-c355a20d`
      - why: a use after the revocation means that something still lives, or that another copy exists
      - where: on a clean machine
      - after: proof of: B1-B3
      - [ ] no successful use of any old identifier since it was revoked; write down where there is no log
    - [ ] **D4. Put new secrets on this machine** `s-def7721c`
      - why: whatever is put there while something of the payload is left is taken too
      - where: on the examined machine
      - after: code gone by: A3-A5; examined again by: D1
      - [ ] until then they stay where they were issued: in a password manager, on the clean machine
    - [ ] **D5. Make /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv anew** `s-b6623313`
      - why: code of the payload may have been written into any file of an environment; only a new one is known to be good
      - where: on the examined machine
      - after: code gone by: A3-A5; examined again by: D1
      - [ ] pin examplelib 1.2.2
      - [ ] best on a rebuilt machine; on this one only after the second examination found nothing that runs, and then with the network again
      - [ ] move what is yours out of an environment's folder before it is made anew: projects and environments share folders

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
    let table = Format::named("table").unwrap();
    table.render(Document::Checklist, &report, &mut out, at_width(80)).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
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

    A  THE MACHINE
    A1  Remove the sysmon backdoor of alice
          why: it fetches new code every 50 minutes
          where: on the examined machine
          - stop and mask the unit
            $ systemctl --user mask --now sysmon.service
          - move the file to evidence

    B  A CLEAN MACHINE
    B1  AWS access key AKIAIOSFODNN7EXAMPLE
          why: harvested by litellm-2026-03
          where: on a clean machine
          after: A1
          - from a clean workstation: create a new key, deploy it, deactivate the
            old, then delete it
            $ aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER
    "#);
}
