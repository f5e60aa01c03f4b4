# Sourced by the tests: a PostgreSQL cluster of their own, in a temporary folder, on a free port, over loopback.
# It keeps nothing and is not safe against a crash: it is for tests only.

as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Sets postgres_url. The folder must be one that user `postgres` may reach.
start_postgres() { # folder, port
  postgres_bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1)")
  postgres_folder=$1
  mkdir -p "$1"
  if [ "$(id -u)" = 0 ]; then chown postgres "$1"; fi
  (
    cd /
    as_postgres "$postgres_bin/initdb" -D "$1/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
      --no-sync >"$1.initdb.log" 2>&1 || { cat "$1.initdb.log" >&2; exit 1; }
    as_postgres "$postgres_bin/pg_ctl" -D "$1/data" -l "$1/server.log" -w -t 60 start -o \
      "-c listen_addresses=127.0.0.1 -p $2 -k $1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300" \
      >/dev/null || { cat "$1/server.log" >&2; exit 1; }
  ) || return
  postgres_url=postgres://postgres@127.0.0.1:$2/postgres
}

stop_postgres() {
  [ -n "${postgres_folder:-}" ] || return 0
  (cd / && as_postgres "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate -w stop >/dev/null 2>&1) || true
}
