# syntax=docker/dockerfile:1
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" -t balance-alert:0.1.0 .
# At most 18 MiB; tests/image.sh checks that, and tests/static.sh the binary and this root without Docker.
FROM rust:1.95-slim-bookworm AS build
# Any patch of these will do: Debian removes the old ones.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates make perl tzdata \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The dependencies are a layer of their own: a change of sources does not build them again. It is made with an empty
# program in every place that Cargo.toml names.
COPY Cargo.toml Cargo.lock ./
COPY tests/image tests/image
RUN sed -n 's/^path = "\(.*\)"$/\1/p' Cargo.toml > paths \
 && while read -r path; do mkdir -p "${path%/*}" && echo 'fn main() {}' > "$path"; done < paths \
 && touch src/lib.rs \
 && tests/image/build.sh \
 && rm -rf src
# The program carries the schema of its config.
COPY examples/config.schema.json examples/
# It lists the catalogues of pages.
COPY build.rs ./
COPY src src
ARG REVISION=unknown
# `touch`: the sources may be older than the empty program.
RUN touch src/lib.rs src/main.rs \
 && tests/image/root.sh /root/image "$(BALANCE_ALERT_REVISION="$REVISION" tests/image/build.sh)"

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="balance-alert" \
      org.opencontainers.image.description="Tells you before an API account, a cloud account or a subscription runs dry" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /root/image /
USER 65532:65532
# The memory of runs is /var/lib/balance-alert/state.db, unless the config says otherwise. One heap for all threads: 2 MiB less.
ENV CONFIG_PATH=/etc/balance-alert/config.yaml \
    XDG_STATE_HOME=/var/lib \
    MALLOC_ARENA_MAX=1
ENTRYPOINT ["/usr/local/bin/balance-alert"]
CMD ["check"]
