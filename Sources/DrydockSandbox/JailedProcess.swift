// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
import Synchronization
internal import SystemPackage

/// A sandbox that a `drydock-jail` of its own looks after.
package final class JailedProcess: RunningSandbox {
    private struct Facts {
        /// Why the host ended it; the first reason counts.
        var reason: EndReason?
        var capabilities: SandboxCapabilities?
        var timings: [Int: Duration] = [:]
    }

    private let facts = Mutex(Facts())
    private let start = Promise<Result<SandboxCapabilities, SandboxError>>()
    private let ending = Promise<SandboxReport>()
    private let socket: JailSocket
    private let child: ChildProcess
    private let onViolation: @Sendable (Violation) -> Void
    private let begin = ContinuousClock.now

    /// The jail bounds what it tells; this bounds a jail that something inside has got hold of.
    private static let mostViolations = 256

    private init(
        _ child: consuming ChildProcess,
        socket: consuming JailSocket,
        onViolation: @escaping @Sendable (Violation) -> Void
    ) {
        self.child = child
        self.socket = socket
        self.onViolation = onViolation
    }

    /// Takes over a jail that was just spawned, on a thread that ends with it.
    static func watch(
        _ child: consuming ChildProcess,
        socket: consuming JailSocket,
        onViolation: @escaping @Sendable (Violation) -> Void
    ) throws(Errno) -> JailedProcess {
        let process = JailedProcess(child, socket: socket, onViolation: onViolation)
        try SystemThread.start(name: "sandbox") { process.run() }
        return process
    }

    /// What protects it beyond the layers that every sandbox has; nil before it started.
    package var capabilities: SandboxCapabilities? { facts.withLock { $0.capabilities } }

    /// How long each step of the set-up took, where that was asked for.
    package var timings: [Int: Duration] { facts.withLock { $0.timings } }

    package func end(_ reason: EndReason, grace: Duration) {
        facts.withLock { facts in
            if facts.reason == nil { facts.reason = reason }
        }
        socket.end(after: grace)
    }

    package func report() async -> SandboxReport { await ending.value }

    /// Returns when the program was executed; throws when it was not.
    func started(program: String) async throws(SandboxError) {
        do {
            _ = try await start.value.get()
        } catch .execFailed(_, let errno) {
            throw .execFailed(program: program, errno: errno)
        } catch {
            throw error
        }
    }

    private func run() {
        var ending: JailEnding?
        var violations = 0
        while ending == nil, let record = socket.receive() {
            switch record {
            case .started(let capabilities): didStart(capabilities)
            case .timing(let step, let duration): facts.withLock { $0.timings[step] = duration }
            case .refused(let call):
                violations += 1
                if violations <= Self.mostViolations { onViolation(call.violation) }
            case .ended(let last): ending = last
            }
        }
        // Our own child, waited for nowhere else: the only error would be a bug, and the report goes out either way.
        _ = try? child.waitBlocking()
        didEnd(ending)
    }

    private func didStart(_ capabilities: SandboxCapabilities) {
        facts.withLock { $0.capabilities = capabilities }
        start.keep(.success(capabilities))
    }

    private func didEnd(_ ending: JailEnding?) {
        let reason = facts.withLock { $0.reason }
        // Of one that has started this changes nothing.
        start.keep(.failure(SandboxError(ending)))
        self.ending.keep(SandboxReport(ending, reason: reason, wall: ContinuousClock.now - begin))
    }
}

extension SandboxError {
    /// Why there was no start.
    fileprivate init(_ ending: JailEnding?) {
        switch ending?.cause {
        case .setupFailed(let failure): self = .setupFailed(failure)
        case .execFailed(let errno): self = .execFailed(program: "", errno: errno)
        case .exited, .signalled, nil:
            self = .host(call: "drydock-jail", errno: Int(Errno.noChildProcess.rawValue))
        }
    }
}

extension SandboxReport {
    /// The verdict, from what the jail saw and what the host wanted.
    ///
    /// The host's own reason wins: whatever its TERM and KILL made of the program is their doing. Then a limit that
    /// was hit, if the program failed; one that coped with it has succeeded.
    fileprivate init(_ ending: JailEnding?, reason: EndReason?, wall: Duration) {
        guard let ending else {
            self.init(verdict: reason.map { .ended($0) } ?? .lost, usage: Usage(wall: wall))
            return
        }
        let usage = Usage(
            wall: wall,
            cpu: ending.cpu,
            peakMemory: ending.peakMemory,
            peakProcesses: ending.peakProcesses
        )
        self.init(verdict: ending.verdict(reason), usage: usage)
    }
}

extension JailEnding {
    fileprivate func verdict(_ reason: EndReason?) -> Verdict {
        switch cause {
        case .setupFailed(let failure): return .setupFailed(failure)
        case .execFailed(let errno): return .execFailed(errno: errno)
        case .exited, .signalled: break
        }
        if let reason { return .ended(reason) }
        if cause != .exited(0) && wasCrowded { return .tooManySockets }
        if cause != .exited(0) && oomKills > 0 { return .oom }
        if cause != .exited(0) && processDenials > 0 { return .pidsLimit }
        switch cause {
        case .exited(let code): return .exit(code)
        case .signalled(let signal): return .signalled(signal)
        case .setupFailed, .execFailed: preconditionFailure("answered above")
        }
    }
}
