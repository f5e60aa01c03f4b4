#!/usr/bin/env bash
# Pictures of every page and state, light, dark and narrow, to be looked at: into target/screenshots, or the folder
# that KEYSTEAD_SCREENSHOTS names.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export KEYSTEAD_SCREENSHOTS="${KEYSTEAD_SCREENSHOTS:-$PWD/target/screenshots}"

mkdir -p "$KEYSTEAD_SCREENSHOTS"
scripts/build.sh release --quiet
scripts/test-browser.sh "$CARGO_TARGET_DIR/release/keystead" --project=screenshots
echo "Pictures are in $KEYSTEAD_SCREENSHOTS"
