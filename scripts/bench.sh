#!/usr/bin/env bash
# Runs the benchmarks: sealing and opening against raw AES-256-GCM, and the size of the browser's half against its budget.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh compiler
cargo bench --locked --quiet -p vault --bench envelope
echo
scripts/build-site.sh
