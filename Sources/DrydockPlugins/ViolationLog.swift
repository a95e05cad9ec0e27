// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// What the sandboxes of one step stopped: told as it happens, each kind once, however often and by however many commands it
/// is tried.
final class ViolationLog: Sendable {
    private struct Kind: Hashable {
        let call: String
        let target: String?
        let program: String?
    }

    private struct State {
        var told: [Violation] = []
        var kinds: Set<Kind> = []
        /// By call: how often something was tried that was not told.
        var untold: [String: Violation] = [:]
    }

    /// Told one by one; what hostile code tries beyond that is counted.
    private static let most = 64
    /// Characters of what was tried.
    private static let longest = 200

    private let sink: any StepEventSink
    private let masker: StepMasker
    private let state = Mutex(State())

    init(_ sink: any StepEventSink, _ masker: StepMasker) {
        self.sink = sink
        self.masker = masker
    }

    /// Those that were told, oldest first.
    var violations: [Violation] { state.withLock(\.told) }

    func note(_ violation: Violation, in stage: StageID?) {
        var violation = violation
        let masker = masker.current
        let hidden = { (text: String) in FailureDetails.clipped(masker.masked(text), to: Self.longest) }
        violation.target = violation.target.map(hidden)
        violation.program = violation.program.map(hidden)
        violation.stage = stage
        let isNew = state.withLock { state in
            let kind = Kind(call: violation.call, target: violation.target, program: violation.program)
            if violation.count == 1, state.told.count < Self.most, state.kinds.insert(kind).inserted {
                state.told.append(violation)
                return true
            }
            var untold = state.untold[violation.call] ?? Violation(call: violation.call, count: 0)
            untold.count = untold.count.addingReportingOverflow(violation.count).partialValue
            untold.isProbe = violation.isProbe
            state.untold[violation.call] = untold
            return false
        }
        if isNew { sink.emit([.violation(violation)], via: .host) }
    }

    /// Tells how often more; when nothing of the step runs any more.
    func finish() {
        let rest = state.withLock { state in
            defer { state.untold = [:] }
            return state.untold.values.sorted { $0.call < $1.call }
        }
        if !rest.isEmpty { sink.emit(rest.map(Event.violation), via: .host) }
    }
}
