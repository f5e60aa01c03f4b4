"""Tests of the local KMS: what a caller was told is still true after `kill -9`.

Run with the Python of .tools/venv: `python -m unittest discover -s scripts -p 'test_*.py'`.
"""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

ENTRY = Path(__file__).with_name("local_kms.py")
REGION = "us-west-1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Exception):
    """An answer that is not 200; `code` is AWS's own word for it."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class LocalKms:
    """One process of the local KMS over a state folder, and calls to it."""

    def __init__(self, state: Path, **environment: str):
        self.state = state
        self.environment = environment
        self.port = free_port()
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ENTRY), "--port", str(self.port), "--state", str(self.state)],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"the local KMS ended with {self.process.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the local KMS did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def call(self, action: str, caller: str = "test", **fields) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/",
            data=json.dumps(fields).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"TrentService.{action}",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={caller}/20260101/{REGION}/kms/aws4_request, "
                "SignedHeaders=host, Signature=0",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as answer:
            body = json.loads(answer.read() or b"{}")
            raise Refused(body.get("__type", "").rpartition("#")[2]) from None


class SurvivesKill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="keystead-kms-")
        self.addCleanup(folder.cleanup)
        self.state = Path(folder.name) / "aws"
        self.kms = LocalKms(self.state)
        self.kms.start()
        self.addCleanup(lambda: self.kms.process.poll() is None and self.kms.kill())

    def crash(self):
        self.kms.kill()
        self.kms.start()

    def new_key(self, **fields) -> str:
        return self.kms.call("CreateKey", **fields)["KeyMetadata"]["Arn"]

    def state_of(self, key: str) -> str:
        return self.kms.call("DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"]

    def test_a_disabled_key_stays_disabled_and_old_ciphertext_opens_after_enabling(self):
        key = self.new_key()
        self.assertTrue(key.startswith(f"arn:aws:kms:{REGION}:"), key)
        context = {"deployment": "d", "scope": "organization"}
        plaintext = base64.b64encode(os.urandom(32)).decode()
        sealed = self.kms.call("Encrypt", KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
        self.kms.call("DisableKey", KeyId=key)
        self.crash()
        self.assertEqual(self.state_of(key), "Disabled")
        with self.assertRaises(Refused) as refused:
            self.kms.call("Decrypt", KeyId=key, CiphertextBlob=sealed, EncryptionContext=context)
        self.assertEqual(refused.exception.code, "DisabledException")
        self.kms.call("EnableKey", KeyId=key)
        self.crash()
        opened = self.kms.call("Decrypt", KeyId=key, CiphertextBlob=sealed, EncryptionContext=context)
        self.assertEqual(opened["Plaintext"], plaintext)

    def test_a_key_just_created_is_there_after_a_crash(self):
        keys = [self.new_key(Description=f"number {number}") for number in range(5)]
        self.crash()
        self.assertEqual([self.state_of(key) for key in keys], ["Enabled"] * 5)

    def test_an_asymmetric_key_comes_back_with_its_material(self):
        key = self.new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        before = self.kms.call("GetPublicKey", KeyId=key)["PublicKey"]
        self.crash()
        self.assertEqual(self.kms.call("GetPublicKey", KeyId=key)["PublicKey"], before)

    def test_policy_alias_description_and_tags_are_kept(self):
        key = self.new_key()
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.kms.call("PutKeyPolicy", KeyId=key, PolicyName="default", Policy=policy)
        self.kms.call("CreateAlias", AliasName="alias/ours", TargetKeyId=key)
        self.kms.call("UpdateKeyDescription", KeyId=key, Description="told")
        self.kms.call("TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
        self.crash()
        self.assertEqual(json.loads(self.kms.call("GetKeyPolicy", KeyId=key)["Policy"]), json.loads(policy))
        described = self.kms.call("DescribeKey", KeyId="alias/ours")["KeyMetadata"]
        self.assertEqual((described["Arn"], described["Description"]), (key, "told"))
        tags = self.kms.call("ListResourceTags", KeyId=key)["Tags"]
        self.assertEqual(tags, [{"TagKey": "a", "TagValue": "b"}])

    def test_a_scheduled_deletion_and_its_cancelling_are_kept(self):
        key = self.new_key()
        self.kms.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
        self.crash()
        self.assertEqual(self.state_of(key), "PendingDeletion")
        self.kms.call("CancelKeyDeletion", KeyId=key)
        self.crash()
        self.assertEqual(self.state_of(key), "Disabled")

    def test_a_kill_in_the_middle_of_many_changes_leaves_what_was_answered(self):
        """Keys are made without pause until the process is killed: each one that was answered must be there."""
        for _ in range(3):
            answered = []

            def make_keys():
                try:
                    while True:
                        answered.append(self.new_key())
                except (OSError, http.client.HTTPException, Refused, ValueError):
                    return

            maker = threading.Thread(target=make_keys)
            maker.start()
            while len(answered) < 10:
                time.sleep(0.01)
            self.kms.kill()
            maker.join()
            self.kms.start()
            self.assertEqual({self.state_of(key) for key in answered}, {"Enabled"})

    def test_a_damaged_state_file_stops_the_start_and_is_left_alone(self):
        self.new_key()
        self.kms.kill()
        file = self.state / "kms.json"
        file.write_text(file.read_text()[:-20])
        before = file.read_bytes()
        ended = subprocess.run(
            [sys.executable, str(ENTRY), "--port", str(free_port()), "--state", str(self.state)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("cannot be read", ended.stderr)
        self.assertEqual(file.read_bytes(), before)

    def test_two_servers_never_share_a_folder(self):
        ended = subprocess.run(
            [sys.executable, str(ENTRY), "--port", str(free_port()), "--state", str(self.state)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("another one already uses", ended.stderr)


class EnforcesPolicies(unittest.TestCase):
    """With AUTH=true. There the access key of an account's root user is the account's id."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="keystead-kms-")
        self.addCleanup(folder.cleanup)
        self.kms = LocalKms(Path(folder.name) / "aws", AUTH="true")
        self.kms.start()
        self.addCleanup(lambda: self.kms.process.poll() is None and self.kms.kill())

    def test_the_key_of_another_account_is_reached_by_its_arn_in_its_region(self):
        # Whose policies decide then is tested where they are shown: server/tests/key_setup.
        owner, other = "111122223333", "444455556666"
        key = self.kms.call("CreateKey", caller=owner)["KeyMetadata"]["Arn"]
        self.assertEqual(self.kms.call("DescribeKey", caller=other, KeyId=key)["KeyMetadata"]["Arn"], key)
        elsewhere = [key.replace(REGION, "eu-west-1"), key.replace(owner, "777788889999"), key.rpartition("/")[2]]
        for name in elsewhere:
            with self.subTest(name=name), self.assertRaises(Refused) as refused:
                self.kms.call("DescribeKey", caller=other, KeyId=name)
            self.assertEqual(refused.exception.code, "NotFoundException")


if __name__ == "__main__":
    unittest.main()
