#!/bin/sh
# perl for the build of OpenSSL. The crate that builds it has no word for what is left out, but it lets us choose the perl
# that configures it. Left out is what no TLS client needs: other protocols, ciphers that no server asks for, formats, code
# that is loaded at run time, and assembler code. The latter has 1.2 MB, and makes a few kilobytes a run faster.
set -eu
case $1 in
  *Configure)
    # The crate hands over `-static` of the linked program. For OpenSSL that word means a library without locks, whose counts of
    # references are not atomic: with many threads it frees what is in use.
    script=$1
    shift
    for argument; do
      shift
      [ "$argument" = -static ] || set -- "$@" "$argument"
    done
    set -- "$script" "$@" threads
    # In C, these are in constant time: the curve that most servers use, and AES (by the define in build.sh).
    exec perl "$@" no-asm enable-ec_nistp_64_gcc_128 \
      no-argon2 no-aria no-async no-bf no-blake2 no-cast no-cmp no-cms no-ct no-des no-dh no-dsa no-dso no-dtls no-ec2m \
      no-filenames no-gost no-http no-lms no-md4 no-mdc2 no-ml-dsa no-ml-kem no-multiblock no-nextprotoneg no-ocb no-psk \
      no-quic no-rc2 no-rc4 no-rfc3779 no-rmd160 no-scrypt no-siphash no-siv no-slh-dsa no-sm2 no-sm3 no-sm4 no-sock no-srp \
      no-srtp no-ssl-trace no-tls1 no-tls1_1 no-ts no-ui-console no-whirlpool
    ;;
esac
exec perl "$@"
