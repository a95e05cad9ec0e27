// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a plugin says in one line (docs/plugin-protocol.md).
///
/// Values are the model's where there is one; who may say what is the host's decision, not the codec's.
package enum PluginRecord: Hashable, Sendable {
    case hello(protocolVersion: String)
    case stage(StageChange)
    case progress(Progress)
    case expect(stage: StageID?, total: Double)
    case log(LogLine)
    case diag(Diagnostic)
    case exec(ExecRequest)
    case output(key: String, value: String)
    case mask(String)
    case artifact(ArtifactRule)
    case preview(PreviewRule)
    case notice(title: String, markdown: String)
    case willFail(reason: String)
    case error(DeclaredError)
    case end(EndStatus, message: String?)

    /// The types this version acts on, as `welcome` names them.
    package static let types = [
        "hello", "stage", "progress", "expect", "log", "diag", "exec", "output", "mask", "artifact",
        "preview",
        "notice", "will_fail", "error", "end",
    ]

    package enum EndStatus: String, Hashable, Sendable, CaseIterable, FieldReadable {
        case ok
        case failed
    }
}

/// A command that a driver asks the host to run in the build's sandbox.
package struct ExecRequest: Hashable, Sendable {
    /// The driver's own name for it, repeated in the answers.
    package var id: String
    /// At least one element, no NUL bytes.
    package var argv: [String]
    /// Relative to the source, without `..`; nil = the source itself.
    package var directory: RelativePath?
    package var environment: [String: String]
    package var stage: StageID?
    /// Below the step's own.
    package var timeout: Duration?
    /// Longest time without output; below the step's own.
    package var silence: Duration?
    /// Who reads its output; empty = the observers of its programs.
    package var observers: [ObserverName]
    /// Whether its two output streams are told apart, at the cost of their order.
    package var streams: OutputStreams
    /// What it reads on its standard input; nil = nothing.
    package var input: String?
    /// How many last lines of output the answer carries.
    package var tail: Int

    package init(id: String, argv: [String]) {
        self.id = id
        self.argv = argv
        self.environment = [:]
        self.observers = []
        self.streams = .together
        self.tail = 20
    }
}

/// A failure as a driver explains it; the host decides what it means.
package struct DeclaredError: Hashable, Sendable {
    package var message: String
    package var code: String?
    package var fault: Fault?
    package var hint: String?
}

/// What a line of a plugin's standard output is.
package enum PluginLine: Hashable, Sendable {
    case record(PluginRecord)
    /// A well-formed record of a type that this version does not know.
    case unknown(type: String)
    /// It begins like a record; the reason why it is none, for the plugin's author.
    case malformed(String)
    /// Log text.
    case log
}
