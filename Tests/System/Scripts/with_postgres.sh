#!/usr/bin/env bash
# Starts Debian's PostgreSQL as a server of its own, on a socket in a passing folder, runs the command with the address of an empty
# database behind it, and stops the server.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
folder=$(mktemp -d /tmp/usher-pg-XXXXXX)
# PostgreSQL refuses to run as root.
as_user() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
cd /tmp
trap 'as_user "$bin/pg_ctl" -D "$folder/data" -m fast stop >/dev/null; rm -rf "$folder"' EXIT
as_user "$bin/initdb" -D "$folder/data" -U usher -A trust -E UTF8 --locale=C >/dev/null
as_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -o "-c listen_addresses='' -k $folder" start >/dev/null
as_user "$bin/createdb" -h "$folder" -U usher usher
cd "$OLDPWD"
"$@" "postgres://usher@/usher?host=$folder"
