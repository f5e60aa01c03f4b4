"""The check of the tests that SECURITY.md names finds what is not there."""

import pathlib
import tempfile
import unittest

import named_tests

RUST = """
on_both_databases!(on_both, not_declared,);
async fn on_both(database: Database) {}
fn help() {}
#[test]
fn plain() {}
#[tokio::test(flavor = "multi_thread")]
async fn waits() {}
"""


class NamedTests(unittest.TestCase):
    def test_only_what_is_declared_as_a_test_counts(self) -> None:
        self.assertEqual(named_tests.tests_of("a.rs", RUST), {"on_both", "plain", "waits"})
        browser = "test('one thing', async () => {});\n  test(`of ${several}`, async () => {});"
        self.assertIn("one thing", named_tests.tests_of("a.spec.ts", browser))

    def test_what_is_missing_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.rs").write_text(RUST, encoding="utf-8")
            page = "`a.rs::plain` `a.rs::help` `b.rs::plain` `a.rs::not_declared`"
            wrong = named_tests.missing(page, root)
        self.assertEqual(len(wrong), 3)
        self.assertTrue(all("plain'" not in line for line in wrong))

    def test_the_page_names_what_exists(self) -> None:
        page = (named_tests.ROOT / "SECURITY.md").read_text(encoding="utf-8")
        self.assertEqual(named_tests.missing(page), [])
        self.assertGreater(len(set(named_tests.NAMED.findall(page))), 60)


if __name__ == "__main__":
    unittest.main()
