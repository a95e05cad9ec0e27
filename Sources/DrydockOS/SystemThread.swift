// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// Starts a detached thread for work that blocks, which must not stand on the cooperative pool.
///
/// `name` has at most 15 bytes; it is what `ps -L` and debuggers show. Source: man 3 pthread_create, pthread_setname_np.
package func startThread(named name: StaticString, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let work = Unmanaged.passRetained(ThreadWork(name: name, body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let status = pthread_create(
        &thread,
        &attributes,
        { context in
            guard let context else { return nil }
            Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().run()
            return nil
        },
        work.toOpaque()
    )
    guard status == 0 else {
        work.release()
        throw Errno(rawValue: status)
    }
}

/// What a thread was started for.
private final class ThreadWork: Sendable {
    private let name: StaticString
    private let body: @Sendable () -> Void

    init(name: StaticString, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
            cos_name_thread($0)
        }
        body()
    }
}
