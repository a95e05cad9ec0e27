// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What is known of one tool's output: data, read from `observers/NAME.json`.
///
/// Source: `docs/observers.md`.
package struct Observer: Hashable, Sendable {
    package var name: ObserverName
    package var title: String
    /// The tools, with version, whose real output the rules were tried on; empty = unverified.
    package var recorded: [String]
    /// Globs for names of programs.
    var commands: [String]
    /// Observers whose rules apply as well.
    package var includes: [ObserverName]
    /// Variables that make the tool tell more.
    package var environment: [String: String]
    var progress: [ProgressRule]
    var diagnostics: [DiagnosticRule]
    var directories: [DirectoryRule]
    var runs: [RunsRule]
}

/// How a line tells how far the tool is.
struct ProgressRule: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        /// Groups with n and m.
        case counter(current: Int, total: Int)
        /// The group with a percentage.
        case percent(Int)
        /// One more unit of the name.
        case unit(String)
        /// The group with how many units of the name there will be.
        case expectation(Int, unit: String)
    }

    var pattern: LinePattern
    var form: Form
    var unit: String?
    /// The part of the whole that 0…1 stands for.
    var span: ClosedRange<Double>?
    /// Only pieces that a carriage return ended.
    var isOverwrittenOnly: Bool
}

/// How lines tell what went wrong.
struct DiagnosticRule: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        /// One or more lines in a row.
        case lines([LineRule])
        case trace(TraceRule)
        /// One line of JSON.
        case json(JSONRule)
    }

    var form: Form
    /// Where no group says it.
    var severity: Diagnostic.Severity
    /// It says that something failed, not what.
    var isConsequence: Bool
    /// What to do about it: the observer's own words, never the output's.
    var hint: String?
}

/// One line of a diagnostic: what its groups are.
struct LineRule: Hashable, Sendable {
    var pattern: LinePattern
    var file: Int?
    var line: Int?
    var column: Int?
    var severity: Int?
    var code: Int?
    var message: Int?
    /// The file that it is always about; no group.
    var constantFile: String?
    /// The file may be named by the end of its path.
    var searches = false
    /// Its message is added to the one so far, and so is that of every further line that matches.
    var joins = false
    /// Every further line that matches is one more diagnostic.
    var loops = false
    /// How many lines below the one before it may be.
    var within = 1
    /// Where it does not come, the diagnostic stands without it.
    var isOptional = false
}

/// A stack of calls.
struct TraceRule: Hashable, Sendable {
    enum Deepest: String, Hashable, Sendable, CaseIterable, FieldReadable {
        case first
        case last
    }

    var begin: LineRule
    var frame: LineRule
    /// nil: it ends at the first line that is no frame.
    var end: LineRule?
    var deepest: Deepest
}

/// Where the tool's file names begin.
enum DirectoryRule: Hashable, Sendable {
    case enter(LinePattern, group: Int)
    case leave(LinePattern)

    var pattern: LinePattern {
        switch self {
        case .enter(let pattern, _), .leave(let pattern): pattern
        }
    }
}

/// A line that says which command runs next.
struct RunsRule: Hashable, Sendable {
    var pattern: LinePattern
    var command: Int
}
