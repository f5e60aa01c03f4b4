#!/usr/bin/env bash
# Brings in what the other scripts use, and only what is missing: scripts/setup.sh <part>...
#   compiler      C and C++ compilers, for the cryptography library, SQLite and the fuzzer
#   wasm          Rust's WASM target, and the wasm-bindgen of exactly the version in Cargo.lock
#   site          npm packages that shrink WASM and styles
#   python        .tools/venv: the local KMS, the AWS CLI, and what reads the generated key policies
#   browser       Chromium, and the npm packages of the browser tests
#   postgres      PostgreSQL's server programs
#   gdb           gdb, which looks into the memory of the program for the tests
#   deny          cargo-deny
# Each part leaves a stamp in .tools/stamps and is done again when the file that pins its versions changes.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .tools/stamps
# One set-up at a time, also when two commands start together.
exec 9>.tools/stamps/lock
flock 9

say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Whether the part was set up from the files it depends on as they are now.
is_done() { # part, files...
  local stamp=.tools/stamps/$1
  shift
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint "$@")" ]
}

mark_done() { # part, files...
  local stamp=.tools/stamps/$1
  shift
  fingerprint "$@" >"$stamp"
}

# The folder is part of it: a Python environment does not survive being moved.
fingerprint() { { pwd; cat "$@"; } | sha256sum | cut -d' ' -f1; }

apt_install() {
  command -v apt-get >/dev/null || die "please install: $* (this system has no apt-get)"
  [ "$(id -u)" = 0 ] || die "please install as root: apt-get install $*"
  say "installing $* with apt-get"
  local log=.tools/apt.log
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 \
    || { tail -20 "$log" >&2; die "apt-get could not install $*"; }
}

locked_version() { awk -v crate="$1" '$1 == "name" && $3 == "\"" crate "\"" { getline; gsub(/"/, "", $3); print $3; exit }' Cargo.lock; }

need_node() {
  command -v npm >/dev/null || die "Node.js 20 or newer with npm is needed"
}

install_npm_packages() { # folder
  need_node
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefix "$1" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
}

set_up_compiler() {
  command -v cargo >/dev/null || die "Rust 1.95 or newer is needed: https://rustup.rs"
  { command -v cc && command -v c++; } >/dev/null || apt_install build-essential
}

set_up_wasm() {
  if ! [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    command -v rustup >/dev/null || die "Rust's target wasm32-unknown-unknown is missing, and there is no rustup to add it"
    say "adding Rust's WASM target"
    rustup target add wasm32-unknown-unknown >&2
  fi
  local version
  version=$(locked_version wasm-bindgen)
  if [ "$(.tools/bin/wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $version" ]; then
    say "installing wasm-bindgen $version (two minutes)"
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --root .tools wasm-bindgen-cli --version "$version" >&2
  fi
}

set_up_site() {
  local pins=(scripts/site/package-lock.json)
  is_done site "${pins[@]}" && [ -d scripts/site/node_modules ] && return
  say "installing what shrinks WASM and styles"
  install_npm_packages scripts/site
  mark_done site "${pins[@]}"
}

set_up_python() {
  local pins=(scripts/requirements.txt)
  is_done python "${pins[@]}" && [ -x .tools/venv/bin/python ] && return
  command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3 python3-venv
  say "installing the local KMS, the AWS CLI and readers of key policies"
  rm -rf .tools/venv
  python3 -m venv .tools/venv
  .tools/venv/bin/pip install --quiet --disable-pip-version-check -r scripts/requirements.txt >&2
  mark_done python "${pins[@]}"
}

set_up_browser() {
  [ -x /usr/bin/chromium ] || apt_install chromium fonts-liberation
  [ -x /usr/bin/chromium ] || die "there is still no /usr/bin/chromium"
  local pins=(end2end/package-lock.json)
  is_done browser "${pins[@]}" && [ -d end2end/node_modules ] && return
  say "installing the packages of the browser tests"
  install_npm_packages end2end
  mark_done browser "${pins[@]}"
}

set_up_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return
  # Without this, Debian makes and starts a cluster of its own, which nothing here needs.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt_install postgresql
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || die "there are still no PostgreSQL server programs"
}

set_up_gdb() {
  command -v gcore >/dev/null || apt_install gdb
  command -v gcore >/dev/null || die "there is still no gcore, which comes with gdb"
}

CARGO_DENY_VERSION=0.20.2

set_up_deny() {
  [ "$(.tools/bin/cargo-deny --version 2>/dev/null)" = "cargo-deny $CARGO_DENY_VERSION" ] && return
  say "installing cargo-deny $CARGO_DENY_VERSION (some minutes)"
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --root .tools cargo-deny --version "$CARGO_DENY_VERSION" >&2
}

for part in "$@"; do
  declare -F "set_up_$part" >/dev/null || die "no such part: $part"
  "set_up_$part"
done
