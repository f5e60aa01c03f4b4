# Sourced by what needs a local AWS and PostgreSQL of its own. They live in $scratch and end with it (scratch.sh).
. scripts/local-aws.sh
. scripts/postgres.sh

# Starts them, and tells the tests where they are. A second local AWS enforces signatures and policies, for the tests of what
# a key policy allows.
start_services() {
  local kms_port enforcing_port
  kms_port=$(free_port)
  enforcing_port=$(free_port)
  use_local_aws "$kms_port"
  # A function in whose outcome the caller is interested does not stop at a failure by itself.
  AUTH=true start_local_kms "$enforcing_port" "$scratch/enforcing-aws" "$scratch/enforcing-kms.log" || return
  enforcing_kms_pid=$local_kms_pid
  start_local_kms "$kms_port" "$scratch/aws" "$scratch/local-kms.log" || return
  start_postgres "$scratch/postgres" "$(free_port)" || return
  export KEYSTEAD_TEST_KMS_URL=http://127.0.0.1:$kms_port
  export KEYSTEAD_TEST_ENFORCING_KMS_URL=http://127.0.0.1:$enforcing_port
  export KEYSTEAD_TEST_POSTGRES_URL=$postgres_url
}
