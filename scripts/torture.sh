#!/usr/bin/env bash
# `make torture`: the real program is killed at every named point of a change of key and at 200 moments that nobody chose, on
# SQLite with a folder and on PostgreSQL with S3, while people write; or in so many rounds on each. SEED repeats an earlier
# plan. Starts a local AWS and PostgreSQL of its own. Fails at the first thing that is lost, left over or not whole.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/services.sh
how=(--full)
for number in "${1:-1}" "${SEED:-1}"; do
  case $number in
    '' | *[!0-9]* | 0) echo "usage: [SEED=number] scripts/torture.sh [number of rounds, at least 1]" >&2; exit 2 ;;
  esac
done
if [ -n "${1:-}" ]; then how=(--rounds "$1"); fi
if [ -n "${SEED:-}" ]; then how+=(--seed "$SEED"); fi
. scripts/scratch.sh

scripts/setup.sh compiler wasm site python postgres
scripts/build-site.sh
start_services

# The same selection of packages as `make test`, so that nothing is built twice.
cargo test --locked --profile ci -p vault -p app -p server --test torture -- "${how[@]}"
