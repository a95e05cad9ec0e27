// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Why a value is not what it should be, in words for whoever wrote it.
package struct FieldProblem: Error, Hashable, Sendable {
    /// What is wrong, with the value's name; one sentence without a full stop.
    package var message: String
    /// What to write instead, where that is not plain.
    package var hint: String?
    /// The line of the file, from 1, where it is known.
    package var line: Int?

    package init(_ message: String, hint: String? = nil, line: Int? = nil) {
        self.message = message
        self.hint = hint
        self.line = line
    }

    /// A key that `table` does not have, with the nearest one it has.
    package static func unknownKey(
        _ key: String,
        of table: String,
        among keys: [String],
        line: Int? = nil
    ) -> FieldProblem {
        FieldProblem(
            "\(table) has no key '\(key.prefix(64))'",
            hint: Spelling.hint(key, among: keys) ?? "the keys here are \(keys.joined(separator: ", "))",
            line: line
        )
    }

    /// Line, message and hint, for who shows one line.
    package var sentence: String {
        let place = line.map { "line \($0): " } ?? ""
        return place + message + (hint.map { " (\($0))" } ?? "")
    }
}

extension Failure {
    /// What is wrong in a file that a user writes.
    package init(_ problem: FieldProblem, file: String) {
        self.init(.configInvalid, .user, problem.message, hint: problem.hint, file: file, line: problem.line)
    }
}
