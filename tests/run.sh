#!/usr/bin/env bash
# Installs what the build and the tests need, then runs everything that must pass.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
command -v script >/dev/null || missing+=(bsdutils)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || missing+=(curl)
pkg-config --exists openssl 2>/dev/null || missing+=(libssl-dev)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] || missing+=(dovecot-imapd)
command -v exim4 >/dev/null || [ -x /usr/sbin/exim4 ] || missing+=(exim4-daemon-light)
command -v prometheus >/dev/null || missing+=(prometheus)
command -v prometheus-alertmanager >/dev/null || missing+=(prometheus-alertmanager)
command -v prometheus-pushgateway >/dev/null || missing+=(prometheus-pushgateway)
# The page of `report --html` is looked at by a browser. Only Debian has it as a package that installs anywhere; elsewhere it is used
# if it is there, and the test says so if not.
if ! command -v chromium chromium-browser google-chrome >/dev/null && grep -qs '^ID=debian' /etc/os-release; then
  missing+=(chromium)
fi
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update
  $sudo apt-get install -y --no-install-recommends "${missing[@]}"
fi

cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
# Licences, bans and sources are a test as well; advisories need a database, which `.github/workflows/ci.yml` asks.
if cargo deny --version > /dev/null 2>&1; then
  cargo deny check bans licenses sources
fi
cargo test --locked --lib --bins --test integration --no-run
# The static binary is linked by one thread for minutes. It is made at the lowest priority beside the tests, which often wait.
# Should that fail, `static.sh` makes it again and says why.
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
BALANCE_ALERT_REVISION=$revision nice -n 19 tests/image/build.sh > /dev/null 2>&1 &
build=$!
cargo test --locked --lib --bins --test integration
wait "$build" || true
# What is not Rust, then the static binary, its image, and how it stands beside curl: a ratio that is twice what it was fails.
./tests/platform.sh
./tests/static.sh
./tests/image.sh
BALANCE_ALERT_BINARY=$PWD/target/$(rustc --print host-tuple)/image/balance-alert MALLOC_ARENA_MAX=1 \
  cargo bench --locked --profile dev --bench wire -- --short
