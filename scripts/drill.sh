#!/usr/bin/env bash
# `make drill TRIALS=20`: three real servers at load lose their key and get it back, again and again, and then meet every
# fault. Starts a local KMS and PostgreSQL of its own. Fails when a bound is broken.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/services.sh
trials=${1:-20}
case $trials in '' | *[!0-9]* | 0) echo "usage: scripts/drill.sh [number of trials, at least 1]" >&2; exit 2 ;; esac
. scripts/scratch.sh

scripts/setup.sh compiler wasm site python postgres
scripts/build-site.sh
start_services

# The same selection of packages as `make test`, so that nothing is built twice.
cargo test --locked --profile ci -p vault -p app -p server --test drill -- --trials "$trials"
