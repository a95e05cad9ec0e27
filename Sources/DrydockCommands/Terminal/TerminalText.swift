// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Text of untrusted origin, made safe for a terminal.
enum TerminalText {
    /// `text` without what could move the cursor, retitle the window, hide or reorder characters.
    ///
    /// Colours survive (`ColourSequence`), and `onColour` hears of each; every other escape sequence, control character and
    /// bidirectional control is dropped. Source: ECMA-48 5.4, Unicode 3.4 of UAX #9.
    static func sanitised(_ text: String, onColour: (ColourSequence) -> Void = { _ in }) -> String {
        filtered(text) { sequence in
            guard let colour = ColourSequence(sequence) else { return [] }
            if !colour.scalars.isEmpty { onColour(colour) }
            return colour.scalars
        }
    }

    /// `text` without any escape sequence, for files and pipes.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { !isHarmless($0) }) else { return text }
        return filtered(text) { _ in [] }
    }

    private static func filtered(
        _ text: String,
        replacingEscapes replacement: (ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]
    ) -> String {
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        var index = 0
        while index < scalars.count {
            if scalars[index] == "\u{1B}" {
                let end = endOfEscape(scalars, from: index)
                result.append(contentsOf: replacement(scalars[index..<end]))
                index = end
                continue
            }
            if isHarmless(scalars[index]) { result.append(scalars[index]) }
            index += 1
        }
        return String(result)
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: true
        case 0..<0x20, 0x7F..<0xA0: false
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: false
        default: true
        }
    }

    /// The index after the escape sequence that begins at `start`; an unfinished one goes to the end.
    private static func endOfEscape(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
        guard start + 1 < scalars.count else { return scalars.count }
        switch scalars[start + 1] {
        case "[":
            var index = start + 2
            while index < scalars.count, !(0x40...0x7E).contains(scalars[index].value) { index += 1 }
            return min(index + 1, scalars.count)
        case "]", "P", "X", "^", "_":  // OSC, DCS, SOS, PM, APC: up to BEL or ST
            var index = start + 2
            while index < scalars.count {
                if scalars[index] == "\u{07}" || scalars[index] == "\u{9C}" { return index + 1 }
                if scalars[index] == "\u{1B}" { return min(index + 2, scalars.count) }
                index += 1
            }
            return index
        default:
            return start + 2
        }
    }
}
