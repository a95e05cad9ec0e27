// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A name or number that is a string on the wire and a type of its own in the code.
package protocol StringIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible,
    FieldReadable
{
    /// The text as it stands in logs, JSON and on disk.
    var rawValue: String { get }

    /// Wraps `rawValue` as it is where the type has no rule; nil for what breaks the rule of one that has.
    init?(rawValue: String)

    /// The rule of the type in words, for who broke it.
    static var rule: String { get }
}

extension StringIdentifier {
    /// No rule.
    package static var rule: String { "any text" }

    /// The raw text.
    package var description: String { rawValue }

    // Swift's texts are equal where a reader would see the same, in whatever bytes: two names for the store, and for
    // whoever was let in by one of them.

    /// Whether the bytes of both are the same, as the store compares them.
    package static func == (left: Self, right: Self) -> Bool {
        left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
    }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) {
        var text = rawValue
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // What no text holds ends it.
        hasher.combine(UInt8.max)
    }

    /// Orders by the bytes.
    package static func < (left: Self, right: Self) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }

    /// Reads a bare string.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(rawValue: text) else {
            let reason = "'\(text.prefix(64))' is no \(Self.self)"
            throw DecodingError.dataCorruptedError(in: container, debugDescription: reason)
        }
        self = value
    }

    /// Writes a bare string.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// One numbered execution for one project: `b_` and 16 characters, ordered by time of creation.
package struct BuildID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// One try of a build, and the epoch of its journal: `a_` and 16 characters.
package struct AttemptID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// What a client calls itself by; clients choose it freely, so it is no right to anything.
package struct SessionID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    private static let inventedPrefix = "s-"
    private static let inventedLength = 12

    /// One that nobody has named.
    package static func invented() -> SessionID {
        SessionID(rawValue: inventedPrefix + IdentifierText.random(length: inventedLength))
    }

    /// Whether it looks like one.
    package var isInvented: Bool {
        rawValue.hasPrefix(Self.inventedPrefix)
            && rawValue.utf8.count == Self.inventedPrefix.utf8.count + Self.inventedLength
    }
}

/// What history, caches and "last green" are filed under.
package struct ProjectName: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A stage's id, unique within its step.
package struct StageID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// One immutable preview: the `[a-z0-9]{12}` of its host name `d-….<preview domain>`.
package struct DeployID: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A content hash with its algorithm: `sha256:` and 64 hexadecimal digits.
package struct Digest: StringIdentifier {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The hexadecimal part, which names the blob's file.
    package var hex: Substring { rawValue.drop { $0 != ":" }.dropFirst() }
}

extension BuildID {
    /// A new id that sorts after those made in earlier milliseconds.
    package static func make(at now: Timestamp) -> BuildID {
        BuildID(rawValue: "b_" + IdentifierText.timeOrdered(now))
    }
}

extension AttemptID {
    /// A new id that sorts after those made in earlier milliseconds.
    package static func make(at now: Timestamp) -> AttemptID {
        AttemptID(rawValue: "a_" + IdentifierText.timeOrdered(now))
    }
}

extension DeployID {
    /// A new id that can not be guessed (62 bits from the system's generator).
    package static func make() -> DeployID { DeployID(rawValue: IdentifierText.random(length: 12)) }
}

extension AccessToken {
    /// What a new token is: 200 bits of the system's generator, behind a beginning that scanners for lost secrets can look for.
    package static func newSecret() -> String { "drydock_" + IdentifierText.random(length: 40) }
}

/// The alphabet and layout of made-up ids.
enum IdentifierText {
    /// Crockford's base 32 in lower case: ordered, and without the letters that look like digits.
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// 9 characters of milliseconds (good until the year 3084), then 7 random ones (35 bits).
    static func timeOrdered(_ now: Timestamp) -> String {
        let bits = UInt64(clamping: now.milliseconds)
        let time = stride(from: 40, through: 0, by: -5).map { alphabet[Int(bits >> UInt64($0)) & 31] }
        return String(decoding: time, as: UTF8.self) + random(length: 7)
    }

    static func random(length: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        let characters = (0..<length).map { _ in alphabet[Int(generator.next() & 31)] }
        return String(decoding: characters, as: UTF8.self)
    }
}
