// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The first bytes of a TLS connection, right or wrong as a test wants them.
enum TLSBytes {
    /// A ClientHello with these extensions, `(type, content)`.
    static func hello(_ extensions: [(Int, [UInt8])], pieces: Int = 1) -> [UInt8] {
        var list: [UInt8] = []
        for (type, content) in extensions { list += number(type, 2) + vector(content, 2) }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + vector([], 1) + vector([0x13, 0x01], 2)
            + vector([0], 1)
        let message = [1] + vector(body + vector(list, 2), 3)
        let size = (message.count + pieces - 1) / pieces
        return stride(from: 0, to: message.count, by: size).flatMap { start in
            [22, 3, 1] + vector(Array(message[start..<min(start + size, message.count)]), 2)
        }
    }

    static func hello(for name: String, pieces: Int = 1) -> [UInt8] {
        hello([serverName(name)], pieces: pieces)
    }

    static func serverName(_ name: String) -> (Int, [UInt8]) {
        (0, vector([0] + vector(Array(name.utf8), 2), 2))
    }

    static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    static func vector(_ bytes: [UInt8], _ width: Int) -> [UInt8] { number(bytes.count, width) + bytes }
}
