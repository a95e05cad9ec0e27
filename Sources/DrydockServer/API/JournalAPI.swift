// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import Hummingbird
import HummingbirdCore
import NIOCore

/// The journal of a build over HTTP: every record, as it comes.
struct JournalAPI: Sendable {
    private static let batch = 64 << 10

    let store: any Store
    /// Tells of changes.
    let hub: SessionHub
    /// How long a stream of events may be silent before it shows that it is alive.
    let heartbeat: Duration

    /// Every record after the cursor, and those that follow until the build has ended.
    ///
    /// What the client sends behind its request is left alone: it may be the next one. Who has said everything (its half of
    /// the connection is closed) still listens; `isOpen` says whether the connection is there at all.
    func events(
        _ build: Build,
        _ request: Request,
        while isOpen: @escaping @Sendable () -> Bool
    ) async throws -> Response {
        let wantsEvents = request.headers.value("accept")?.contains("text/event-stream") ?? false
        let query = try Query(request)
        let heartbeat = try Self.heartbeat(query)
        let framing: RecordFraming = wantsEvents ? .events : .ndjson(showsLife: heartbeat != nil)
        let named =
            try query.one("after") ?? query.one("last_event_id") ?? request.headers.value("last-event-id")
        let telling = Telling(framing: framing, heartbeat: heartbeat ?? self.heartbeat, isOpen: isOpen)
        let start = try await cursor(named, build)
        if wantsEvents, try await isEnd(start, of: build) {
            // An EventSource comes back after every end, unless it is told that there is no more (HTML, 9.2.3).
            return Response(status: .noContent)
        }
        var headers = HTTPFields()
        headers.set("content-type", wantsEvents ? "text/event-stream" : "application/x-ndjson")
        headers.set("cache-control", "no-store")
        headers.set("x-accel-buffering", "no")
        if !wantsEvents {
            headers.set("vary", "accept-encoding")
            if start == nil, AcceptedEncodings(request).takesGzip,
                let stored = try await store.gzipJournal(build.id)
            {
                return Self.asStored(stored, headers)
            }
        }
        let body = ResponseBody { writer in
            try await stream(build.id, from: start, telling, to: &writer)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// All records at once, as they lie on the disk.
    private static func asStored(_ journal: GzipJournal, _ headers: HTTPFields) -> Response {
        var headers = headers
        headers.set("content-encoding", "gzip")
        let body = ResponseBody(contentLength: journal.size) { writer in
            var place = GzipJournal.Place()
            while let piece = try await journal.next(&place) {
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// How often a silent stream is to show that it is alive; nil where that was not said.
    private static func heartbeat(_ query: Query) throws(Problem) -> Duration? {
        guard let text = try query.one("heartbeat") else { return nil }
        guard let seconds = Int(text), (1...300).contains(seconds) else {
            throw Problem(400, "query_invalid", "\"heartbeat\" is a number of seconds from 1 to 300")
        }
        return .seconds(seconds)
    }

    // MARK: Cursors

    private func cursor(_ text: String?, _ build: Build) async throws -> Cursor? {
        guard let text, !text.isEmpty else { return nil }
        guard let cursor = Cursor(text: text) else {
            throw Problem(400, "cursor_invalid", "a cursor is <attempt>:<seq>")
        }
        switch try await JournalPlaces(store: store).find(cursor, in: build.id) {
        case .known: return cursor
        case .noSuchAttempt: throw Self.unknown("the build has no attempt \(cursor.attempt)")
        case .beyond(let last):
            throw Self.unknown("attempt \(cursor.attempt) has \(last) records, not \(cursor.seq)")
        }
    }

    private static func unknown(_ detail: String) -> Problem {
        Problem(410, "cursor_unknown", detail, hint: "start without a cursor")
    }

    /// Whether nothing will ever follow `cursor`, nil = the beginning: everything was told, or the build never began.
    private func isEnd(_ cursor: Cursor?, of build: Build) async throws -> Bool {
        guard build.state.isTerminal else { return false }
        guard let attempt = build.attempt else { return true }
        guard let cursor, attempt == cursor.attempt else { return false }
        return try await store.reader(build.id, cursor.attempt, after: cursor.seq).next(maxBytes: 1) == nil
    }

    // MARK: The stream

    /// How one client is told.
    private struct Telling: Sendable {
        let framing: RecordFraming
        /// How long it may be silent.
        let heartbeat: Duration
        let isOpen: @Sendable () -> Bool
    }

    private func stream(
        _ id: BuildID,
        from start: Cursor?,
        _ telling: Telling,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var done: Set<AttemptID> = []
        while true {
            let seen = hub.changed.generation
            let attempts = try await store.attempts(id)
            let first = start.flatMap { attempts.firstIndex(of: $0.attempt) } ?? 0
            guard let attempt = attempts[first...].first(where: { !done.contains($0) }) else {
                guard let row = try await store.build(id), !row.state.isTerminal else { return }
                let wait = try await StreamWait(telling.heartbeat).first {
                    await hub.changed.wait(after: seen)
                }
                guard try await goesOn(after: wait, telling, &writer) else { return }
                continue
            }
            let after = start?.attempt == attempt ? start?.seq ?? 0 : 0
            let reader = try await store.reader(id, attempt, after: after)
            guard try await send(reader, of: attempt, telling, to: &writer) else { return }
            done.insert(attempt)
        }
    }

    /// Sends one attempt's records until it is over; false when the stream ends before.
    private func send(
        _ reader: any JournalReader,
        of attempt: AttemptID,
        _ telling: Telling,
        to writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        while true {
            let lines = try await reader.available(maxBytes: Self.batch)
            if !lines.isEmpty {
                var buffer = ByteBuffer()
                for line in lines { telling.framing.append(line, attempt, to: &buffer) }
                try await writer.write(buffer)
                continue
            }
            let wait = try await StreamWait(telling.heartbeat).first { try await reader.more() }
            if case .done(false) = wait { return true }
            guard try await goesOn(after: wait, telling, &writer) else { return false }
        }
    }

    /// Whether a stream has more to send after a wait that ended so.
    private func goesOn<Value>(
        after ending: StreamWait.Ending<Value>,
        _ telling: Telling,
        _ writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        // Nothing else tells a stream that has nothing to send.
        guard telling.isOpen() else { return false }
        switch ending {
        case .done: return true
        case .shutdown: return false
        case .silence:
            if let sign = telling.framing.heartbeat { try await writer.write(ByteBuffer(string: sign)) }
            return true
        }
    }
}

/// How records are framed.
enum RecordFraming: Sendable {
    /// One a line; a reader that asked for it finds an empty line now and then.
    case ndjson(showsLife: Bool)
    /// Server-sent events (HTML, 9.2); the id is the record's cursor.
    case events

    /// What shows that a stream is alive and means nothing.
    var heartbeat: String? {
        switch self {
        case .events: ": \n\n"
        // Readers of lines expect records: where they did not ask for more, only the connection itself shows it.
        case .ndjson(let showsLife): showsLife ? "\n" : nil
        }
    }

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
