// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a preset's program says of its tool: lines of `host RULE`, `index VARIABLE URL` and `set VARIABLE VALUE`.
///
/// `-` for a variable stands for none: the tool goes to that index by itself.
package struct PresetAnswer: Hashable, Sendable {
    /// What the tool has to reach, its indexes first.
    package private(set) var rules: [NetworkRule] = []
    /// What steps are given that may reach an index of it.
    package private(set) var variables: [String: String] = [:]
    /// The passwords of indexes' addresses, which no step is shown.
    package private(set) var secrets: [HostSecret] = []
    /// Why one of them can not be added to requests.
    package private(set) var locked: FieldProblem?

    /// Reads all that a program printed; throws with the line where it is something else, and where it names no host.
    package init(parsing output: [UInt8]) throws(FieldProblem) {
        guard let text = String(validating: output, as: UTF8.self) else {
            throw FieldProblem("the answer is not UTF-8")
        }
        var further: [NetworkRule] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            do throws(FieldProblem) {
                try read(line, &further)
            } catch {
                throw FieldProblem(error.message, hint: error.hint, line: number + 1)
            }
        }
        for rule in further where !rules.contains(rule) { rules.append(rule) }
        if rules.isEmpty { throw FieldProblem("the answer names no host") }
        if rules.count > NetworkPolicy.mostRules {
            throw FieldProblem("the answer names more than \(NetworkPolicy.mostRules) hosts")
        }
    }

    private mutating func read(_ line: Substring, _ further: inout [NetworkRule]) throws(FieldProblem) {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        switch (words[0], words.count) {
        case ("host", 2): further.append(try NetworkRule(parsing: String(words[1])))
        case ("index", 3):
            let url = try IndexURL(parsing: words[2])
            if !rules.contains(url.rule) { rules.append(url.rule) }
            do throws(FieldProblem) {
                if let secret = try HostSecret.ofIndex(url) { secrets.append(secret) }
            } catch {
                locked = FieldProblem("the index at \(url.host) \(error.message)", hint: error.hint)
            }
            if words[1] != "-" { try set(words[1], url.description) }
        case ("set", 3): try set(words[1], String(words[2]))
        default:
            throw FieldProblem(
                "'\(line.prefix(64))' is no answer of a preset",
                hint: "write host RULE, index VARIABLE URL or set VARIABLE VALUE"
            )
        }
    }

    private mutating func set(_ name: Substring, _ value: String) throws(FieldProblem) {
        let first = name.utf8.first ?? UInt8(ascii: "0")
        guard name.utf8.allSatisfy(Self.isOfName), !(0x30...0x39).contains(first) else {
            throw FieldProblem("'\(name.prefix(64))' is no variable's name")
        }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw FieldProblem("the value of \(name) has a control character")
        }
        variables[String(name)] = value
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
