// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
internal import Glibc
package import SystemPackage

/// A thread of its own for calls that block: the concurrency runtime's few threads must never wait for a pipe.
package enum SystemThread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a new detached thread; `name` (15 bytes are kept) shows in `top -H`.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Room for decoders and a signal frame; the default of 8 MiB is address space per pipe for nothing.
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                cos_name_thread(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard result != 0 else { return }
        start.release()
        throw Errno(rawValue: result)
    }
}
