#!/usr/bin/env bash
# Runs the program in the image's root, as a container does: root.sh ROOT WORK REVISION. Only static.sh calls this.
# It enters namespaces of its own, so that mounts and addresses end with it.
set -euo pipefail
if [ "${INSIDE:-}" != yes ]; then
  INSIDE=yes exec unshare --mount --net --fork --kill-child "$0" "$@"
fi
root=$1 work=$2 revision=$3
fail() {
  echo "root.sh: $*" >&2
  exit 1
}
mount --make-rprivate /
ip link set lo up

# A provider and a resolver of our own. The name is in no file, so that finding it needs DNS.
# An authority with RSA and a server with a curve: what most chains are made of.
config=$work/config
mkdir "$config"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test authority" \
  -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=provider" \
  -keyout "$work/leaf.key" -out "$work/leaf.csr" 2>/dev/null
printf 'subjectAltName=DNS:provider.balance.test\nextendedKeyUsage=serverAuth\n' > "$work/leaf.ext"
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
  -extfile "$work/leaf.ext" -out "$work/leaf.pem" 2>/dev/null
python3 tests/platform/world.py "$work/leaf.pem" "$work/leaf.key" > "$work/world.log" 2>&1 &
world=$!
trap 'kill "$world" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  ! grep -q ready "$work/world.log" || break
  kill -0 "$world" 2>/dev/null || fail "the local servers ended: $(cat "$work/world.log")"
  sleep 0.05
done

cat > "$config/config.yaml" <<'YAML'
settings: { run_timeout_seconds: 20, max_retries: 0, timezone: Asia/Shanghai }
projects:
  - { name: Far, provider: page, api_key_file: /etc/balance-alert/key, threshold: 1 }
subscriptions:
  - { name: Domain, cycle_type: yearly, renewal_day: "03-15" }
providers:
  - id: page
    title: Page
    kind: balance
    currency: EUR
    request: { url: "https://provider.balance.test/balance", headers: { Authorization: "Bearer {api_key}" } }
    balance: .balance
    examples: [{ name: funded, body: '{"balance":5}', expect: { balance: "5", currency: EUR } }]
YAML
echo secret > "$config/key"
chmod -R a+rX "$config"

# What a container runtime adds to an image.
mkdir -p "$root/dev" "$root/proc"
: > "$root/etc/resolv.conf"
: > "$root/etc/hosts"
echo "nameserver 127.0.0.1" > "$work/resolv.conf"
: > "$root/dev/urandom"
mount --bind "$root" "$root"
mount --bind "$config" "$root/etc/balance-alert"
mount --bind "$work/resolv.conf" "$root/etc/resolv.conf"
mount --bind /dev/urandom "$root/dev/urandom"
mkdir "$work/state"
chown 65532:65532 "$work/state"
mount --bind "$work/state" "$root/var/lib/balance-alert"
for place in "$root" "$root/etc/balance-alert" "$root/etc/resolv.conf"; do
  mount -o remount,bind,ro "$place"
done

# In the root, as Kubernetes runs it: no group, no capability, no new privilege, the environment of the Dockerfile.
mapfile -t environment < <(sed -n 's/^ENV \(CONFIG_PATH=\S*\).*/\1/p; s/^    \([A-Z_]*=\S*\)\( \\\)\?$/\1/p' Dockerfile)
[ "${#environment[@]}" -eq 3 ] || fail "the Dockerfile sets other variables than expected"
# By their paths, since no PATH is handed on.
setpriv=$(command -v setpriv) chroot=$(command -v chroot)
inside() {
  env -i "${environment[@]}" "$setpriv" --no-new-privs --inh-caps=-all "$chroot" --userspec=65532:65532 --groups= "$root" \
    /usr/local/bin/balance-alert "$@"
}

# expect CODE WHAT COMMAND...: what it prints is left in $work/out and $work/err.
expect() {
  local wanted=$1 what=$2 code=0
  shift 2
  "$@" > "$work/out" 2> "$work/err" < /dev/null || code=$?
  [ "$code" -eq "$wanted" ] || fail "$what: exit code $code instead of $wanted
$(cat "$work/out" "$work/err")"
  echo "static.sh: $what"
}
# says FILTER: a line of Python that is true of the JSON report.
says() {
  python3 -c "import json, sys; r = json.load(open(sys.argv[1])); p = {x['name']: x for x in r.get('projects', [])}; assert $1, r" "$work/out"
}

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
expect 0 "it starts, and knows its version" inside --version
grep -qF "$version" "$work/out" || fail "--version says: $(cat "$work/out")"
grep -qF "$revision" "$work/out" || fail "--version does not say the commit $revision: $(cat "$work/out")"
expect 0 "the config is valid" inside validate

expect 3 "an authority that is not in /etc/ssl/certs is not trusted" inside check --only projects --output json
says "p['Far']['error']['reason'] == 'tls'"

mount -o remount,bind,rw "$root"
install -m 0644 "$work/ca.pem" "$root/etc/ssl/certs/$(openssl x509 -noout -hash -in "$work/ca.pem").0"
mount -o remount,bind,ro "$root"
expect 0 "a name from DNS, TLS with an authority from the hashed directory, a secret from a file" \
  inside check --only projects --output json
says "p['Far']['status'] == 'ok' and r['memory']['status'] == 'kept'"
[ "$(stat -c %u "$work/state/state.db")" -eq 65532 ] || fail "the memory is not on the mounted directory"
expect 0 "the memory is on the volume" inside status --output json
grep -q Far "$work/out" || fail "status knows nothing: $(cat "$work/out")"

expect 0 "nothing else can be written, and a run does not mind" \
  inside check --only projects --output json --state /state.db
says "p['Far']['status'] == 'ok' and r['memory']['status'] == 'failed'"

# It is never the same day in these two.
for zone in Pacific/Kiritimati Etc/GMT+12; do
  sed -i "s|timezone: [^ ]*|timezone: $zone|" "$config/config.yaml"
  expect 0 "the time zone $zone is known" inside check --only subscriptions --state none --output json --fail-on error
  python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['subscriptions'])" "$work/out" > "$work/${zone##*/}"
done
! cmp -s "$work/Kiritimati" "$work/GMT+12" || fail "time zones make no difference: $(cat "$work/Kiritimati")"
