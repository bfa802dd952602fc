#!/bin/sh
# Builds the static binary, small, and prints where it is: image/build.sh. The Dockerfile and tests/static.sh both call it.
# What a run asks of OpenSSL is to be a TLS client, and of SQLite a few tables; as they come, they make the binary twice
# as large.
set -eu
cd "$(dirname "$0")/.."
host=$(rustc --print host-tuple)
# The target is named so that these flags stay away from procedural macros, which are loaded into the compiler.
# At a fixed place in memory, so that nothing has to be relocated at the start: no dynamic section, and 1.5 MB less.
export RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static"
# Size for the two C libraries, and nothing that only a debugger or a C++ exception would read.
export CFLAGS="-Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
export OPENSSL_SRC_PERL="$PWD/image/perl.sh"
export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE \
-USQLITE_ENABLE_DBSTAT_VTAB -USQLITE_ENABLE_STAT4 -DSQLITE_OMIT_JSON -USQLITE_ENABLE_LOAD_EXTENSION \
-DSQLITE_OMIT_LOAD_EXTENSION"
cargo build --profile image --locked --features vendored --bin balance-alert --target "$host" >&2
echo "target/$host/image/balance-alert"
