#!/usr/bin/env bash
# Runs the benchmarks: sealing and opening against raw AES-256-GCM, then the server's own.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh compiler
cargo bench --locked --quiet -p vault
# The server embeds the site, so that has to be there.
scripts/build-site.sh >/dev/null
cargo bench --locked --quiet -p server
