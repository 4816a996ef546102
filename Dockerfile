# Build with:  docker build --build-arg REVISION=$(git rev-parse HEAD) -t pgmedic:0.1.0 .
# To pin the base images by digest:  --build-arg RUST_IMAGE=docker.io/library/rust@sha256:…  (RUNTIME_IMAGE likewise)
# A static binary, on an image of the CA certificates alone:
#   --build-arg RUST_IMAGE=docker.io/library/rust:1.94-alpine --build-arg RUNTIME_IMAGE=gcr.io/distroless/static-debian12:nonroot
# Both images are Debian 12, so that the runtime image has the C library that the binary is linked with.
# RUST_VERSION is Cargo.toml's rust-version; scripts/check-rust-version compares them.
ARG RUST_VERSION=1.94
ARG RUST_IMAGE=docker.io/library/rust:${RUST_VERSION}-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# Compile the dependencies with empty sources first: this layer is rebuilt only if a manifest or Cargo.lock changes.
COPY Cargo.toml Cargo.lock build.rs ./
COPY crates/pgmedic-core/Cargo.toml crates/pgmedic-core/
COPY crates/pgmedic-login/Cargo.toml crates/pgmedic-login/
COPY crates/pgmedic-testserver/Cargo.toml crates/pgmedic-testserver/
RUN mkdir -p src tests/integration \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs tests/integration/main.rs \
    && for crate in crates/*; do mkdir "$crate/src" && touch "$crate/src/lib.rs"; done \
    && cargo build --release --locked --no-default-features --bin pgmedic
COPY config config
COPY docs/migrations docs/migrations
COPY docs/runbooks docs/runbooks
COPY crates crates
COPY src src
ARG REVISION=unknown
# Cargo rebuilds only files that are newer than the empty ones, and COPY keeps the modification times.
# Without default features: the image has no `pgmedic demo`, which needs a PostgreSQL server's programs.
RUN find src crates -name '*.rs' -exec touch {} + \
    && PGMEDIC_REVISION="$REVISION" cargo build --release --locked --no-default-features --bin pgmedic
# The notices and the SBOM of what is linked.
COPY scripts/third-party scripts/
RUN scripts/third-party /build/doc --no-default-features

# A C library and CA certificates, but no shell and no package manager.
FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="pgmedic" \
      org.opencontainers.image.description="Keeps PostgreSQL inserts from failing because a sequence fell behind its table" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/target/release/pgmedic /usr/local/bin/pgmedic
COPY --from=build /build/doc /usr/share/doc/pgmedic/
COPY LICENSE /usr/share/doc/pgmedic/
# A numeric user, so that Kubernetes can verify that it is not root.
USER 65532:65532
# All addresses: the container's loopback address cannot be reached from outside.
ENV PGMEDIC_HTTP__LISTEN=0.0.0.0:9847
EXPOSE 9847
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/pgmedic", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/pgmedic"]
