#!/usr/bin/env bash
# `make test`: every test. The local KMS's own, and what other tools say of the key policies; vault, app and server on SQLite
# and PostgreSQL over a real local KMS; and the browser tests against the one-file program. A missing tool is installed or
# fails the run: nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/services.sh
. scripts/scratch.sh

timings=()
began=$SECONDS
phase() { # name, command...
  local name=$1 start=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  local line
  line=$(printf '%-52s %4d s' "$name" "$((SECONDS - start))")
  if [ "$status" != 0 ]; then
    printf '\n== %s: FAILED after %d s\n' "$name" "$((SECONDS - start))" >&2
    exit "$status"
  fi
  printf '== %s\n' "$line"
  timings+=("$line")
}

# The three crates at once: cargo then settles on one set of features, and builds each dependency once. `frontend` is never
# among them (it would turn on `hydrate`). The program is built along, with the site inside, for the tests that run it; a
# `cargo build` of its own would build the dependencies once more. Most tests wait for leases, checks and servers rather than
# compute, so more of them run at once than there are processors.
#
# From cold there is nothing that building in increments could use, and it takes longer.
[ -d "$CARGO_TARGET_DIR/ci" ] || export CARGO_INCREMENTAL=0
rust_tests() { RUST_TEST_THREADS="${RUST_TEST_THREADS:-6}" cargo test --locked --profile ci -p vault -p app -p server; }

phase "Set-up" scripts/setup.sh compiler wasm site python browser postgres gdb
phase "Local KMS and generated key policies: their own tests" .tools/venv/bin/python -m unittest discover -s scripts -p 'test_*.py'
phase "The browser's half" scripts/build-site.sh
phase "Local KMS and PostgreSQL: start" start_services
phase "Rust: vault, app, server on SQLite and PostgreSQL" rust_tests
stop_process "$local_kms_pid"
stop_process "$enforcing_kms_pid"
local_kms_pid=
enforcing_kms_pid=
phase "Browser" scripts/test-browser.sh "$CARGO_TARGET_DIR/ci/keystead"

printf '\nEverything passed in %d min %d s:\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
printf '  %s\n' "${timings[@]}"
