#!/usr/bin/env bash
# `make fuzz SECONDS=60`: what comes from outside (sealed bytes, what people enter as a key, replies of the service), made up by
# libFuzzer for so many seconds on each. Begins with server/vault/fuzz/corpus and with what earlier runs found. Fails at the
# first finding, and says where the input is that shows it: give it to the built program to see it again. TARGETS="kms" runs
# some only.
# Works with the stable compiler: what the fuzzer needs to see is LLVM's own pass, and no sanitizer is used.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
case $seconds in '' | *[!0-9]* | 0) echo "usage: [TARGETS=\"envelope key_arn kms\"] scripts/fuzz.sh [seconds for each target, at least 1]" >&2; exit 2 ;; esac
all="envelope key_arn kms"
targets=${TARGETS:-$all}
for target in $targets; do
  case " $all " in *" $target "*) ;; *) echo "scripts/fuzz.sh: no such target: $target (there are $all)" >&2; exit 2 ;; esac
done

scripts/setup.sh compiler

# A folder of its own, whatever the caller's environment says: everything is built with other flags than elsewhere.
export CARGO_TARGET_DIR="${FUZZ_TARGET_DIR:-$PWD/target/fuzz}"
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-$option"
done
# Else the compiler joins comparisons, and the fuzzer cannot tell which of them held.
RUSTFLAGS+=" -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
export RUSTFLAGS
# With a target named, build scripts and macros are built without these flags.
cargo build --locked --release --target "$host" --manifest-path server/vault/fuzz/Cargo.toml --bins

here=server/vault/fuzz
work=$CARGO_TARGET_DIR/work
for target in $targets; do
  echo "== $target, $seconds s"
  mkdir -p "$work/$target/found" "$work/$target/findings"
  options=("-max_total_time=$seconds" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1)
  options+=("-artifact_prefix=$work/$target/findings/")
  if [ -f "$here/$target.dict" ]; then options+=("-dict=$here/$target.dict"); fi
  log=$work/$target/log
  if ! "$CARGO_TARGET_DIR/$host/release/$target" "${options[@]}" "$work/$target/found" "$here/corpus/$target" >"$log" 2>&1; then
    tail -40 "$log" >&2
    echo "scripts/fuzz.sh: a finding in $target. The input is in $work/$target/findings" >&2
    exit 1
  fi
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb)' "$log" || true
done
echo "No findings."
