# Build with:  docker build --build-arg REVISION=$(git rev-parse HEAD) -t pgmedic:0.1.0 .
# To pin the bases by digest:  --build-arg RUST_IMAGE=docker.io/library/rust@sha256:…  (RUNTIME_IMAGE likewise)
# Both are Debian 12, so that the binary finds the C library that it was linked with.
ARG RUST_IMAGE=docker.io/library/rust:1.90-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# The dependencies alone: a layer that is built again only when these two files change.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/integration \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs tests/integration/main.rs \
    && cargo build --release --locked --bin pgmedic
COPY config config
COPY docs/migrations docs/migrations
COPY src src
ARG REVISION=unknown
# Newer than the stand-ins above, or cargo would take those for this.
RUN touch src/main.rs src/lib.rs \
    && PGMEDIC_REVISION="$REVISION" cargo build --release --locked --bin pgmedic

# The C library and the CA certificates; no shell, no package manager.
FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="pgmedic" \
      org.opencontainers.image.description="Keeps PostgreSQL inserts from failing because a sequence fell behind its table" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/target/release/pgmedic /usr/local/bin/pgmedic
# A number, so that Kubernetes can tell that it is not root.
USER 65532:65532
# A container's own network, where loopback would be out of everybody's reach.
ENV PGMEDIC_HTTP__LISTEN=0.0.0.0:9847
EXPOSE 9847
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/pgmedic", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/pgmedic"]
