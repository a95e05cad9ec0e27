// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import ServiceLifecycle

/// A wait of something that streams over HTTP: for more to send, but not longer than a heartbeat, nor than the server.
///
/// The server's wish to end is heard where the request is answered, so that streams end by themselves, with their
/// protocol's own end, before connections are closed.
struct StreamWait: Sendable {
    enum Ending<Value: Sendable>: Sendable {
        /// What was waited for came.
        case done(Value)
        case silence
        case shutdown
    }

    private let heartbeat: Duration

    init(_ heartbeat: Duration) { self.heartbeat = heartbeat }

    /// Which comes first; the others are cancelled.
    func first<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Ending<Value> {
        try await withThrowingTaskGroup(of: Ending<Value>.self) { group in
            group.addTask { .done(try await work()) }
            group.addTask { [heartbeat] in
                try await Task.sleep(for: heartbeat)
                return .silence
            }
            group.addTask {
                try await gracefulShutdown()
                return .shutdown
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
