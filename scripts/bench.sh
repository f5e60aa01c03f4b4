#!/usr/bin/env bash
# Runs the benchmarks: sealing and opening against raw AES-256-GCM, pages with and without zeroing of freed memory, and the
# size of the browser's half against its budget.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/local-aws.sh
. scripts/postgres.sh

scripts/setup.sh compiler python wasm site
# Before the server, which has it inside.
sizes=$(scripts/build-site.sh)
. scripts/scratch.sh

kms_port=$(free_port)
use_local_aws "$kms_port"
start_local_kms "$kms_port" "$scratch/aws" "$scratch/local-kms.log"
export KEYSTEAD_TEST_KMS_URL=http://127.0.0.1:$kms_port

# Both crates at once, so that cargo settles on one set of features. As they are released: what rendering a page costs, and
# so the share that something else has in it, depends on how the compiler optimizes.
cargo bench --locked --quiet -p vault -p app -p server --bench envelope --bench pages
echo
echo "$sizes"
