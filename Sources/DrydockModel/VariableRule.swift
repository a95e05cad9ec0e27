// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Which environment variables a project may choose, and how long they may be: the one place of the rule.
package enum VariableRule {
    package static let longestName = 128
    /// Bytes of one value; Linux takes 128 KiB for name and value together.
    package static let longestValue = 64 << 10
    /// Variables of one table.
    package static let most = 200

    /// What every step gets from Drydock, beside what begins with `DRYDOCK`.
    private static let given: Set = ["CI", "HOME", "PATH", "LANG", "TZ", "SOURCE_DATE_EPOCH", "COLUMNS"]

    /// Whether `text` matches `[A-Za-z_][A-Za-z0-9_]*`, and is no longer than a name may be.
    package static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= longestName, !isDigit(first) else { return false }
        return bytes.allSatisfy { byte in
            isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "_")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Whether the variable is one that Drydock sets, or may set one day.
    package static func isOwn(_ name: String) -> Bool { name.hasPrefix("DRYDOCK") || given.contains(name) }

    /// Whether the variable changes which code the dynamic loader puts into every program (ld.so(8)).
    package static func steersLoader(_ name: String) -> Bool {
        name.hasPrefix("LD_") || name == "GLIBC_TUNABLES"
    }
}
