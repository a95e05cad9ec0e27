// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// The bytes that a pump has handed over.
final class Collected: Sendable {
    private let bytes = Mutex([UInt8]())

    var all: [UInt8] { bytes.withLock { $0 } }

    var text: String { String(decoding: all, as: UTF8.self) }

    func add(_ more: UnsafeRawBufferPointer) { bytes.withLock { $0.append(contentsOf: more) } }
}
