# Sourced by what needs a local AWS and PostgreSQL of its own. Both live in $scratch and end with it (scratch.sh).
. scripts/local-aws.sh
. scripts/postgres.sh

# Starts both, and tells the tests where they are.
start_services() {
  local kms_port
  kms_port=$(free_port)
  use_local_aws "$kms_port"
  # A function in whose outcome the caller is interested does not stop at a failure by itself.
  start_local_kms "$kms_port" "$scratch/aws" "$scratch/local-kms.log" || return
  start_postgres "$scratch/postgres" "$(free_port)" || return
  export KEYSTEAD_TEST_KMS_URL=http://127.0.0.1:$kms_port
  export KEYSTEAD_TEST_POSTGRES_URL=$postgres_url
}
