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
        /// nil = not by lines.
        var range: LogRange?
    }

    let store: any Store

    /// `isOpen` says whether the connection is there: for a client that has gone nothing more is read.
    func logs(
        _ build: Build,
        _ request: Request,
        while isOpen: @escaping @Sendable () -> Bool
    ) async throws -> Response {
        let choice = try Self.choice(request)
        var headers = HTTPFields()
        headers.set("content-type", choice.isText ? "text/plain; charset=utf-8" : "application/x-ndjson")
        headers.set("cache-control", "no-store")
        headers.set("x-content-type-options", "nosniff")
        headers.set("content-security-policy", "sandbox; default-src 'none'")
        guard let attempt = build.attempt else { return Response(status: .ok, headers: headers) }
        var (first, last) = (max(1, choice.from), UInt64?.none)
        if let range = choice.range {
            let span = try await store.logSpan(build.id, attempt, range, while: isOpen)
            if let lines = span.lines { headers.set("x-drydock-lines", "\(lines)") }
            guard let start = span.first else { return Response(status: .ok, headers: headers) }
            // Of a log that goes on, what was not there when it was asked for is not part of it.
            (first, last) = (start, span.last ?? (build.state.isTerminal ? nil : span.newest))
        }
        let reader = try await store.reader(build.id, attempt, after: first - 1)
        let piece = Piece(last: last ?? .max, isOver: build.state.isTerminal, isOpen: isOpen)
        return Response(status: .ok, headers: headers, body: Self.body(reader, choice, piece))
    }

    /// How far is read, and for how long.
    private struct Piece: Sendable {
        /// The last record.
        let last: UInt64
        /// Whether the build has ended.
        let isOver: Bool
        let isOpen: @Sendable () -> Bool
    }

    private static func body(
        _ reader: any JournalReader,
        _ choice: Choice,
        _ piece: Piece
    ) -> ResponseBody {
        ResponseBody { writer in
            // A build that has ended is read to its end, so that what is missing there is told; else to where it is now.
            var isDone = false
            while !isDone {
                // Of a step that says nothing, nothing is written: no write would tell that the client has gone.
                guard piece.isOpen() else { throw CancellationError() }
                let lines = try await reader.available(maxBytes: batch)
                if lines.isEmpty {
                    guard piece.isOver, try await reader.more() else { break }
                    continue
                }
                var buffer = ByteBuffer()
                for line in lines where line.seq <= piece.last { append(line, choice, to: &buffer) }
                isDone = lines.last.map { $0.seq >= piece.last } ?? false
                if buffer.readableBytes > 0 { try await writer.write(buffer) }
            }
            try await writer.finish(nil)
        }
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
        let range = try range(query)
        if range != nil, step != nil || from > 0 {
            throw Problem(
                400,
                "filter_invalid",
                "lines are counted in the whole log: \"lines\" and \"tail\" go with neither \"step\" nor \"from\"",
                hint: "ask for one of them"
            )
        }
        return Choice(isText: format == "text", step: step, from: from, range: range)
    }

    /// The lines that are asked for by their numbers, or as the newest; nil where they are not.
    private static func range(_ query: Query) throws(Problem) -> LogRange? {
        let (lines, tail) = (try query.one("lines"), try query.one("tail"))
        if lines != nil, tail != nil {
            throw Problem(
                400,
                "filter_invalid",
                "\"lines\" and \"tail\" do not go together",
                hint: "ask for one of them"
            )
        }
        if let tail {
            guard let count = number(tail) else {
                throw Problem(
                    400,
                    "filter_invalid",
                    "\"tail\" is a number of lines, from 1",
                    hint: "tail=200"
                )
            }
            return .last(count)
        }
        guard let lines else { return nil }
        let ends = lines.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, let from = number(ends[0]) else { throw Self.noRange }
        if ends[1].isEmpty { return .lines(from, through: nil) }
        guard let through = number(ends[1]), through >= from else { throw Self.noRange }
        return .lines(from, through: through)
    }

    private static let noRange = Problem(
        400,
        "filter_invalid",
        "\"lines\" is a range of numbers of lines, the first line being 1",
        hint: "lines=1000-1999, or lines=1000- to the end"
    )

    /// A number from 1, of digits only.
    private static func number(_ text: some StringProtocol) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt64(text), number > 0, number <= 1 << 53
        else { return nil }
        return number
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
