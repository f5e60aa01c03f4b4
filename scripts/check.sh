#!/usr/bin/env bash
# `make check`: format, lints, dependency policy, and the scripts themselves. Builds nothing that is kept.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh compiler wasm python browser deny

echo "== format"
cargo fmt --check -p app -p frontend -p server -p vault

# Each half by itself: together they would unify the features `ssr` and `hydrate` of `app`.
echo "== lints: vault, app on the server's side, server"
cargo clippy --locked --quiet --profile ci -p vault -p app -p server --all-targets -- -D warnings
echo "== lints: the browser's half"
cargo clippy --locked --quiet -p frontend -p app --features app/hydrate --target wasm32-unknown-unknown -- -D warnings

echo "== dependencies: bans, licences, sources"
.tools/bin/cargo-deny --log-level error --all-features check bans licenses sources

echo "== scripts and browser tests"
for script in scripts/*.sh .ci/run; do bash -n "$script"; done
PYTHONPYCACHEPREFIX=.tools/pycache .tools/venv/bin/python -m compileall -q scripts/*.py
for module in scripts/site/*.mjs; do node --check "$module"; done
(cd end2end && node_modules/.bin/tsc --noEmit)

echo "== SECURITY.md: the tests that it names"
.tools/venv/bin/python scripts/named_tests.py

echo "== the house: no file of our own over 400 lines"
git ls-files --cached --others --exclude-standard -- '*.rs' '*.ts' '*.mjs' '*.py' '*.sh' '*.css' \
  | while IFS= read -r file; do
      [ ! -f "$file" ] || [ "$(wc -l <"$file")" -le 400 ] || { echo "$file has $(wc -l <"$file") lines" >&2; exit 1; }
    done
echo "All good."
