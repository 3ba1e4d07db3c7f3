# One image, one binary: `docker run -v weir:/data -p 8080:8080 weir` serves; `weir worker`, `weir migrate` and the
# other commands take the place of `serve`.

FROM node:20-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# The browser application first: the server takes `web/dist` into itself.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask web \
 && cargo build --release --locked --package server --bin weir \
      --config profile.release.lto=\"thin\" --config profile.release.codegen-units=1 \
 && cp target/release/weir /usr/local/bin/weir

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin weir \
 && install --directory --owner weir --group weir --mode 0700 /data
COPY --from=build /usr/local/bin/weir /usr/local/bin/weir
ENV WEIR_DATA_DIR=/data \
    WEIR_HTTP__LISTEN=0.0.0.0:8080
USER weir
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["weir", "doctor"]
ENTRYPOINT ["weir"]
CMD ["serve"]
