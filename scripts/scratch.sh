# Sourced, after local-aws.sh and postgres.sh, by the scripts that start services for a while: a folder of their own, and an
# end that stops what was started and leaves nothing behind, however it comes. Sets scratch.

scratch=$(mktemp -d -t keystead.XXXXXX)
# PostgreSQL does not run as root, and must reach its folder.
chmod 755 "$scratch"
local_kms_pid=
enforcing_kms_pid=
cleanup() {
  trap - EXIT INT TERM HUP
  stop_process "$local_kms_pid"
  stop_process "$enforcing_kms_pid"
  stop_postgres
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT TERM HUP

# A variable of the caller's must not decide what servers and tests see.
for variable in $(compgen -e KEYSTEAD_) DATABASE_URL; do unset "$variable"; done
