"""The local stand-in for AWS: ministack's KMS, STS, IAM and S3 on loopback, with key state that survives `kill -9`.

ministack alone writes its state only on a polite stop: after a crash the keys are gone, or a disabled key is enabled
again. Here every call that changes a key is written to disk (temporary file, fsync, rename, fsync of the folder)
before its answer goes out, so whatever a caller was told is true after any crash. A state file that cannot be read
stops the start: going on without it would make everything encrypted under its keys unreadable.
"""

import argparse
import fcntl
import json
import logging
import os
import sys
from pathlib import Path

SERVICES = "kms,sts,iam,s3"

# The calls that change nothing worth keeping. Every other one, also one this list has never heard of, is written.
CALLS_THAT_CHANGE_NOTHING = frozenset(
    {
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeys",
        "ListResourceTags",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)

log = logging.getLogger("local-kms")


def write_durably(path: Path, text: str) -> None:
    """Replaces the file at `path` as a whole: after a crash it holds the old text or the new, never a part."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def prepare_environment(port: int, state_folder: Path) -> None:
    """Sets what ministack reads when it is imported. Only KMS, STS, IAM and S3, and only on loopback."""
    os.environ.update(
        PERSIST_STATE="1",
        STATE_DIR=str(state_folder),
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        # Either of these would listen on all interfaces.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        SERVICES=SERVICES,
        DOCKER_HOST="unix:///nonexistent",
        # Its process-id file goes there.
        TMPDIR=str(state_folder),
    )
    os.environ.setdefault("S3_PERSIST", "1")
    os.environ.setdefault("S3_DATA_DIR", str(state_folder / "s3"))
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    # For callers that do not sign; a signature names its region itself.
    os.environ.setdefault("MINISTACK_REGION", os.environ.get("AWS_REGION", "us-west-1"))


def hold_folder(state_folder: Path):
    """Locks the state folder for as long as the returned file is open, so that two servers never share one."""
    state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = open(state_folder / "lock", "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"local KMS: another one already uses {state_folder}")
    return lock


def refuse_damaged_state(state_folder: Path) -> None:
    """ministack would log a damaged file and start empty, and the next save would destroy it."""
    path = state_folder / "kms.json"
    if not path.exists():
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["payload"]["keys"]
    except (ValueError, KeyError, TypeError, OSError) as cause:
        sys.exit(f"local KMS: {path} holds the keys but cannot be read ({cause}). Put a good copy there, or remove it.")


def keep_every_change(state_folder: Path) -> None:
    """Makes ministack's KMS write its state before it answers, and all its saves durable ones."""
    from ministack.core import persistence
    from ministack.services import kms

    def save_state(service: str, data: dict) -> None:
        content = {"__ministack_format__": persistence._state_format_version(service), "payload": data}
        write_durably(state_folder / f"{service}.json", json.dumps(content, default=persistence._json_default))

    persistence.save_state = save_state
    answer = kms.handle_request

    async def answer_and_keep(method, path, headers, body, query_params):
        response = await answer(method, path, headers, body, query_params)
        call = headers.get("x-amz-target", "").rpartition(".")[2]
        if call not in CALLS_THAT_CHANGE_NOTHING:
            # An exception here becomes a 500: the caller is not told that something was done which may be lost.
            save_state("kms", kms.get_state())
        return response

    kms.handle_request = answer_and_keep


def reach_keys_of_other_accounts() -> None:
    """ministack looks for a key only among the caller's own. With policies enforced (AUTH=true), an ARN reaches the key in
    the account that it names, as in AWS, and the key's policy and the caller's decide together."""
    from ministack.core.responses import get_region
    from ministack.services import kms

    among_own = kms._resolve_key

    def resolve_key(name):
        parts = name.split(":", 5) if name else []
        if len(parts) == 6 and parts[3] == get_region() and parts[5].startswith("key/"):
            key = kms._keys.get_scoped(parts[4], parts[3], parts[5].removeprefix("key/"))
            return key if key and key["Arn"] == name else None
        return among_own(name)

    def policy_and_owner(arn):
        key = resolve_key(arn)
        return key and (key.get("Policy") or "", key["Arn"].split(":")[4])

    kms._resolve_key = resolve_key
    kms.key_policy_for_arn = policy_and_owner


def check_restored(state_folder: Path) -> None:
    """Loads the saved keys before the server starts, so that a failure stops it instead of passing unnoticed."""
    from ministack.core import persistence
    from ministack.services import kms

    if not (state_folder / "kms.json").exists():
        return
    data = persistence.load_state("kms")
    if data is None:
        sys.exit(f"local KMS: {state_folder / 'kms.json'} was not accepted; see the message above")
    kms.load_persisted_state(data)
    log.info("%d keys restored", len(kms._keys._data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1 (default %(default)s)")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps keys, policies and buckets")
    options = parser.parse_args()

    state_folder = options.state.resolve()
    lock = hold_folder(state_folder)
    prepare_environment(options.port, state_folder)
    refuse_damaged_state(state_folder)
    keep_every_change(state_folder)
    if os.environ.get("AUTH", "").lower() == "true":
        reach_keys_of_other_accounts()
    check_restored(state_folder)

    from ministack import app

    sys.argv = sys.argv[:1]
    try:
        app.main()
    finally:
        lock.close()


if __name__ == "__main__":
    main()
