// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// One thing that a check of a plugin found.
package struct PluginFinding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, Comparable {
        /// For people who want to know; nothing is wrong.
        case note
        /// The plugin works, and not as its author may think.
        case warning
        /// The plugin does not work as the protocol says.
        case error

        private var rank: Int { self == .error ? 2 : self == .warning ? 1 : 0 }
        package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    }

    package var severity: Severity
    /// What was looked at, such as `manifest` or `run`.
    package var part: String
    /// What is wrong; one sentence without a full stop.
    package var message: String
    /// What to do, where that is not plain.
    package var hint: String?
    /// The file of the plugin that it is in.
    package var file: String?
    /// The line of that file, or of the plugin's output; from 1.
    package var line: Int?
    /// What the plugin wrote, clipped.
    package var said: String?

    package init(_ severity: Severity, _ part: String, _ message: String, hint: String? = nil) {
        self.severity = severity
        self.part = part
        self.message = message
        self.hint = hint
    }

    /// What is wrong in a file of the plugin.
    init(_ severity: Severity, _ part: String, _ problem: FieldProblem, file: String) {
        self.init(severity, part, problem.message, hint: problem.hint)
        self.file = file
        line = problem.line
    }

    package init(_ severity: Severity, _ part: String, _ failure: Failure) {
        self.init(severity, part, failure.message, hint: failure.hint)
    }
}
