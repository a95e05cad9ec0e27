// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A regular expression as a tree.
indirect enum PatternSyntax: Hashable, Sendable {
    case set(ByteSet)
    case sequence([PatternSyntax])
    case choice([PatternSyntax])
    /// `index` from 1; nil where nothing is captured.
    case group(PatternSyntax, index: Int?)
    case repeated(PatternSyntax, least: Int, most: Int?, isLazy: Bool)
    case begin
    case end
}

/// Why a text is no pattern, as the end of "the pattern …".
struct PatternProblem: Error, Hashable, Sendable {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Reads the subset of regular expressions that a line can be matched against in linear time.
///
/// `docs/observers.md` lists it. What it does not have is refused, never taken for something else.
struct PatternParser {
    private static let mostGroups = 100
    private static let mostRepeats = 64
    private static let mostNested = 32
    static let longest = 1_000

    private let text: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false
    private(set) var groups = 0

    init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    mutating func parse() throws(PatternProblem) -> PatternSyntax {
        guard text.count <= Self.longest else {
            throw PatternProblem("is longer than \(Self.longest) characters")
        }
        if take("(?i)") { ignoresCase = true }
        let tree = try choice()
        guard position == text.count else { throw PatternProblem("has a ')' without '('") }
        return tree
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ literal: String) -> Bool {
        let wanted = Array(literal.unicodeScalars)
        guard text[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func choice() throws(PatternProblem) -> PatternSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.mostNested else {
            throw PatternProblem("nests more than \(Self.mostNested) groups")
        }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PatternProblem) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let atom = try atom(scalar)
            parts.append(try repeated(atom))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom(_ scalar: Unicode.Scalar) throws(PatternProblem) -> PatternSyntax {
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .set(cased(try bracketed()))
        case ".": return .set(.any)
        case "^": return .begin
        case "$": return .end
        case "\\": return try escaped()
        case "*", "+", "?": throw PatternProblem("repeats nothing at '\(scalar)'")
        // Elsewhere it is itself, as in most tools' text.
        case "{" where counts(at: position) != nil: throw PatternProblem("repeats nothing at '{'")
        default: return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> PatternSyntax {
        let bytes = Array(String(Character(scalar)).utf8)
        let sets = bytes.map { PatternSyntax.set(cased(ByteSet($0))) }
        return sets.count == 1 ? sets[0] : .group(.sequence(sets), index: nil)
    }

    private func cased(_ set: ByteSet) -> ByteSet { ignoresCase ? set.ignoringCase : set }

    private mutating func group() throws(PatternProblem) -> PatternSyntax {
        var index: Int?
        if !take("?:") {
            guard next != "?" else {
                throw PatternProblem("has '(?' and something that is not known here; there is '(?:'")
            }
            groups += 1
            guard groups <= Self.mostGroups else {
                throw PatternProblem("has more than \(Self.mostGroups) groups")
            }
            index = groups
        }
        let inner = try choice()
        guard take(")") else { throw PatternProblem("has a '(' without ')'") }
        return .group(inner, index: index)
    }

    private mutating func escaped() throws(PatternProblem) -> PatternSyntax {
        guard let scalar = next else { throw PatternProblem("ends in a backslash") }
        position += 1
        if let set = Self.named(scalar) { return .set(set) }
        return literal(try Self.sign(scalar))
    }

    /// The sign that a backslash before it makes plain.
    private static func sign(_ scalar: Unicode.Scalar) throws(PatternProblem) -> Unicode.Scalar {
        if scalar == "t" { return "\t" }
        let isLetterOrDigit =
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        guard scalar.isASCII, !isLetterOrDigit else {
            throw PatternProblem("has '\\\(scalar)', which is not known here")
        }
        return scalar
    }

    private static func named(_ scalar: Unicode.Scalar) -> ByteSet? {
        switch scalar {
        case "d": .digits
        case "D": ByteSet.digits.inverted
        case "w": .word
        case "W": ByteSet.word.inverted
        case "s": .space
        case "S": ByteSet.space.inverted
        default: nil
        }
    }

    private mutating func bracketed() throws(PatternProblem) -> ByteSet {
        let isInverted = take("^")
        var set = ByteSet()
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            position += 1
            if scalar == "\\", let named = next.flatMap(Self.named) {
                position += 1
                set = set.union(named)
                continue
            }
            let low = try member(scalar)
            guard next == "-", position + 1 < text.count, text[position + 1] != "]" else {
                set.insert(low)
                continue
            }
            position += 2
            let high = try member(text[position - 1])
            guard low <= high else { throw PatternProblem("has a range that ends before it begins") }
            set = set.union(ByteSet(low...high))
        }
        guard take("]") else { throw PatternProblem("has a '[' without ']'") }
        return isInverted ? set.inverted : set
    }

    private mutating func member(_ scalar: Unicode.Scalar) throws(PatternProblem) -> UInt8 {
        var scalar = scalar
        if scalar == "\\" {
            guard let escaped = next else { throw PatternProblem("has a '[' without ']'") }
            position += 1
            scalar = try Self.sign(escaped)
        }
        guard scalar.isASCII else {
            throw PatternProblem("has '\(scalar)' in brackets, where only ASCII can stand; write ( | )")
        }
        return UInt8(scalar.value)
    }

    // MARK: Repetition

    private mutating func repeated(_ atom: PatternSyntax) throws(PatternProblem) -> PatternSyntax {
        let (least, most): (Int, Int?)
        if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            (least, most) = (1, nil)
        } else if take("?") {
            (least, most) = (0, 1)
        } else if next == "{", let counts = counts(at: position + 1) {
            (least, most, position) = (counts.least, counts.most, counts.end)
            guard max(least, most ?? 0) <= Self.mostRepeats, least <= most ?? least else {
                throw PatternProblem("repeats something {\(least),…}; at most \(Self.mostRepeats) times")
            }
        } else {
            return atom
        }
        guard atom != .begin, atom != .end else { throw PatternProblem("repeats '^' or '$'") }
        let isLazy = take("?")
        if let scalar = next, scalar == "*" || scalar == "+" || scalar == "?" {
            throw PatternProblem("repeats a repetition at '\(scalar)'")
        }
        return .repeated(atom, least: least, most: most, isLazy: isLazy)
    }

    /// `n}`, `n,}` or `n,m}` at `start`.
    private func counts(at start: Int) -> (least: Int, most: Int?, end: Int)? {
        var index = start
        func number() -> Int? {
            var value: Int?
            while index < text.count,
                let digit = text[index].properties.numericType == .decimal
                    ? Int(String(text[index])) : nil, (value ?? 0) < 10_000
            {
                value = (value ?? 0) * 10 + digit
                index += 1
            }
            return value
        }
        guard let least = number() else { return nil }
        var most: Int? = least
        if index < text.count, text[index] == "," {
            index += 1
            most = number()
        }
        guard index < text.count, text[index] == "}" else { return nil }
        return (least, most, index + 1)
    }
}
