// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import NIOCore
import Synchronization

/// Hears a `/ws` connection that came without anything that says who it is, until its first message brings a token.
///
/// It gets nothing of any session, and can ask for nothing: one small message, soon, or it is closed for good.
final class TokenWait: WebSocketDelegate {
    /// Longest first message, in bytes.
    static let longestMessage = 4 << 10

    /// What it is judged by, and what becomes of it.
    struct Terms: Sendable {
        let gate: Gatekeeper
        let patience: TimeAmount
        let clock: @Sendable () -> Timestamp
        /// Whose connection it is from now on; nil = theirs are enough.
        let admit: @Sendable (Caller) -> (any WebSocketDelegate)?
        /// Takes back what `admit` counted, when the connection is gone.
        let forget: @Sendable (Caller) -> Void
    }

    private enum State {
        case new
        case waiting(Scheduled<Void>)
        case judging
        case over
    }

    private let terms: Terms
    private let address: String
    /// Gives back its place among those that wait; called once.
    private let leave: @Sendable () -> Void
    private let state = Mutex(State.new)

    init(_ terms: Terms, from address: String, leaving leave: @escaping @Sendable () -> Void) {
        self.terms = terms
        self.address = address
        self.leave = leave
    }

    func opened(_ connection: WebSocketHandler) {
        guard let loop = connection.eventLoop else { return }
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let timer = loop.scheduleTask(in: terms.patience) {
            guard case .waiting = self.state.withLock({ $0 }) else { return }
            self.refuse(Self.missing, bound.value)
        }
        state.withLock { $0 = .waiting(timer) }
    }

    func received(_ input: WebSocketInput, from connection: WebSocketHandler) {
        guard case .waiting(let timer) = state.withLock({ $0 }), let loop = connection.eventLoop else {
            return
        }
        timer.cancel()
        guard case .text(let bytes) = input, let token = ClientMessage.token(in: bytes) else {
            return refuse(Self.missing, connection)
        }
        state.withLock { $0 = .judging }
        // What the client says meanwhile waits in its socket.
        connection.hold()
        let bound = NIOLoopBound(connection, eventLoop: loop)
        loop.makeFutureWithTask { [terms, address] in
            try await terms.gate.admit(token, for: .read, from: address)
        }.whenComplete { result in
            guard case .judging = self.state.withLock({ $0 }) else { return }
            switch result {
            case .success(let caller): self.admit(caller, bound.value, first: input)
            case .failure(let refusal as Refusal): self.refuse(refusal.problem, bound.value)
            case .failure(let error): self.refuse(Problem(explaining: error), bound.value)
            }
        }
    }

    func becameWritable(_ connection: WebSocketHandler) {}

    func wrote(bytes: Int) {}

    func closed(_ connection: WebSocketHandler) { end() }

    private func admit(_ caller: Caller, _ connection: WebSocketHandler, first: WebSocketInput) {
        guard let delegate = terms.admit(caller) else { return refuse(.tooManyConnections, connection) }
        end()
        connection.whenClosed { [forget = terms.forget] in forget(caller) }
        connection.pass(to: delegate, longestMessage: ClientMessage.longest)
        delegate.received(first, from: connection)
        connection.goOn()
    }

    private func refuse(_ problem: Problem, _ connection: WebSocketHandler) {
        let envelope = Envelope.fresh(at: terms.clock(), session: SessionID(rawValue: ""))
        connection.send(.text, DirectReply.error(code: problem.code, message: problem.detail, in: envelope))
        connection.close(problem.status == 429 ? .crowded : .unauthorized, problem.detail)
    }

    /// Leaves the state of waiting, once, however it ends.
    private func end() {
        let before = state.withLock { state in
            defer { state = .over }
            return state
        }
        switch before {
        case .over: return
        case .waiting(let timer): timer.cancel()
        case .new, .judging: break
        }
        leave()
    }

    private static let missing = Problem(
        401,
        "unauthorized",
        "the first message must bring a token: {\"type\":\"INIT\",\"session_id\":\"s\",\"token\":\"…\"}"
    )
}

extension Problem {
    /// One address or token holds as many connections as it may.
    static let tooManyConnections = Problem(
        429,
        "too_many_connections",
        "too many connections are open from here",
        hint: "close those that nobody looks at"
    )
}
