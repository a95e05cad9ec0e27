# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Which versions a project allows, as the plugins for Node and Python read it: python3 -m unittest discover Tests/Plugins"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
sys.path[:0] = [str(PLUGINS / "25-node"), str(PLUGINS / "20-python")]
import semver
import specifiers


class NodeRanges(unittest.TestCase):
    def test_allowed(self):
        for text in ("*", "", "20", "20.x", "v20", "20.20.x", ">=18", ">= 18.0.0", "^18 || ^20", "18 || 20 || >=22", "^20.9.0", "~20.20", "18 - 20",
                     ">=18 <21", "<=20", "=20.20.2", "16.x || >=20", "^18.0.0 || >=20.0.0-rc.1", "x", ">=0.10 <21.0.0"):
            self.assertIs(semver.allows(text, (20, 20, 2)), True, text)

    def test_refused(self):
        for text in ("18", "^18", "18.x", ">20", ">20.20.2", "<20", "~20.19", "^20.21", "18 - 19", ">=22 || ^18", "20.20.3", "^0.12", "<=19"):
            self.assertIs(semver.allows(text, (20, 20, 2)), False, text)

    def test_left_most_part_that_is_not_zero(self):
        self.assertTrue(semver.allows("^0.2.3", (0, 2, 9)))
        self.assertFalse(semver.allows("^0.2.3", (0, 3, 0)))
        self.assertFalse(semver.allows("^0.0.3", (0, 0, 4)))
        self.assertTrue(semver.allows("^0.0", (0, 0, 9)))
        self.assertFalse(semver.allows("^0.0", (0, 1, 0)))

    def test_no_range(self):
        for text in ("lts/*", "latest", "node >= 4", ">="):
            self.assertIsNone(semver.allows(text, (20, 20, 2)), text)


class PythonSpecifiers(unittest.TestCase):
    def test_allowed(self):
        for text in (">=3.8", ">=3.8,<4", "~=3.9", "^3.8", ">=3.9, !=3.9.7", "==3.*", "==3.11.*", "3.11", ">3.10", "<3.12", "~=3.11.1", ">=2.7, !=3.0.*, !=3.1.*",
                     "^2.7 || ^3.6", "~3.11", ">=3.6.*", "*", ""):
            self.assertTrue(specifiers.allows(text, (3, 11, 2)), text)

    def test_refused(self):
        for text in (">=3.12", "<3.11", "==3.10.*", "~=3.12", "^4", "!=3.11.*", ">=3.8,<3.11", "~3.10", "^2.7", "==3.11.1", "<3"):
            self.assertFalse(specifiers.allows(text, (3, 11, 2)), text)


if __name__ == "__main__":
    unittest.main()
