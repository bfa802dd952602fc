#!/usr/bin/env bash
# Builds the image where there is a Docker engine, and checks what docs/operations.md promises of it. tests/static.sh checks the
# binary and the root that it is made of on any machine.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! docker info > /dev/null 2>&1; then
  echo "image.sh: NOT CHECKED: no Docker engine answers here" >&2
  exit 0
fi
fail() {
  echo "image.sh: $*" >&2
  exit 1
}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
revision=$(git rev-parse HEAD)
image=balance-alert:test
docker build --build-arg REVISION="$revision" --build-arg VERSION="$version" -t "$image" .
trap 'docker image rm --force "$image" > /dev/null' EXIT

inspect() { docker image inspect --format "$1" "$image"; }
size=$(inspect '{{.Size}}')
[ "$size" -le $((18 * 1024 * 1024)) ] || fail "the image has $size bytes, over 18 MiB"
[ "$(inspect '{{.Config.User}}')" = 65532:65532 ] || fail "the image runs as $(inspect '{{.Config.User}}')"
[ "$(inspect '{{json .Config.Entrypoint}}')" = '["/usr/local/bin/balance-alert"]' ] || fail "another entry point"
for label in title description licenses; do
  [ -n "$(inspect "{{index .Config.Labels \"org.opencontainers.image.$label\"}}")" ] || fail "no label $label"
done
[ "$(inspect '{{index .Config.Labels "org.opencontainers.image.version"}}')" = "$version" ] || fail "another version"
[ "$(inspect '{{index .Config.Labels "org.opencontainers.image.revision"}}')" = "$revision" ] || fail "another revision"

run=(docker run --rm --read-only --network none --cap-drop ALL --security-opt no-new-privileges)
said=$("${run[@]}" "$image" --version)
[[ $said == *"$version"*"$revision"* ]] || fail "--version says: $said"
code=0
"${run[@]}" -v "$PWD/examples:/etc/balance-alert:ro" "$image" check --config /etc/balance-alert/quickstart.yaml || code=$?
[ "$code" -eq 2 ] || fail "the quickstart ends with $code"
# The volume takes its owner from the image.
volume=$(docker volume create)
trap 'docker volume rm --force "$volume" > /dev/null; docker image rm --force "$image" > /dev/null' EXIT
echo 'projects: [{ name: A, provider: file, threshold: 1, options: { path: quickstart/accounts.json, balance: "5" } }]' |
  "${run[@]}" -i -w /etc/balance-alert -v "$PWD/examples:/etc/balance-alert:ro" -v "$volume:/var/lib/balance-alert" \
    "$image" check --config - --output json | grep -q '"memory":{"status":"kept"' || fail "the memory cannot be kept on a volume"
echo "image.sh: $size bytes, $said"
