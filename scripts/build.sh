#!/usr/bin/env bash
# Builds the one-file program with the site inside: scripts/build.sh <release|ci> [--quiet]
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
profile=$1

if [ "${2:-}" = --quiet ]; then scripts/build-site.sh >/dev/null; else scripts/build-site.sh; fi
cargo build --locked --profile "$profile" -p server --bin keystead
program=$CARGO_TARGET_DIR/$profile/keystead

# A released program lets nobody see its memory, whatever its environment says: it has no core, and what the system shows
# of it belongs to root. Seen on one that waits for a password, as a user who is not root.
memory_is_hidden() {
  local user=() seen hidden="/proc/self/fd/3 user, owned by 0, limit 0 0"
  if [ "$(id -u)" = 0 ]; then user=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
  coproc waiting {
    export KEYSTEAD_TEST_ALLOW_CORE_DUMPS=1
    unset KEYSTEAD_USER_PASSWORD
    exec "${user[@]}" /proc/self/fd/3 user add --email a@example.com --name A --role member 3<"$program" 2>/dev/null
  }
  local pid=$waiting_PID attempt
  for attempt in $(seq 100); do
    seen=$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -d' ' -f1-2)
    seen="$seen, owned by $(stat -c %u "/proc/$pid/mem"), limit $(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")"
    if [ "$seen" = "$hidden" ]; then break; fi
    sleep 0.05
  done
  kill "$pid" && wait "$pid" 2>/dev/null || true
  [ "$seen" = "$hidden" ] || { echo "$program lets its memory be dumped: $seen (attempt $attempt)" >&2; return 1; }
}
if [ "$profile" = release ]; then memory_is_hidden; fi

if [ "${2:-}" != --quiet ]; then
  printf '  %-34s%8.1f MB\n' "${program#"$PWD/"}" "$(stat -c %s "$program" | awk '{ print $1 / 1048576 }')"
fi
