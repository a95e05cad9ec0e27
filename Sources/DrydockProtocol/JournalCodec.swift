// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The journal's lines: `docs/events.md` in code.
package enum JournalCodec {
    /// The version of every kind this code writes, and the newest one it understands.
    static let version = 1
    /// More than any record of ours has.
    private static let bounds = JSONBounds(depth: 64, fields: 1 << 16, elements: 1 << 16)

    /// Appends `record` as one JSON object, without a newline, to `bytes`.
    package static func encode(_ record: JournalRecord, into bytes: inout [UInt8]) {
        var buffer: [UInt8] = []
        swap(&buffer, &bytes)
        // `consume`: the writer must own the only reference, else each record copies all those before it.
        var writer = JSONWriter(continuing: consume buffer)
        writer.object { record.write(to: &$0) }
        bytes = writer.bytes
    }

    /// Reads one line, without its newline.
    ///
    /// nil: a record of a kind, or of a kind's version, that a newer Drydock wrote; pass over it. Throws
    /// `JournalCodecError` for what is no record at all.
    package static func decode(_ bytes: [UInt8]) throws(JournalCodecError) -> JournalRecord? {
        if let line = LogRecordScanner.scan(bytes) { return line }
        return try parse(bytes)
    }

    /// Reads a line whoever wrote it, as JSON.
    static func parse(_ bytes: [UInt8]) throws(JournalCodecError) -> JournalRecord? {
        let json: JSON
        do throws(MalformedJSON) {
            json = try BoundedJSONReader.read(bytes, bounds: bounds)
        } catch {
            throw .notARecord(reason: "\(error.reason) (byte \(error.offset))")
        }
        do throws(FieldProblem) {
            return try JournalRecord(try Field(json, "the record", .message).fields())
        } catch {
            throw .notARecord(reason: error.sentence)
        }
    }

    /// The number a line begins with, at next to no cost; nil when it does not begin like one of ours.
    package static func seq(of bytes: some Collection<UInt8>) -> UInt64? {
        let seq: UInt64?? = bytes.withContiguousStorageIfAvailable { bytes in
            var scanner = LineScanner(bytes)
            return scanner.skip(#"{"seq":"#) ? scanner.integer() : nil
        }
        return seq ?? head(of: bytes)?.seq
    }

    /// Whether a line begins like a record of one line of the log.
    package static func isLog(_ line: ArraySlice<UInt8>) -> Bool { isKind("log", line) }

    /// Whether a line begins like an attempt's last record.
    package static func isFinished(_ line: ArraySlice<UInt8>) -> Bool { isKind("finished", line) }

    /// Reads no more than the head, and makes no text of it.
    private static func isKind(_ kind: StaticString, _ line: ArraySlice<UInt8>) -> Bool {
        line.withUnsafeBufferPointer { bytes in
            var scanner = LineScanner(bytes)
            guard let fields = RecordHead.Fields(&scanner) else { return false }
            return scanner.isEqual(fields.kind, kind)
        }
    }

    /// What stands at the head of a line, without reading the rest; nil when it does not begin like one of ours.
    package static func head(of bytes: some Collection<UInt8>) -> RecordHead? {
        let head: RecordHead?? = bytes.withContiguousStorageIfAvailable { RecordHead(scanning: $0) }
        return head ?? Array(bytes).withUnsafeBufferPointer { RecordHead(scanning: $0) }
    }
}

/// Why bytes are no journal record.
package enum JournalCodecError: Error, Hashable, CustomStringConvertible {
    case notARecord(reason: String)

    package var description: String {
        switch self {
        case .notARecord(let reason): "this line is no journal record: \(reason)"
        }
    }
}

/// The keys every record begins with.
package struct RecordHead: Hashable, Sendable {
    package var seq: UInt64
    package var at: Timestamp
    package var build: BuildID
    package var attempt: AttemptID
    /// The kind's name on the wire: `log`, `finished`, ….
    package var kind: String

    fileprivate init?(scanning bytes: UnsafeBufferPointer<UInt8>) {
        var scanner = LineScanner(bytes)
        guard let fields = Fields(&scanner) else { return nil }
        self.init(fields, of: bytes)
    }

    /// nil when a text is not UTF-8.
    init?(_ fields: Fields, of line: UnsafeBufferPointer<UInt8>) {
        guard let build = String(validating: line[fields.build], as: UTF8.self),
            let attempt = String(validating: line[fields.attempt], as: UTF8.self),
            let kind = String(validating: line[fields.kind], as: UTF8.self)
        else { return nil }
        seq = fields.seq
        at = fields.at
        self.build = BuildID(rawValue: build)
        self.attempt = AttemptID(rawValue: attempt)
        self.kind = kind
    }

    /// The head of a line: its numbers, and where its texts are.
    struct Fields {
        let seq: UInt64
        let at: Timestamp
        let build: Range<Int>
        let attempt: Range<Int>
        let kind: Range<Int>

        init?(_ scanner: inout LineScanner) {
            guard scanner.skip(#"{"seq":"#), let seq = scanner.integer(),
                scanner.skip(#","ts":"#), let milliseconds = scanner.thousandths(),
                scanner.skip(#","build":""#), let build = scanner.plain(),
                scanner.skip(#","attempt":""#), let attempt = scanner.plain(),
                scanner.skip(#","kind":""#), let kind = scanner.plain()
            else { return nil }
            self.seq = seq
            self.at = Timestamp(milliseconds: milliseconds)
            self.build = build
            self.attempt = attempt
            self.kind = kind
        }
    }
}
