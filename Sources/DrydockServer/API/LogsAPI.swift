// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore

/// The log of a build's newest attempt, as far as it is: plain text, or its records.
struct LogsAPI: Sendable {
    private static let batch = 64 << 10

    /// What is asked for.
    private struct Choice: Sendable {
        var isText: Bool
        /// nil = of all steps.
        var step: StepID?
        /// The first record that counts.
        var from: UInt64
    }

    let store: any Store

    func logs(_ build: Build, _ request: Request) async throws -> Response {
        let choice = try Self.choice(request)
        var headers = HTTPFields()
        headers.set("content-type", choice.isText ? "text/plain; charset=utf-8" : "application/x-ndjson")
        headers.set("cache-control", "no-store")
        headers.set("x-content-type-options", "nosniff")
        headers.set("content-security-policy", "sandbox; default-src 'none'")
        guard let attempt = build.attempt else { return Response(status: .ok, headers: headers) }
        let reader = try await store.reader(build.id, attempt, after: max(1, choice.from) - 1)
        let isOver = build.state.isTerminal
        let body = ResponseBody { writer in
            // A build that has ended is read to its end, so that what is missing there is told; else to where it is now.
            while true {
                let lines = try await reader.available(maxBytes: Self.batch)
                if lines.isEmpty {
                    guard isOver, try await reader.more() else { break }
                    continue
                }
                var buffer = ByteBuffer()
                for line in lines { Self.append(line, choice, to: &buffer) }
                if buffer.readableBytes > 0 { try await writer.write(buffer) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func choice(_ request: Request) throws(Problem) -> Choice {
        let query = try Query(request)
        let format = try query.one("format") ?? "text"
        guard format == "text" || format == "ndjson" else {
            throw Problem(400, "filter_invalid", "\"format\" is text or ndjson")
        }
        var from: UInt64 = 0
        if let text = try query.one("from") {
            guard let number = UInt64(text) else {
                throw Problem(400, "filter_invalid", "\"from\" is the number (\"seq\") of a record")
            }
            from = number
        }
        let step = try query.one("step").map { text throws(Problem) in
            guard let step = StepID(rawValue: text) else {
                throw Problem(400, "filter_invalid", "\"step\" is the id of a step: \(StepID.rule)")
            }
            return step
        }
        return Choice(isText: format == "text", step: step, from: from)
    }

    /// Appends a line of the log, or a word about lines that are missing.
    private static func append(_ line: JournalLine, _ choice: Choice, to buffer: inout ByteBuffer) {
        // Records of kinds that a newer version wrote are passed over.
        guard let record = try? JournalCodec.decode(line.bytes) else { return }
        switch record.event {
        case .log(let log) where choice.step == nil || record.step == choice.step:
            if choice.isText { buffer.writeString(log.text) } else { buffer.writeBytes(line.bytes) }
        case .gap(let gap):
            if choice.isText {
                buffer.writeString("… \(gap.lines) lines were not kept: \(gap.reason)")
            } else {
                buffer.writeBytes(line.bytes)
            }
        default: return
        }
        buffer.writeInteger(UInt8(ascii: "\n"))
    }
}
