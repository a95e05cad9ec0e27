// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Dispatch
internal import Glibc

/// Ctrl-C, a polite kill and a terminal that goes away, turned into a wish.
enum Interruption {
    /// Runs `body`; `wish` is called for the first SIGINT, SIGTERM or SIGHUP that comes meanwhile.
    ///
    /// A second SIGINT or SIGTERM ends the process: the sandboxes die with it. A second SIGHUP does not: kernel and shell
    /// both send one when a terminal is closed. One that is ignored from the start, as below `nohup`, stays so.
    static func cancelling<Result: Sendable>(
        _ wish: @escaping @Sendable () -> Void,
        during body: () async -> Result
    ) async -> Result {
        let numbers = [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if number != SIGHUP { signal(number, SIG_DFL) }
                wish()
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            // The second SIGHUP may come now; nothing is left that it could end but the words about the end.
            for number in numbers where number != SIGHUP { signal(number, SIG_DFL) }
        }
        return await body()
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
    }
}
