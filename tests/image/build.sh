#!/bin/sh
# Builds the static binary, small, and prints where it is: tests/image/build.sh. The Dockerfile and tests/static.sh both call it.
# What a run asks of OpenSSL is to be a TLS client, and of SQLite a few tables; as they come, they make the binary twice
# as large.
set -eu
cd "$(dirname "$0")/../.."
host=$(rustc --print host-tuple)
# Before the sources lie there, their place is not known, and with other flags everything would be built twice.
cargo fetch --quiet --locked --target "$host" >&2
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
# The target is named so that these flags stay away from procedural macros, which are loaded into the compiler.
# - At a fixed place in memory, so that nothing has to be relocated at the start: no dynamic section, and 1.5 MB less.
# - Frame pointers make the tables for unwinding a third smaller.
# - Messages of panics name a crate's file, not where this machine keeps it.
flags="-C target-feature=+crt-static -C relocation-model=static -C force-frame-pointers=yes"
# - Random numbers come from the system call. In a static binary the crate does not find it by itself, and asks /dev/random, which
#   a root of one's own may lack.
flags="$flags --cfg getrandom_backend=\"linux_getrandom\""
for source in "$registry"/*/; do
  flags="$flags --remap-path-prefix $source="
done
# Equal code once; only this target's linker can do it.
[ "$host" != x86_64-unknown-linux-gnu ] || flags="$flags -C link-arg=-Wl,--icf=all"
export RUSTFLAGS="$flags"
# Size for the two C libraries, nothing that only a debugger or a C++ exception would read, and AES in constant time.
export CFLAGS="-Oz -fno-pic -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -DOPENSSL_AES_CONST_TIME"
export OPENSSL_SRC_PERL="$PWD/tests/image/perl.sh"
export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE \
-USQLITE_ENABLE_DBSTAT_VTAB -USQLITE_ENABLE_STAT4 -DSQLITE_OMIT_JSON -USQLITE_ENABLE_LOAD_EXTENSION \
-DSQLITE_OMIT_LOAD_EXTENSION -USQLITE_ENABLE_API_ARMOR -USQLITE_ENABLE_COLUMN_METADATA -USQLITE_SOUNDEX \
-DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_TCL_VARIABLE -DSQLITE_OMIT_GET_TABLE"
cargo build --profile image --locked --no-default-features --features vendored --bin balance-alert --target "$host" >&2
# Many threads use OpenSSL at once, and what was built before `perl.sh` was changed is not built anew.
for header in "target/$host"/image/build/openssl-sys-*/out/openssl-build/install/include/openssl/configuration.h; do
  if ! grep -q "define OPENSSL_THREADS" "$header"; then
    echo "OpenSSL is not made for threads: $header; remove target/$host/image and build again" >&2
    exit 1
  fi
done
echo "target/$host/image/balance-alert"
