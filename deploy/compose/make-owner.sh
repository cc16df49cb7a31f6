#!/bin/sh
# Runs once, on an empty database volume: the account that owns the tables (it may make the services' roles, and is no superuser).
set -eu
psql --set=ON_ERROR_STOP=1 --quiet --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\set password `cat /run/secrets/db_owner`
CREATE ROLE marengocam_owner LOGIN CREATEROLE CONNECTION LIMIT 8 PASSWORD :'password';
CREATE DATABASE marengocam OWNER marengocam_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
\connect marengocam
CREATE EXTENSION IF NOT EXISTS vector;
SQL
