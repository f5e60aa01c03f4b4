#!/usr/bin/env bash
# The browser tests against one program: scripts/test-browser.sh <program> [Playwright's options]
# Each worker starts a local KMS and a server of its own (end2end/harness/).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/local-aws.sh

scripts/setup.sh python browser
KEYSTEAD_PROGRAM=$(realpath "$1")
KEYSTEAD_CHECKOUT=$PWD
export KEYSTEAD_PROGRAM KEYSTEAD_CHECKOUT
shift
# The harness sets what each server needs; of the caller's AWS settings nothing may reach it.
for variable in $(compgen -e AWS_); do unset "$variable"; done
cd end2end
exec node_modules/.bin/playwright test "$@"
