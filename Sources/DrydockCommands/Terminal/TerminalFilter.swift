// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Synchronization

/// Bytes of untrusted origin on their way to a terminal, made safe as they come: what `TerminalText` does to a line.
///
/// Line feeds and carriage returns stay: what was written can be written over on the same line, nothing above it.
final class TerminalFilter: Sendable {
    /// Bytes of an unfinished escape sequence that are kept for its rest; of a longer one the rest is shown as text.
    private static let longestEscape = 4_096

    /// What becomes of colours.
    enum Colours: Sendable {
        case kept
        case dropped
    }

    private struct State {
        var kept: [UInt8] = []
        /// Text that is written now would not look like the terminal's own.
        var isColoured = false
    }

    private let colours: Colours
    private let state = Mutex(State())

    init(_ colours: Colours = .kept) { self.colours = colours }

    /// What of these bytes, and those kept before, may be written now.
    func filter(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        state.withLock { state in
            var all = state.kept
            all.append(contentsOf: bytes)
            let end = Self.unfinished(all)
            state.kept = Array(all[end...])
            return sanitised(all[..<end], &state)
        }
    }

    /// What was kept, once nothing comes any more; with the end of all colours, so that what others write can be read.
    func rest() -> [UInt8] {
        state.withLock { state in
            let rest = sanitised(state.kept[...], &state)
            defer { state = State() }
            return rest + (state.isColoured ? "\u{1B}[0m".utf8 : "".utf8)
        }
    }

    private func sanitised(_ bytes: ArraySlice<UInt8>, _ state: inout State) -> [UInt8] {
        var result: [UInt8] = []
        var start = bytes.startIndex
        for index in bytes.indices where bytes[index] == 0x0A || bytes[index] == 0x0D {
            result += sanitised(line: bytes[start..<index], &state)
            result.append(bytes[index])
            start = index + 1
        }
        return result + sanitised(line: bytes[start...], &state)
    }

    private func sanitised(line: ArraySlice<UInt8>, _ state: inout State) -> String.UTF8View {
        let text = String(decoding: line, as: UTF8.self)
        switch colours {
        case .dropped: return TerminalText.plain(text).utf8
        case .kept: return TerminalText.sanitised(text) { state.isColoured = $0.isOpen }.utf8
        }
    }

    /// Where an escape sequence or a character begins that does not end here; the end when there is none.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        if let escape = bytes.lastIndex(of: 0x1B), !isFinished(bytes[escape...]),
            bytes.count - escape < longestEscape
        {
            return escape
        }
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }

    /// Whether the escape sequence at the start ends in these bytes, by the rules of `TerminalText`.
    private static func isFinished(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let kind = bytes.dropFirst().first else { return false }
        let rest = bytes.dropFirst(2)
        switch kind {
        case UInt8(ascii: "["): return rest.contains { (0x40...0x7E).contains($0) || $0 == 0x0A }
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            return rest.contains { $0 == 0x07 || $0 == 0x0A }
        default: return true
        }
    }
}
