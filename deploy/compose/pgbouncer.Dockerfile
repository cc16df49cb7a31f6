# PgBouncer from Debian, with the pools of MarengoCam's services. The base is the one of addon/Dockerfile.
ARG BASE=debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /etc/pgbouncer \
 && useradd --system --uid 8471 --user-group --no-create-home --shell /usr/sbin/nologin pooler
COPY pgbouncer.ini /etc/pgbouncer/pgbouncer.ini
COPY pgbouncer-start /usr/local/bin/pgbouncer-start
USER pooler
ENTRYPOINT ["pgbouncer-start"]
