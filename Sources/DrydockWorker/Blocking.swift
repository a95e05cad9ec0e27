// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Dispatch

/// Work that waits for the disk, kept off the few threads that run everyone's `await`s.
enum Blocking {
    /// Runs `body`, and then `cleanUp` off those threads, whatever came of it.
    static func cleaning<Result: Sendable>(
        up cleanUp: @escaping @Sendable () -> Void,
        after body: () async throws -> Result
    ) async throws -> Result {
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                cleanUp()
                done.resume()
            }
        }
        return try result.get()
    }

    /// Runs `body` on a thread where waiting harms nobody, and returns what it returns.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }
}
