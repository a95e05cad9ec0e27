// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A sequence of untrusted origin that sets how a terminal shows text (SGR, `ESC [ … m`), without what hides it.
///
/// Source: ECMA-48 8.3.117.
struct ColourSequence {
    /// What may go to a terminal; empty when nothing of it may.
    let scalars: [Unicode.Scalar]
    /// Whether text that follows looks other than the terminal's own.
    let isOpen: Bool

    /// Nil when `sequence` is another one.
    init?(_ sequence: ArraySlice<Unicode.Scalar>) {
        guard sequence.count >= 3, sequence.last == "m", sequence.dropFirst().first == "[" else { return nil }
        let body = sequence.dropFirst(2).dropLast()
        guard body.allSatisfy({ ("0"..."9").contains($0) || $0 == ";" || $0 == ":" }) else { return nil }
        let parameters = body.split(separator: ";", omittingEmptySubsequences: false)
        var kept: [ArraySlice<Unicode.Scalar>] = []
        var isOpen = false
        var index = parameters.startIndex
        while index < parameters.endIndex {
            let parameter = parameters[index]
            let end = min(index + Self.length(parameters[index...]), parameters.endIndex)
            // Conceal; a number that no terminal knows may be it to one that counts wrongly.
            if let code = Self.code(parameter), code != 8 {
                kept += parameters[index..<end]
                isOpen = code != 0
            }
            index = end
        }
        self.isOpen = isOpen
        let text = Array(kept.joined(separator: [";"]))
        scalars = kept.isEmpty ? [] : ["\u{1B}", "["] + text + ["m"]
    }

    /// How many parameters belong together at the start: a colour by its number has three, by its parts five.
    private static func length(_ parameters: ArraySlice<ArraySlice<Unicode.Scalar>>) -> Int {
        guard let first = parameters.first, !first.contains(":"), let number = code(first),
            [38, 48, 58].contains(number), let form = parameters.dropFirst().first.flatMap({ code($0) })
        else { return 1 }
        return form == 5 ? 3 : form == 2 ? 5 : 1
    }

    /// The number that a parameter begins with, where nothing stands for 0; nil beyond 255.
    private static func code(_ parameter: ArraySlice<Unicode.Scalar>) -> Int? {
        let digits = parameter.prefix { $0 != ":" }
        guard !digits.isEmpty else { return 0 }
        return Int(String(String.UnicodeScalarView(digits))).flatMap { $0 <= 255 ? $0 : nil }
    }
}
