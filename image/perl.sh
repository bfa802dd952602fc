#!/bin/sh
# perl for the build of OpenSSL. The crate that builds it has no word for what is left out, but it lets us choose the perl
# that configures it. Left out is what no TLS client needs: other protocols, ciphers that no server asks for, formats,
# and code that is loaded at run time. The assembler code for AVX-512 alone has 0.7 MB.
set -eu
case $1 in
  *Configure)
    PERL=$0 exec perl "$@" no-argon2 no-aria no-bf no-blake2 no-cast no-cmp no-cms no-ct no-dsa no-dso no-dtls no-ec2m no-gost \
      no-http no-lms no-md4 no-mdc2 no-ml-dsa no-ocb no-psk no-quic no-rc2 no-rc4 no-rfc3779 no-rmd160 no-scrypt no-siphash \
      no-siv no-slh-dsa no-sm2 no-sm3 no-sm4 no-srp no-srtp no-ssl-trace no-ts no-whirlpool
    ;;
  # It asks the assembler whether it knows AVX-512; one of this age does not.
  *-avx512.pl) CC="echo GNU assembler version 2.25" exec perl "$@" ;;
esac
exec perl "$@"
