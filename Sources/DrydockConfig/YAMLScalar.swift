// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

extension JSON {
    /// What an unquoted word means: YAML 1.2's core schema, so that `no` and `1:30` stay text.
    ///
    /// Source: YAML 1.2.2, section 10.3.2.
    init(plain word: String) {
        switch word {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default:
            if let integer = Int(word) {
                self = JSON(integer)
            } else if let first = word.utf8.first, "+-.0123456789".utf8.contains(first),
                word.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }),
                let number = Double(word), number.isFinite
            {
                self = .number(number)
            } else {
                self = .string(word)
            }
        }
    }
}
