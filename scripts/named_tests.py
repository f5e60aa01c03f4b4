#!/usr/bin/env python3
"""Says which tests that SECURITY.md names do not exist. A test is named as `file::name`, in backticks.

A name counts only where the file declares it as a test: a function with a test's attribute, one in the list that runs on both
databases, one in a `proptest!` block, or a browser test of that title.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`([\w./-]+\.(?:rs|ts|py))::([^`]+)`")
ATTRIBUTE = re.compile(r"#\[(?:tokio::)?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async\s+)?fn\s+(\w+)")
BOTH_DATABASES = re.compile(r"on_both_databases!\(([^)]*)\)")
FUNCTION = re.compile(r"^\s*(?:async\s+)?fn\s+(\w+)", re.MULTILINE)
TITLE = re.compile(r"^\s*test\(\s*(['\"`])(.*?)\1", re.MULTILINE)


def tests_of(file: str, text: str) -> set[str]:
    """The names of the tests in a file."""
    if file.endswith(".ts"):
        return {title for _, title in TITLE.findall(text)}
    if file.endswith(".py"):
        return set(re.findall(r"def (test_\w+)", text))
    declared = set(FUNCTION.findall(text))
    names = set(ATTRIBUTE.findall(text))
    for names_on_both in BOTH_DATABASES.findall(text):
        names |= set(re.findall(r"\w+", names_on_both)) & declared
    if "proptest!" in text:
        names |= set(FUNCTION.findall(text.split("proptest!", 1)[1]))
    return names


def missing(page: str, root: pathlib.Path = ROOT) -> list[str]:
    """What a page names and does not exist."""
    wrong = []
    for file, name in sorted(set(NAMED.findall(page))):
        path = root / file
        if not path.is_file():
            wrong.append(f"{file}: there is no such file")
        elif name not in tests_of(file, path.read_text(encoding="utf-8")):
            wrong.append(f"{file}: there is no test {name!r}")
    return wrong


def main() -> int:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)
    if not named:
        print("SECURITY.md names no test", file=sys.stderr)
        return 1
    wrong = missing(page)
    for line in wrong:
        print(f"SECURITY.md names a test that does not exist: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
