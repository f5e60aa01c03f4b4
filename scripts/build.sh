#!/usr/bin/env bash
# Builds the one-file program with the site inside: scripts/build.sh <release|ci> [--quiet]
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
profile=$1

if [ "${2:-}" = --quiet ]; then scripts/build-site.sh >/dev/null; else scripts/build-site.sh; fi
cargo build --locked --profile "$profile" -p server --bin keystead
program=$CARGO_TARGET_DIR/$profile/keystead
if [ "${2:-}" != --quiet ]; then
  printf '  %-34s%8.1f MB\n' "${program#"$PWD/"}" "$(stat -c %s "$program" | awk '{ print $1 / 1048576 }')"
fi
