// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// How a build that has ended did so, as the index says it.
extension Build {
    var outcome: Outcome {
        if state == .succeeded { return .succeeded }
        return Outcome(failure ?? Failure(.internal, .platform, "the build ended as \(state.rawValue)"))
    }

    /// From its start to its end.
    var duration: Duration {
        guard let startedAt, let finishedAt else { return .zero }
        return finishedAt.since(startedAt)
    }
}
