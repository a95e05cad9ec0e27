// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Text of others as one line that is what it looks like.
package enum PlainLine {
    /// White space becomes one blank; what is not seen, moves or hides text (controls, directions, lone parts) U+FFFD.
    package static func of(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        var isBlank = true
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace {
                if !isBlank { line.append(" ") }
                isBlank = true
                continue
            }
            isBlank = false
            line.append(isSeen(scalar) ? scalar : "\u{FFFD}")
        }
        if line.last == " " { line.removeLast() }
        return String(line)
    }

    /// The same with every blank where it stands, as in lines of source.
    package static func keepingBlanks(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.properties.isWhitespace ? " " : isSeen(scalar) ? scalar : "\u{FFFD}"
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// The joiners of Persian, of Indian scripts and of emoji are part of what is seen.
    static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\u{200C}" || scalar == "\u{200D}" { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator:
            return false
        default: return true
        }
    }
}
