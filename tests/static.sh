#!/usr/bin/env bash
# Builds the static binary as the Dockerfile does, lays out the image's root, and runs it there without Docker: in a root
# of its own that cannot be written, as uid 65532, with a network of its own. What a machine forbids is said, not passed.
set -euo pipefail
cd "$(dirname "$0")/.."

limit=$((14 * 1024 * 1024)) # of the binary; docs/operations.md names it
fail() {
  echo "static.sh: $*" >&2
  exit 1
}

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v make >/dev/null || missing+=(make)
perl -MIPC::Cmd -MFindBin -e1 2>/dev/null || missing+=(perl)
command -v readelf >/dev/null || missing+=(binutils)
command -v openssl >/dev/null || missing+=(openssl)
command -v unshare >/dev/null || missing+=(util-linux)
command -v ip >/dev/null || missing+=(iproute2)
command -v python3 >/dev/null || missing+=(python3)
[ -e /usr/share/zoneinfo/Etc/UTC ] || missing+=(tzdata)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update
  $sudo apt-get install -y --no-install-recommends "${missing[@]}"
fi

revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
binary=$(BALANCE_ALERT_REVISION=$revision tests/image/build.sh)

size=$(stat -c %s "$binary")
[ "$size" -le "$limit" ] || fail "the binary has $size bytes, over $limit"
! readelf --wide --program-headers "$binary" | grep -E 'INTERP|DYNAMIC' || fail "the binary is not static"
! readelf --wide --sections "$binary" | grep '\.symtab' || fail "the binary is not stripped"
echo "static.sh: $size bytes, static, stripped"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
tests/image/root.sh "$root" "$binary"
size=$(du --apparent-size -sb "$root" | cut -f1)
[ "$size" -le $((18 * 1024 * 1024)) ] || fail "the image's root has $size bytes, over 18 MiB"
echo "static.sh: the image's root has $size bytes, $(find "$root/etc/ssl/certs" -type f | wc -l) authorities"

if [ "$(id -u)" -ne 0 ] || ! unshare --mount --net true 2>/dev/null; then
  echo "static.sh: NOT CHECKED: this machine does not let us make a root and a network of our own (unshare); the runs" \
    "in the image's root, as uid 65532, read-only, with its names, authorities and time zones, were left out" >&2
  exit 0
fi
tests/platform/root.sh "$root" "$work" "$revision"
