#!/usr/bin/env bash
# `make run`: builds, starts the local KMS, and serves on http://127.0.0.1:3000 until Ctrl-C.
# Everything that must outlive a run is in .local/: keys and their state, database, objects, the first password.
# It may be killed at any point, with all it started, and run again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
. scripts/local-aws.sh

kms_port=${KEYSTEAD_LOCAL_KMS_PORT:-4566}
listen=${KEYSTEAD_LISTEN:-127.0.0.1:3000}
local=$PWD/.local
program=$CARGO_TARGET_DIR/release/keystead
aws=$PWD/.tools/venv/bin/aws
log=$local/log

scripts/setup.sh compiler python wasm site
scripts/build.sh release --quiet

mkdir -p -m 700 "$local" "$local/data" "$log"

# One at a time over one folder.
exec 8>"$local/lock"
if ! flock -n 8; then
  echo "make run is already running in this folder. Stop that one first (Ctrl-C there)." >&2
  exit 1
fi

# What a run that was killed has left behind, known by the process ids it noted, and only if they are still ours.
stop_leftover() { # pid file, word in its command line
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  if [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2"; then stop_process "$pid"; fi
  rm -f "$1"
}
stop_leftover "$local/keystead.pid" "$program"
stop_leftover "$local/kms.pid" "--state $local/aws"

if port_is_taken "$kms_port"; then
  echo "Port $kms_port, where the local KMS listens, is taken by another program." >&2
  echo "Stop that, or choose another port: KEYSTEAD_LOCAL_KMS_PORT=4577 make run" >&2
  exit 1
fi
if port_is_taken "${listen##*:}"; then
  echo "Port ${listen##*:}, where Keystead listens, is taken by another program." >&2
  echo "Stop that, or choose another: KEYSTEAD_LISTEN=127.0.0.1:3001 KEYSTEAD_PUBLIC_URL=http://127.0.0.1:3001 make run" >&2
  exit 1
fi

server_pid= local_kms_pid=
stop_all() {
  trap - EXIT INT TERM HUP
  if [ -n "$server_pid$local_kms_pid" ]; then echo; echo "Stopping. What you stored, and the state of the keys, stays in .local/."; fi
  stop_process "$server_pid"
  stop_process "$local_kms_pid"
  rm -f "$local/keystead.pid" "$local/kms.pid"
}
trap stop_all EXIT
trap 'stop_all; exit 0' INT TERM HUP

use_local_aws "$kms_port"
start_local_kms "$kms_port" "$local/aws" "$log/local-kms.log" 8>&-
echo "$local_kms_pid" >"$local/kms.pid"

# A key's ARN is noted once the key exists; a crash in between leaves a spare key, which harms nobody.
key_arn() { # name, description
  local file=$local/$1.arn
  if [ ! -s "$file" ]; then
    "$aws" --endpoint-url "$AWS_ENDPOINT_URL_KMS" kms create-key --description "$2" \
      --query KeyMetadata.Arn --output text >"$file.new"
    sync "$file.new"
    mv "$file.new" "$file"
  fi
  cat "$file"
}
KEYSTEAD_PROVIDER_KEY_ARN=$(key_arn provider-key "Keystead: the provider's key")
customer_key=$(key_arn customer-key "A customer managed key to try Keystead with")

if [ ! -s "$local/admin-password" ]; then
  (umask 077; .tools/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(15))' >"$local/admin-password.new")
  mv "$local/admin-password.new" "$local/admin-password"
fi

export KEYSTEAD_PROVIDER_KEY_ARN
export KEYSTEAD_LISTEN=$listen KEYSTEAD_PUBLIC_URL=${KEYSTEAD_PUBLIC_URL:-http://$listen}
export DATABASE_URL=${DATABASE_URL:-sqlite://keystead.db?mode=rwc} KEYSTEAD_OBJECTS=${KEYSTEAD_OBJECTS:-file:./objects}
export KEYSTEAD_ADMIN_EMAIL=${KEYSTEAD_ADMIN_EMAIL:-admin@example.com}
export KEYSTEAD_ADMIN_PASSWORD
KEYSTEAD_ADMIN_PASSWORD=$(cat "$local/admin-password")

keystead() { (cd "$local/data" && exec "$program" "$@" 8>&-); }

# Each command logs to the same file as the server; on failure its end is shown.
step() { # what, command...
  local what=$1
  shift
  if ! "$@" >>"$log/keystead.log" 2>&1; then
    echo "$what failed. The log, $log/keystead.log, ends with:" >&2
    tail -20 "$log/keystead.log" >&2
    exit 1
  fi
}
: >"$log/keystead.log"
step "Bringing the database up to date" keystead migrate
# With the data locked by a disabled key there is nothing to load a sample into, and the server says so itself.
if [ ! -e "$local/data/sample-loaded" ]; then
  step "Loading the sample" keystead sample
  touch "$local/data/sample-loaded"
fi

(cd "$local/data" && exec setsid "$program" serve >>"$log/keystead.log" 2>&1 8>&-) &
server_pid=$!
echo "$server_pid" >"$local/keystead.pid"

if ! wait_until_ready "$server_pid" "http://$listen/readyz"; then
  echo "Keystead did not become ready. The log, $log/keystead.log, ends with:" >&2
  tail -20 "$log/keystead.log" >&2
  exit 1
fi

by_hand() { # kms subcommand
  printf 'AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test %q --endpoint-url %q --region us-west-1 kms %s --key-id %q' \
    "$aws" "$AWS_ENDPOINT_URL_KMS" "$1" "$customer_key"
}

cat <<BANNER

  Keystead is ready.

  Address            $KEYSTEAD_PUBLIC_URL
  E-mail             $KEYSTEAD_ADMIN_EMAIL
  Password           $KEYSTEAD_ADMIN_PASSWORD

  Customer key ARN   $customer_key
                     Enter it under Settings › Data Encryption › KMS Key ARN, and press Activate Key.

  Take access away (disable the key), and give it back (enable it), from another terminal:

$(by_hand disable-key)

$(by_hand enable-key)

  Log                $log/keystead.log
  Ctrl-C stops it. What you store stays in .local/.

BANNER

wait "$server_pid" || ended=$?
server_pid=
echo "Keystead ended by itself (${ended:-0}). The log, $log/keystead.log, ends with:" >&2
tail -20 "$log/keystead.log" >&2
exit 1
