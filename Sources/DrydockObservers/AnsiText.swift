// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Escape sequences of terminals.
package enum AnsiText {
    /// `text` without escape sequences.
    package static func stripped(_ text: String) -> String {
        guard text.utf8.contains(0x1B) else { return text }
        var text = text
        return String(decoding: text.withUTF8 { stripped(UnsafeRawBufferPointer($0)) }, as: UTF8.self)
    }

    /// `line` without CSI, OSC and two-byte sequences (ECMA-48, section 5.4).
    static func stripped(_ line: UnsafeRawBufferPointer) -> [UInt8] {
        var clean: [UInt8] = []
        clean.reserveCapacity(line.count)
        var rest = line[...]
        while let byte = rest.popFirst() {
            guard byte == 0x1B else {
                clean.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "["): rest = rest.drop { !(0x40...0x7E).contains($0) }.dropFirst()
            case UInt8(ascii: "]"): rest = rest.drop { $0 != 0x07 && $0 != 0x1B }.dropFirst()
            default: break
            }
        }
        return clean
    }
}
