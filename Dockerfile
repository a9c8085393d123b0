# kTBS behind Apache, from the Debian package of this source:
#
#     docker build -t ktbs .
#     docker run -p 8001:80 -v ktbs:/var/lib/ktbs -e KTBS_ROOT=http://localhost:8001/ktbs/ ktbs
#
# /etc/ktbs/ktbs.conf can be mounted; KTBS_ROOT is then no matter. HTTPS is for a proxy in front.
FROM rust:1-bookworm AS build
RUN cargo install cargo-deb --locked
WORKDIR /src
COPY . .
RUN make deb DEB_OPTIONS="-o /ktbs.deb"

FROM debian:bookworm-slim
COPY --from=build /ktbs.deb /tmp/ktbs.deb
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends apache2 ca-certificates libapache2-mod-fcgid /tmp/ktbs.deb \
    && rm -rf /var/lib/apt/lists/* /tmp/ktbs.deb \
    && a2enmod -q fcgid && a2enconf -q ktbs \
    && ln -sf /dev/stderr /var/log/apache2/error.log \
    && ln -sf /dev/stdout /var/log/apache2/other_vhosts_access.log \
    && ln -sf /dev/stdout /var/log/apache2/access.log
COPY packaging/docker-start.sh /usr/local/bin/ktbs-apache
VOLUME /var/lib/ktbs
EXPOSE 80
# Graceful: requests are completed.
STOPSIGNAL SIGWINCH
CMD ["ktbs-apache"]
