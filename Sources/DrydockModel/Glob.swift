// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Patterns for names: `*` any characters, `?` one, `[a-z]` `[!a]` one of a set; everything else is itself.
package enum Glob {
    /// Whether all of `name` fits `pattern`.
    ///
    /// At most pattern × name steps: a star is never tried again behind a later one.
    package static func matches(_ pattern: String, _ name: String) -> Bool {
        let pattern = Array(pattern.unicodeScalars)
        let name = Array(name.unicodeScalars)
        var (p, n) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, let next = step(pattern, p, name[n]) {
                p = next
                n += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (p, n) = (last.pattern + 1, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }

    /// Where the pattern goes on when the element at `index` takes `scalar`; nil when it does not.
    private static func step(
        _ pattern: [Unicode.Scalar],
        _ index: Int,
        _ scalar: Unicode.Scalar
    ) -> Int? {
        guard pattern[index] == "[", let close = pattern[(index + 1)...].dropFirst().firstIndex(of: "]")
        else {
            return pattern[index] == "?" || pattern[index] == scalar ? index + 1 : nil
        }
        var set = pattern[(index + 1)..<close]
        let isNegated = set.first == "!"
        if isNegated { set = set.dropFirst() }
        var isMember = false
        while let low = set.popFirst() {
            if set.count >= 2, set.first == "-" {
                set = set.dropFirst()
                let high = set.popFirst() ?? low
                isMember = isMember || (low.value <= scalar.value && scalar.value <= high.value)
            } else {
                isMember = isMember || low == scalar
            }
        }
        return isMember != isNegated ? close + 1 : nil
    }
}
