# The server as an image: built in one stage, run as an ordinary user in another.
#
#   docker build --tag bankfeed .
#   docker run --publish 127.0.0.1:12111:12111 --volume bankfeed:/data bankfeed
#
# There is no HEALTHCHECK, because not every setup needs one. One can run this command, which exits
# with 0 if the server is ready and with 1 if it is not:
#
#   bankfeed health
#
# GET /healthz and GET /readyz, from outside, need no key.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --profile dist --locked --package bankfeed

FROM debian:bookworm-slim
# Webhooks to https addresses are verified with the same roots that the build trusted.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /source/target/dist/bankfeed /usr/local/bin/bankfeed
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin bankfeed \
    && install --directory --owner bankfeed --group bankfeed --mode 0700 /data
USER 10001
VOLUME /data
EXPOSE 12111
STOPSIGNAL SIGTERM
ENTRYPOINT ["bankfeed"]
# A container listens on every address, so the key rule has to be said. Clients may call it by its address and by names without
# a dot, such as that of its service; --allowed-hosts adds others. Publish the port to
# loopback only, unless whoever reaches it may have any test data there is.
CMD ["serve", "--listen", "0.0.0.0:12111", "--keys", "any", "--db", "/data/bankfeed.db"]
