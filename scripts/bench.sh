#!/usr/bin/env bash
# Runs the benchmarks: sealing and opening against raw AES-256-GCM, pages with and without zeroing of freed memory and against
# a plain handler, the audit log at a million entries, re-encryption against copies and bare statements, and the size of the
# browser's half against its budget.
# With names (records, objects, control, foreground): these parts of re-encryption alone. SCALE=0.02 makes re-encryption so
# much smaller. The full size takes about half an hour and 13 GB of disk for a while.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/services.sh

scripts/setup.sh compiler python wasm site postgres
# Before the server, which has it inside.
sizes=$(scripts/build-site.sh)
. scripts/scratch.sh

start_services

# The same crates each time, so that cargo settles on one set of features. As they are released: what rendering a page costs,
# and so the share that something else has in it, depends on how the compiler optimizes.
bench=(cargo bench --locked --quiet -p vault -p app -p server)
# Databases and objects go where they are removed whatever happens.
mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp
if [ $# -gt 0 ]; then
  "${bench[@]}" --bench reencryption -- "$@"
  exit
fi
"${bench[@]}" --bench envelope --bench pages
echo
"${bench[@]}" --bench audit
echo
"${bench[@]}" --bench reencryption
echo
echo "$sizes"
