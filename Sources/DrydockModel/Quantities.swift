// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A number of bytes.
package struct ByteCount: Hashable, Comparable, Sendable, Codable {
    /// The number, never negative.
    package let bytes: Int64

    /// `bytes` below zero count as zero.
    package init(_ bytes: Int64) { self.bytes = max(0, bytes) }

    /// So many MiB.
    package static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 20) }

    /// So many GiB.
    package static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 30) }

    /// Fewer bytes come first.
    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    /// Reads a bare integer.
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int64.self))
    }

    /// Writes a bare integer.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension ByteCount: CustomStringConvertible {
    /// The largest binary unit that divides it evenly, as `drydock.yaml` writes it: `512MiB`, `3B`.
    package var description: String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, Int64)]
        where bytes != 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)B"
    }

    /// Reads `512MiB`, `2GiB`, `64KiB`, `10B` or a bare number of bytes; nil for anything else or too large a number.
    package init?(text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let shifts: [Substring: Int64] = ["": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        guard let shift = shifts[text.dropFirst(digits.count)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.init(product)
    }
}

/// A moment of the wall clock, in milliseconds since 1970 (UTC).
package struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    /// A moment given in milliseconds since 1970.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Unix seconds, as on the wire.
    package var seconds: Double { Double(milliseconds) / 1_000 }

    /// Earlier moments come first.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// This moment moved by `duration`, to the millisecond.
    package func advanced(by duration: Duration) -> Timestamp {
        Timestamp(milliseconds: milliseconds + duration.milliseconds)
    }

    /// The time from `earlier` to this moment; negative when it lies after.
    package func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(milliseconds - earlier.milliseconds)
    }

    /// Unix seconds, to the millisecond.
    package init(seconds: Double) {
        let bound = Double(Self.lastSecond)
        self.init(milliseconds: Int64((min(max(seconds, -bound), bound) * 1_000).rounded()))
    }

    /// The end of the year 9999, which later moments count as: far beyond it a number of seconds has no milliseconds.
    package static let lastSecond: Int64 = 253_402_300_799

    /// Reads unix seconds.
    package init(from decoder: any Decoder) throws {
        self.init(seconds: try decoder.singleValueContainer().decode(Double.self))
    }

    /// Writes unix seconds.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with a fraction.
    package var inSeconds: Double { Double(milliseconds) / 1_000 }
}
