# Sourced by the scripts that need the local KMS: its environment, starting it and waiting for it.
# Nothing here reaches the real AWS: the endpoints are on loopback and the credentials mean nothing elsewhere.

use_local_aws() { # port
  local endpoint=http://127.0.0.1:$1 variable
  for variable in $(compgen -e AWS_); do unset "$variable"; done
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-west-1 AWS_DEFAULT_REGION=us-west-1
  export AWS_ENDPOINT_URL_KMS=$endpoint AWS_ENDPOINT_URL_STS=$endpoint AWS_ENDPOINT_URL_S3=$endpoint
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
  # The AWS CLI's own: never through a pager, and never through a proxy.
  export AWS_PAGER= NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"
  export no_proxy=$NO_PROXY
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  .tools/venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts it in a session of its own, so that Ctrl-C in the terminal reaches only the script, which then stops things
# in order. Sets local_kms_pid.
start_local_kms() { # port, state folder, log file
  setsid .tools/venv/bin/python scripts/local_kms.py --port "$1" --state "$2" >"$3" 2>&1 &
  local_kms_pid=$!
  local attempt
  for attempt in $(seq 300); do
    if ! kill -0 "$local_kms_pid" 2>/dev/null; then break; fi
    if port_is_taken "$1"; then return 0; fi
    sleep 0.1
  done
  echo "The local KMS did not start (attempt $attempt). Its log, $3, ends with:" >&2
  tail -20 "$3" >&2
  return 1
}

# Politely, then not.
stop_process() { # pid
  [ -n "${1:-}" ] || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  local attempt
  for attempt in $(seq 150); do
    kill -0 "$1" 2>/dev/null || return 0
    [ "$attempt" -lt 150 ] && sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

# Waits until a program answers 200 to a path, or has ended. 30 seconds at most.
wait_until_ready() { # pid, url
  .tools/venv/bin/python - "$1" "$2" <<'PYTHON'
import os, sys, time, urllib.request

pid, url = int(sys.argv[1]), sys.argv[2]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
until = time.monotonic() + 30
while time.monotonic() < until:
    try:
        os.kill(pid, 0)
        opener.open(url, timeout=2).close()
        sys.exit(0)
    except ProcessLookupError:
        break
    except OSError:
        time.sleep(0.05)
sys.exit(1)
PYTHON
}
