// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Work that waits for a disk, a lock or a child, kept off the few threads that run everyone's `await`s.
package enum Blocking {
    /// Every process's own: enough for what its builds and uploads do at one time, and no more however many there are.
    private static let pool = ThreadPool(name: "blocking", width: 32)

    /// Has `body` done where waiting harms nobody; nobody waits for it.
    package static func start(_ body: @escaping @Sendable () -> Void) { pool.submit(body) }

    /// Runs `body` where waiting harms nobody, and returns what it returns.
    ///
    /// A cancelled task waits for it all the same.
    package static func run<Result: Sendable, Problem: Error>(
        _ body: @escaping @Sendable () throws(Problem) -> Result
    ) async throws(Problem) -> Result {
        let result = await withCheckedContinuation { continuation in
            pool.submit {
                let result: Swift.Result<Result, Problem>
                do throws(Problem) {
                    result = .success(try body())
                } catch {
                    result = .failure(error)
                }
                // Nothing of it is kept here: who gets it may wait for its end.
                continuation.resume(returning: consume result)
            }
        }
        return try result.get()
    }

    /// Runs `body` where waiting harms nobody; it looks now and then whether its task was cancelled, and returns soon then.
    package static func interruptible<Value: Sendable, Problem: Error>(
        _ body: @escaping @Sendable (_ isCancelled: () -> Bool) throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let cancelled = SetOnce()
        let result = await withTaskCancellationHandler {
            await run { Swift.Result { () throws(Problem) in try body { cancelled.value } } }
        } onCancel: {
            cancelled.set()
        }
        return try result.get()
    }

    /// Runs `body`, and then `cleanUp` where waiting harms nobody, whatever came of it.
    package static func cleaning<Result: Sendable>(
        up cleanUp: @escaping @Sendable () -> Void,
        after body: () async throws -> Result
    ) async throws -> Result {
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        await run(cleanUp)
        return try result.get()
    }
}
