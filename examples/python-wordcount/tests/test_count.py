import unittest

from wordcount import count


class CountTests(unittest.TestCase):
    def test_case_does_not_matter(self):
        self.assertEqual(count("Sea, sea, SEA"), {"sea": 3})

    def test_nothing(self):
        self.assertEqual(count("  ,;"), {})


if __name__ == "__main__":
    unittest.main()
