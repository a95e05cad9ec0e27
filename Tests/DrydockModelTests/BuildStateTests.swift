// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@Suite("states and their moves")
struct BuildStateTests {
    @Test("nothing follows a terminal state", arguments: BuildState.allCases.filter(\.isTerminal))
    func terminal(state: BuildState) {
        for next in BuildState.allCases { #expect(!state.allows(next), "\(state) → \(next)") }
    }

    @Test(
        "a build goes its way one state at a time",
        arguments: zip(
            [BuildState.queued, .preparing, .running, .finishing],
            [BuildState.preparing, .running, .finishing, .succeeded]
        )
    )
    func way(state: BuildState, next: BuildState) {
        #expect(state.allows(next))
        if state != .finishing { #expect(!state.allows(.succeeded)) }
    }

    @Test(
        "every state that is not an end can be ended",
        arguments: BuildState.allCases.filter { !$0.isTerminal }
    )
    func ending(state: BuildState) {
        for end in [BuildState.failed, .errored, .cancelled, .timedOut] { #expect(state.allows(end)) }
    }

    @Test("only what still waits is superseded", arguments: BuildState.allCases)
    func superseded(state: BuildState) {
        #expect(state.allows(.superseded) == (state == .queued))
    }

    @Test("a lost attempt goes back to the queue, an ended one does not", arguments: BuildState.allCases)
    func retry(state: BuildState) {
        #expect(state.allows(.queued) == [.preparing, .running, .finishing].contains(state))
    }

    @Test(
        "more may come to the newest attempt alone, and while it is worked on",
        arguments: BuildState.allCases
    )
    func over(state: BuildState) {
        let (first, second) = (AttemptID(rawValue: "a_1"), AttemptID(rawValue: "a_2"))
        #expect(state.isOver(second, newest: second) == ![.preparing, .running, .finishing].contains(state))
        #expect(state.isOver(first, newest: second) && state.isOver(first, newest: nil))
    }

    @Test(
        "the fault decides between failed and errored, some codes have states of their own",
        arguments: [
            (FailureCode.stepFailed, Fault.user, BuildState.failed),
            (.pluginCrashed, .plugin, .errored),
            (.sandboxUnavailable, .platform, .errored),
            (.cancelled, .user, .cancelled),
            (.superseded, .user, .superseded),
            (.totalTimeout, .user, .timedOut),
        ]
    )
    func outcome(code: FailureCode, fault: Fault, state: BuildState) {
        #expect(Outcome(Failure(code, fault, "because")).state == state)
    }
}
