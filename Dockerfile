# syntax=docker/dockerfile:1
# The dependencies are a layer of their own: a change of sources does not build them again.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends pkg-config libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/integration tests/bench \
 && touch src/lib.rs README.md tests/integration/main.rs \
 && echo 'fn main() {}' | tee src/main.rs tests/bench/fanout.rs \
 && cargo build --release --locked --bin balance-alert \
 && rm -rf src
COPY README.md ./
COPY src src
RUN touch src/lib.rs src/main.rs && cargo build --release --locked --bin balance-alert

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/*
LABEL org.opencontainers.image.title="balance-alert" \
      org.opencontainers.image.description="Tells you before an API account, a cloud account or a subscription runs dry" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/target/release/balance-alert /usr/local/bin/balance-alert
USER 65532:65532
ENV CONFIG_PATH=/etc/balance-alert/config.yaml
ENTRYPOINT ["/usr/local/bin/balance-alert"]
CMD ["check"]
