// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

@testable import DrydockServer

/// Frames that a client sends to `/ws`.
enum FrameFuzz {
    /// What came of a stream of frames.
    private struct Heard: Hashable {
        var inputs: [WebSocketInput] = []
        var failure: WebSocketFailure?
    }

    // Short, so that messages which are too long are among what mutation finds.
    private static let longest = 4_096

    /// The first byte says how the rest comes: how it is cut must not change what is read.
    static func frames(_ bytes: [UInt8]) {
        guard let size = bytes.first else { return }
        let stream = Array(bytes.dropFirst())
        for readsDeflated in [false, true] {
            let whole = hear(stream, pieces: max(1, stream.count), readsDeflated)
            precondition(hear(stream, pieces: Int(size) + 1, readsDeflated) == whole)
            for case .text(let text) in whole.inputs {
                precondition(text.count <= longest && String(validating: text, as: UTF8.self) != nil)
            }
        }
    }

    private static func hear(_ stream: [UInt8], pieces: Int, _ readsDeflated: Bool) -> Heard {
        var decoder = WebSocketDecoder(longestMessage: longest, binary: .kept, readsDeflated: readsDeflated)
        var heard = Heard()
        do throws(WebSocketFailure) {
            for start in stride(from: 0, to: stream.count, by: pieces) {
                var piece = ByteBuffer(bytes: stream[start..<min(start + pieces, stream.count)])
                decoder.feed(&piece)
                while let input = try decoder.next() { heard.inputs.append(input) }
            }
        } catch {
            heard.failure = error
        }
        return heard
    }
}
