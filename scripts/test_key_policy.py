"""The key policy in its formats, read and run by other people's tools: shells, HashiCorp's parser of HCL, cfn-lint.

The files in app/src/key_policy/expected are exactly what the program generates; the tests of `app` see to that. `usual` is what
people are shown, in `owned` the owner's account is known and the partition another, and in `hostile` every value tries to become
something else.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import cfnlint.decode
import pygohcl
from cfnlint.api import ManualArgs, lint

EXPECTED = Path(__file__).parent.parent / "app" / "src" / "key_policy" / "expected"
CASES = ("usual", "owned", "hostile")
OWNER = "111122223333"

# Arguments of these in Terraform's AWS provider, from its documentation.
KMS_KEY_ARGUMENTS = {
    "description",
    "key_usage",
    "custom_key_store_id",
    "customer_master_key_spec",
    "policy",
    "bypass_policy_lockout_safety_check",
    "deletion_window_in_days",
    "is_enabled",
    "enable_key_rotation",
    "rotation_period_in_days",
    "multi_region",
    "tags",
    "xks_key_id",
    # Of every resource.
    "lifecycle",
}
LIFECYCLE_ARGUMENTS = {"prevent_destroy", "precondition", "postcondition", "ignore_changes", "create_before_destroy"}

# Stands in for the AWS CLI: takes its arguments down and answers what the commands go on with.
AWS = """#!/bin/sh
printf '%s\\0' "$@" >>"$CALLS"
printf '\\036' >>"$CALLS"
case $1 in
  sts) echo 111122223333 ;;
  kms) echo arn:of:the:key ;;
esac
"""


def read(case: str, end: str) -> str:
    return next((EXPECTED / case).glob(f"*.{end}")).read_text(encoding="utf-8")


def statements(case: str) -> list:
    return json.loads(read(case, "json"))


def value(case: str) -> dict:
    """What the case is about, taken from its statements."""
    partition, region = ("aws-us-gov", "us-gov-west-1") if case == "owned" else ("aws", "us-west-1")
    deployment = statements(case)[0]["Condition"]["StringEquals"]["kms:EncryptionContext:deployment"]
    return {
        "partition": partition,
        "region": deployment if case == "hostile" else region,
        "description": f"Customer managed key of Keystead deployment {deployment}",
    }


def policy(case: str) -> dict:
    """The policy that every complete format must come to."""
    owner = {
        "Sid": "OwnerManagesKey",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{value(case)['partition']}:iam::{OWNER}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [owner, *statements(case)]}


class KeyPolicyTest(unittest.TestCase):
    maxDiff = None

    def test_the_hostile_case_is_hostile(self):
        hostile = value("hostile")["region"]
        for part in ("'", '"', "\\", "`", "$(", "${", "%{", "\n", "#", "- *", "OWNER-ACCOUNT", "\x7f", "é", "😀"):
            self.assertIn(part, hostile)

    def test_commands_create_the_key_with_the_whole_policy_in_any_shell(self):
        for case in CASES:
            for shell in ("bash", "sh"):
                with self.subTest(case=case, shell=shell):
                    said, calls, left = run(shell, read(case, "sh"))
                    self.assertEqual(said, "arn:of:the:key\n")
                    *asked, created = calls
                    region = value(case)["region"]
                    identity = ["sts", "get-caller-identity", "--region", region, "--query", "Account", "--output", "text"]
                    self.assertEqual(asked, [] if case == "owned" else [identity])
                    self.assertEqual(created[:2], ["kms", "create-key"])
                    options = dict(zip(created[2::2], created[3::2], strict=True))
                    self.assertEqual(json.loads(options.pop("--policy")), policy(case))
                    self.assertEqual(
                        options,
                        {
                            "--region": region,
                            "--description": value(case)["description"],
                            "--query": "KeyMetadata.Arn",
                            "--output": "text",
                        },
                    )
                    self.assertEqual(left, [], "the commands leave no file")

    def test_terraform_comes_to_the_same_policy(self):
        for case in CASES:
            with self.subTest(case=case):
                text = read(case, "tf")
                owner = "${data.aws_caller_identity.keystead.account_id}"
                self.assertEqual(text.count(owner), 0 if case == "owned" else 1)
                pygohcl.loads(text)
                # The parser evaluates what stands by itself: so without the function, the owner and the region.
                text = text.replace(owner, OWNER).replace("data.aws_region.keystead.id == ", "", 1)
                text = text.replace("policy = jsonencode({\n", "policy = {\n", 1).replace("\n  })\n", "\n  }\n", 1)
                parsed = pygohcl.loads(text)
                key = parsed["resource"]["aws_kms_key"]["keystead"]
                self.assertLessEqual(set(key), KMS_KEY_ARGUMENTS)
                self.assertLessEqual(set(key["lifecycle"]), LIFECYCLE_ARGUMENTS)
                self.assertEqual(key["policy"], policy(case))
                self.assertEqual(key["description"], value(case)["description"])
                self.assertEqual(key["lifecycle"]["precondition"]["condition"], value(case)["region"])
                self.assertIs(key["lifecycle"]["prevent_destroy"], True)
                self.assertEqual(parsed["output"]["keystead_key_arn"]["value"], "aws_kms_key.keystead.arn")
                asked = {"aws_region"} if case == "owned" else {"aws_region", "aws_caller_identity"}
                self.assertEqual(set(parsed["data"]), asked)

    def test_cloudformation_comes_to_the_same_policy(self):
        for case in CASES:
            with self.subTest(case=case):
                template, problems = cfnlint.decode.decode_str(read(case, "yaml"))
                self.assertEqual(problems, [])
                template = json.loads(json.dumps(template))
                key = template["Resources"]["Key"]
                self.assertEqual(filled_in(key["Properties"]["KeyPolicy"]), policy(case))
                self.assertEqual(key["Properties"]["Description"], value(case)["description"])
                self.assertEqual((key["DeletionPolicy"], key["UpdateReplacePolicy"]), ("Retain", "Retain"))
                [rule] = template["Rules"]["RegionOfTheDeployment"]["Assertions"]
                self.assertEqual(rule["Assert"], {"Fn::Equals": [{"Ref": "AWS::Region"}, value(case)["region"]]})
                self.assertEqual(template["Outputs"]["KeyArn"]["Value"], {"Fn::GetAtt": ["Key", "Arn"]})

    def test_cfn_lint_finds_nothing(self):
        for case in ("usual", "owned"):
            with self.subTest(case=case):
                found = lint(read(case, "yaml"), config=ManualArgs(regions=[value(case)["region"]]))
                self.assertEqual([str(match) for match in found], [])


def filled_in(node):
    """A part of a template as CloudFormation makes it in the owner's account."""
    if isinstance(node, list):
        return [filled_in(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::Sub"}:
        return node["Fn::Sub"].replace("${AWS::AccountId}", OWNER)
    return {name: filled_in(item) for name, item in node.items()}


def run(shell: str, commands: str) -> tuple[str, list, list]:
    """What the commands print, the calls they make, and the files they leave behind."""
    with tempfile.TemporaryDirectory() as folder:
        tools, work, record = Path(folder) / "tools", Path(folder) / "work", Path(folder) / "calls"
        tools.mkdir()
        work.mkdir()
        aws = tools / "aws"
        aws.write_text(AWS, encoding="utf-8")
        aws.chmod(0o755)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "CALLS": str(record), "LC_ALL": "C.UTF-8"}
        ran = subprocess.run(
            [shell], input=commands, cwd=work, env=environment, text=True, encoding="utf-8", capture_output=True, check=True
        )
        calls = [call.split("\0")[:-1] for call in record.read_text(encoding="utf-8").split("\x1e")[:-1]]
        return ran.stdout, calls, os.listdir(work)


if __name__ == "__main__":
    unittest.main()
