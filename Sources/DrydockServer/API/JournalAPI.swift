// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore

/// The journal of a build over HTTP: records as they come, and its log.
struct JournalAPI: Sendable {
    /// How records are framed.
    private enum Framing: Sendable {
        case ndjson
        case events

        /// Appends one record.
        func append(_ line: JournalLine, _ attempt: AttemptID, to buffer: inout ByteBuffer) {
            if case .events = self {
                buffer.writeString("id: \(attempt):\(line.seq)\ndata: ")
                buffer.writeBytes(line.bytes)
                buffer.writeStaticString("\n\n")
            } else {
                buffer.writeBytes(line.bytes)
                buffer.writeInteger(UInt8(ascii: "\n"))
            }
        }
    }

    private static let batch = 64 << 10

    let store: any Store
    /// Tells of changes, and of the server's end.
    let hub: SessionHub

    private var changed: ChangeSignal { hub.changed }

    // MARK: Events

    /// Every record after the cursor, and those that follow until the build has ended.
    func events(_ build: Build, _ request: Request) async throws -> Response {
        let wantsEvents = request.headers.value("accept")?.contains("text/event-stream") ?? false
        let framing = wantsEvents ? Framing.events : .ndjson
        let named =
            request.uri.queryParameters["after"].map(String.init) ?? request.headers.value("last-event-id")
        let start = try await cursor(named, build)
        var headers = HTTPFields()
        headers.set("content-type", wantsEvents ? "text/event-stream" : "application/x-ndjson")
        headers.set("cache-control", "no-store")
        headers.set("x-accel-buffering", "no")
        let body = ResponseBody { writer in
            let finished = try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await stream(build.id, from: start, framing, to: &writer)
                return true
            }
            if finished { try await writer.finish(nil) }
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func cursor(_ text: String?, _ build: Build) async throws -> Cursor? {
        guard let text, !text.isEmpty else { return nil }
        guard let cursor = Cursor(text: text) else {
            throw Problem(400, "cursor_invalid", "a cursor is <attempt>:<seq>")
        }
        guard try await store.attempts(build.id).contains(cursor.attempt) else {
            throw Problem(
                410,
                "cursor_unknown",
                "the build has no attempt \(cursor.attempt)",
                hint: "start without a cursor"
            )
        }
        return cursor
    }

    private func stream(
        _ id: BuildID,
        from start: Cursor?,
        _ framing: Framing,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var done: Set<AttemptID> = []
        while true {
            let seen = changed.generation
            let attempts = try await store.attempts(id)
            let first = start.flatMap { attempts.firstIndex(of: $0.attempt) } ?? 0
            guard let attempt = attempts[first...].first(where: { !done.contains($0) }) else {
                guard !hub.isStopping, let row = try await store.build(id), !row.state.isTerminal else {
                    return
                }
                await changed.wait(after: seen)
                try Task.checkCancellation()
                continue
            }
            let after = start?.attempt == attempt ? start?.seq ?? 0 : 0
            let reader = try store.reader(id, attempt, after: after)
            while let lines = try await next(reader) {
                var buffer = ByteBuffer()
                for line in lines { framing.append(line, attempt, to: &buffer) }
                try await writer.write(buffer)
            }
            try Task.checkCancellation()
            if hub.isStopping { return }
            done.insert(attempt)
        }
    }

    /// The records that follow; nil when the attempt is over, or the server.
    private func next(_ reader: any JournalReader) async throws -> [JournalLine]? {
        let ready = try reader.available(maxBytes: Self.batch)
        if !ready.isEmpty { return ready }
        return try await withThrowingTaskGroup(of: [JournalLine]?.self) { group in
            group.addTask {
                do { return try await reader.next(maxBytes: Self.batch) } catch is CancellationError {
                    return nil
                }
            }
            group.addTask {
                await self.waitForShutdown()
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func waitForShutdown() async {
        while true {
            // The count comes first: a shutdown between the question and the wait would go unheard.
            let seen = changed.generation
            guard !hub.isStopping, !Task.isCancelled else { return }
            await changed.wait(after: seen)
        }
    }

    // MARK: Log

    /// The log lines that are there now: plain text, or their records; of the newest attempt.
    func logs(_ build: Build, _ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        let format = query["format"].map(String.init) ?? "text"
        guard format == "text" || format == "ndjson" else {
            throw Problem(400, "filter_invalid", "\"format\" is text or ndjson")
        }
        let step = query["step"].map { StepID(rawValue: String($0)) }
        let isText = format == "text"
        var headers = HTTPFields()
        headers.set("content-type", isText ? "text/plain; charset=utf-8" : "application/x-ndjson")
        headers.set("cache-control", "no-store")
        headers.set("x-content-type-options", "nosniff")
        headers.set("content-security-policy", "sandbox; default-src 'none'")
        guard let attempt = build.attempt else { return Response(status: .ok, headers: headers) }
        let reader = try store.reader(build.id, attempt, after: 0)
        let body = ResponseBody { writer in
            while case let lines = try reader.available(maxBytes: Self.batch), !lines.isEmpty {
                var buffer = ByteBuffer()
                for line in lines { Self.appendLog(line, step, isText: isText, to: &buffer) }
                if buffer.readableBytes > 0 { try await writer.write(buffer) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func appendLog(
        _ line: JournalLine,
        _ step: StepID?,
        isText: Bool,
        to buffer: inout ByteBuffer
    ) {
        // Records of kinds that a newer version wrote are passed over.
        guard let record = try? JournalCodec.decode(line.bytes), case .log(let log) = record.event,
            step == nil || record.step == step
        else { return }
        if isText { buffer.writeString(log.text) } else { buffer.writeBytes(line.bytes) }
        buffer.writeInteger(UInt8(ascii: "\n"))
    }
}
