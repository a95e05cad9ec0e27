// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Dispatch
internal import Glibc

/// Ctrl-C and a polite kill, turned into a wish.
enum Interruption {
    /// Runs `body`; `wish` is called for the first SIGINT or SIGTERM that comes meanwhile.
    ///
    /// A second one ends the process: the sandboxes die with it.
    static func cancelling<Result: Sendable>(
        _ wish: @escaping @Sendable () -> Void,
        during body: () async -> Result
    ) async -> Result {
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                wish()
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            signal(SIGINT, SIG_DFL)
            signal(SIGTERM, SIG_DFL)
        }
        return await body()
    }
}

/// The path with links resolved, from `/`; nil when it leads nowhere.
func realPathOf(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
