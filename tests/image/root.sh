#!/bin/sh
# Lays out the root of the image: root.sh DIRECTORY BINARY. The Dockerfile and tests/static.sh both call it, so what is
# tested is what is shipped. Nothing else is needed: OpenSSL and SQLite are in the binary.
set -eu
root=$1 binary=$2
mkdir -p "$root/etc/ssl/certs" "$root/etc/balance-alert" "$root/usr/local/bin" "$root/var/lib/balance-alert"
install -m 0755 "$binary" "$root/usr/local/bin/balance-alert"
# Authorities as a directory of hashed names: OpenSSL then reads the one that a server's chain ends in, when it does. A
# bundle is parsed whole at every start, which takes longer than a run over a few accounts.
for certificate in /etc/ssl/certs/????????.[0-9]; do
  install -m 0644 "$certificate" "$root/etc/ssl/certs/${certificate##*/}"
done
# Time zones, each once: neither those that count leap seconds nor the copies of all others.
mkdir -p "$root/usr/share"
cp -a /usr/share/zoneinfo "$root/usr/share/"
rm -rf "$root/usr/share/zoneinfo/right" "$root/usr/share/zoneinfo/posix"
printf 'balance-alert:x:65532:65532:balance-alert:/var/lib/balance-alert:/sbin/nologin\n' > "$root/etc/passwd"
printf 'balance-alert:x:65532:\n' > "$root/etc/group"
# Both are in a static glibc; any other service would have to be loaded.
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
chown 65532:65532 "$root/var/lib/balance-alert"
