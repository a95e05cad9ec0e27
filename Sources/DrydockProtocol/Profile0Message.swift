// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A message of wire profile 0, without its envelope.
package enum Profile0Message: WireMessage, Hashable {
    /// `BUILD_STARTED`
    case started(build: BuildID, project: ProjectName, title: QuotedText)
    /// `build_progress`: `logs` = the newest lines, oldest first, at most 20.
    case progress(message: QuotedText, logs: [QuotedText])
    /// `build_completed`
    case completed(duration: Duration)
    /// `build_error`: the whole sentence.
    case failed(error: QuotedText)

    /// Whether nothing follows it for its build.
    package var isTerminal: Bool {
        switch self {
        case .started, .progress: false
        case .completed, .failed: true
        }
    }

    /// Whether a connection that does not keep up may be skipped past it.
    package var maySkip: Bool {
        guard case .progress = self else { return false }
        return true
    }
}

/// What stands around every message: exactly `id type data timestamp session_id`.
package struct Envelope: Sendable {
    /// A UUID in lower case.
    package var id: String
    package var at: Timestamp
    package var session: SessionID

    package init(id: String, at: Timestamp, session: SessionID) {
        self.id = id
        self.at = at
        self.session = session
    }

    /// A fresh envelope with a random id (RFC 9562, version 4).
    package static func fresh(at now: Timestamp, session: SessionID) -> Envelope {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            let word = index < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - index % 16 * 4) & 15)])
            if index == 7 || index == 11 || index == 15 || index == 19 { text.append(UInt8(ascii: "-")) }
        }
        return Envelope(id: String(decoding: text, as: UTF8.self), at: now, session: session)
    }

    /// UTF-8 JSON of the envelope around what `data` writes; `size` is about how many bytes that takes.
    func wrap(type: String, reserving size: Int = 512, data: (inout JSONWriter) -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var writer = JSONWriter(continuing: consume bytes)
        writer.object { writer in
            writer.key("id")
            writer.string(id)
            writer.key("type")
            writer.string(type)
            writer.key("data")
            writer.object(data)
            writer.key("timestamp")
            writer.thousandths(at.milliseconds)
            writer.key("session_id")
            writer.string(session.rawValue)
        }
        return writer.bytes
    }
}

extension Profile0Message {
    /// The name of its type on the wire.
    package var type: String {
        switch self {
        case .started: "BUILD_STARTED"
        case .progress: "build_progress"
        case .completed: "build_completed"
        case .failed: "build_error"
        }
    }

    /// UTF-8 JSON of the whole message.
    package func encoded(in envelope: Envelope) -> [UInt8] {
        envelope.wrap(type: type) { write(to: &$0) }
    }

    /// Writes the keys of `data`.
    func write(to writer: inout JSONWriter) {
        switch self {
        case .started(let build, let project, let title):
            writer.field("build_id", build.rawValue)
            writer.field("project", project.rawValue)
            writer.key("title")
            writer.quoted(title)
        case .progress(let message, let logs):
            writer.field("type", "build_progress")
            writer.key("message")
            writer.quoted(message)
            writer.key("logs")
            writer.array(logs) { writer, line in writer.quoted(line) }
        case .completed(let duration):
            writer.field("status", "success")
            writer.key("build_time")
            writer.thousandths(duration.milliseconds)
            writer.field("message", "Build completed successfully in \(Self.tenths(duration))s")
        case .failed(let error):
            writer.field("status", "error")
            writer.key("error")
            writer.quoted(error)
        }
    }

    /// Seconds with one decimal, rounded: `45.2`.
    static func tenths(_ duration: Duration) -> String {
        let tenths = (max(0, duration.milliseconds) + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Replies that only the asking connection gets; none of them is part of profile 0's four.
package enum DirectReply {
    /// The answer to `PING`.
    package static func pong(in envelope: Envelope) -> [UInt8] {
        envelope.wrap(type: "PONG") { _ in }
    }

    /// The answer to a message that was not understood.
    package static func error(
        code: String,
        message: String,
        build: BuildID? = nil,
        in envelope: Envelope
    ) -> [UInt8] {
        envelope.wrap(type: "error") { writer in
            writer.field("code", code)
            writer.field("message", message)
            writer.field("build_id", build?.rawValue)
        }
    }
}
