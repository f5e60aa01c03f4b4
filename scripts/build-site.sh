#!/usr/bin/env bash
# Builds the browser's half into target/site: pkg/keystead.{js,wasm,css}, the files of public/, each also
# brotli-compressed, and build-id. Does nothing when nothing changed. Fails when script and WASM pass their budget.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

scripts/setup.sh compiler wasm site

cargo build --quiet --locked -p frontend --target wasm32-unknown-unknown --profile wasm-release
compiled=$CARGO_TARGET_DIR/wasm32-unknown-unknown/wasm-release/frontend.wasm

inputs=$({
  cat "$compiled" scripts/build-site.sh scripts/site/assemble.mjs scripts/site/package-lock.json
  find style public -type f -not -path 'public/screenshots/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -d' ' -f1)
stamp=target/site-inputs

if ! { [ -f target/site/build-id ] && [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ]; }; then
  staging=target/site-staging
  rm -rf "$staging"
  mkdir -p "$staging/pkg"
  .tools/bin/wasm-bindgen --target web --no-typescript --out-name keystead --out-dir "$staging/pkg" "$compiled"
  # With LEPTOS_OUTPUT_NAME set a page asks for keystead.wasm.
  scripts/site/node_modules/.bin/wasm-opt -Oz --enable-bulk-memory --enable-nontrapping-float-to-int \
    --enable-reference-types --enable-multivalue --enable-mutable-globals --enable-sign-ext \
    "$staging/pkg/keystead_bg.wasm" -o "$staging/pkg/keystead.wasm"
  rm "$staging/pkg/keystead_bg.wasm"
  # Script that a dependency brings along would be a folder of its own, which the server does not serve.
  if [ -d "$staging/pkg/snippets" ]; then echo "a dependency brings its own script: $(ls "$staging/pkg/snippets")" >&2; exit 1; fi
  # The pictures are for the README, not for the program.
  if [ -d public ]; then cp -R public/. "$staging/"; rm -rf "$staging/screenshots"; fi
  node scripts/site/assemble.mjs "$staging" style/main.css
  rm -rf target/site
  mv "$staging" target/site
  echo "$inputs" >"$stamp"
fi
node scripts/site/sizes.mjs target/site
