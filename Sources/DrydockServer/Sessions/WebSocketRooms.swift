// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore
import NIOCore

/// Does what `/ws` clients ask for.
struct WebSocketRooms: WebSocketDelegate {
    let hub: SessionHub
    let builds: BuildsAPI
    let store: any Store
    let clock: @Sendable () -> Timestamp
    let rights: WebSocketRights

    func opened(_ connection: WebSocketHandler) { hub.metrics.connected() }

    func received(_ input: WebSocketInput, from connection: WebSocketHandler) {
        do throws(ClientMessageError) {
            guard case .text(let bytes) = input else { throw .binary }
            act(on: try ClientMessage.decode(bytes), from: connection)
        } catch {
            hub.metrics.malformed()
            refuse(error.code, error.message, to: connection)
        }
    }

    func becameWritable(_ connection: WebSocketHandler) { connection.seat?.becameWritable() }

    func closed(_ connection: WebSocketHandler) {
        hub.unregister(connection)
        hub.metrics.disconnected(skipped: connection.skippedCount)
    }

    func wrote(bytes: Int) { hub.metrics.sent(bytes: bytes) }

    private func act(on message: ClientMessage, from connection: WebSocketHandler) {
        switch message {
        case .register(let session, let wish): register(connection, for: session, wish)
        case .ping: send(DirectReply.pong(in: envelope(connection)), to: connection)
        case .cancel(let build):
            command("cancelBuild", build, from: connection) { id, change in
                let reason = "asked for by a viewer"
                let answer = try await store.requestCancel(
                    id,
                    by: "ws",
                    reason: reason,
                    recording: change.record
                )
                if answer == .noSuchBuild { throw Problem.notFound("build \(id)") }
            }
        case .retry(let build):
            command("retryBuild", build, from: connection) { id, change in
                _ = try await builds.retry(id, as: change)
            }
        }
    }

    private func register(_ connection: WebSocketHandler, for session: SessionID, _ wish: StreamWish?) {
        do throws(Problem) {
            let reach = rights.caller.reach
            guard let wish else {
                try reach.check(session)
                return hub.register(connection, for: session)
            }
            // Of a build alone, its own session is not out of reach: it names the build, and nothing else is told.
            if reach.build == nil { try reach.check(session) }
            hub.register(connection, for: session, wish, within: reach) { code, message, build in
                refuse(code, message, of: build, to: connection)
            }
        } catch {
            refuse(error.code, error.detail, to: connection)
        }
    }

    /// Carries out a command on a build of the connection's own session, one at a time for each connection.
    private func command(
        _ action: String,
        _ named: BuildID?,
        from connection: WebSocketHandler,
        _ work: @escaping @Sendable (BuildID, RequestedChange) async throws -> Void
    ) {
        guard let seat = connection.seat, let loop = connection.eventLoop else {
            return refuse("session_missing", "send INIT with a session_id first", to: connection)
        }
        guard let id = named ?? seat.showing else {
            return refuse(
                "build_missing",
                "the session shows no build: name one in \"build_id\"",
                to: connection
            )
        }
        guard !connection.isCommanding else {
            return refuse("busy", "the command before this one is still carried out", to: connection)
        }
        connection.isCommanding = true
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let session = seat.session
        hub.perform {
            let refusal = await self.carryOut(action, id, in: session, work)
            loop.execute {
                bound.value.isCommanding = false
                if let refusal { self.refuse(refusal.code, refusal.detail, to: bound.value) }
            }
        }
    }

    private func carryOut(
        _ action: String,
        _ id: BuildID,
        in session: SessionID,
        _ work: @Sendable (BuildID, RequestedChange) async throws -> Void
    ) async -> Problem? {
        do {
            try await rights.change(action, id) { change in
                let build = try await builds.find(id)
                guard build.request.session == session else {
                    throw Problem.notFound("build \(id) in this session")
                }
                try rights.caller.reach.check(build)
                try await work(id, change)
            }
            return nil
        } catch {
            return Problem(explaining: error)
        }
    }

    private func refuse(
        _ code: String,
        _ message: String,
        of build: BuildID? = nil,
        to connection: WebSocketHandler
    ) {
        let reply = DirectReply.error(code: code, message: message, build: build, in: envelope(connection))
        send(reply, to: connection)
    }

    private func envelope(_ connection: WebSocketHandler) -> Envelope {
        .fresh(at: clock(), session: connection.seat?.session ?? SessionID(rawValue: ""))
    }

    private func send(_ message: [UInt8], to connection: WebSocketHandler) {
        // A client that asks and does not read gets no answers, instead of a growing buffer.
        guard connection.isWritable else { return }
        connection.send(.text, message)
    }
}
