# Stands in for eclipse-mosquitto:2 and redis:7: the same programs from Debian, started as the official images start them.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients redis-server \
 && rm -rf /var/lib/apt/lists/* /etc/mosquitto
