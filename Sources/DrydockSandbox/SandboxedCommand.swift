// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
internal import Synchronization
internal import SystemPackage

/// The sandbox that runs at the moment, so that somebody else can end it.
package final class SandboxControl: Sendable {
    private struct State {
        var running: (any RunningSandbox)?
        var ended: (reason: EndReason, grace: Duration)?
    }

    private let state = Mutex(State())

    package init() {}

    /// Takes a sandbox in; it is ended at once where the end was asked for before it was there.
    package func attach(_ sandbox: any RunningSandbox) {
        let ended = state.withLock { state in
            state.running = sandbox
            return state.ended
        }
        if let ended { sandbox.end(ended.reason, grace: ended.grace) }
    }

    /// Ends what runs now, and whatever is attached later.
    package func end(_ reason: EndReason, grace: Duration) {
        let running = state.withLock { state in
            if state.ended == nil { state.ended = (reason, grace) }
            return state.running
        }
        running?.end(reason, grace: grace)
    }
}

/// When something was last heard.
package final class ActivityClock: Sendable {
    private let clock: any MonotonicClock
    private let last: Mutex<ContinuousClock.Instant>

    package init(_ clock: any MonotonicClock) {
        self.clock = clock
        last = Mutex(clock.now)
    }

    package func touch() { last.withLock { $0 = clock.now } }
    package var latest: ContinuousClock.Instant { last.withLock { $0 } }
}

/// How a command ended.
package struct CommandEnd: Sendable {
    package enum Ending: Sendable {
        case ran(SandboxReport)
        case notStarted(SandboxError)
    }

    package var ending: Ending
    package var duration: Duration

    package init(ending: Ending, duration: Duration) {
        self.ending = ending
        self.duration = duration
    }
}

/// A pipe whose reading end is being pumped.
private struct PumpedPipe: ~Copyable {
    let pump: PipePump
    var writeEnd: OwnedDescriptor
}

/// One command in a sandbox: started, its output pumped, its time watched, its end awaited.
package struct SandboxedCommand: Sendable {
    private let spec: SandboxSpec
    private let clock: any MonotonicClock
    private let deadline: ContinuousClock.Instant
    private let silence: Duration?
    private let grace: Duration
    private let control: SandboxControl
    private let activity: ActivityClock
    private let streams: OutputStreams
    private let onViolation: @Sendable (Violation) -> Void
    private let onOutput: @Sendable (LogLine.Stream, UnsafeRawBufferPointer) -> Void

    /// A command that ends at `deadline`, and after a time of `silence` (nil: it may say nothing); TERM comes `grace` before
    /// KILL.
    ///
    /// `control` ends it from elsewhere; whoever touches `activity` breaks the silence, as its output does. `onOutput` gets
    /// the bytes of both streams, each in order, on a thread each; `together` all come by `out`, in the order in which they
    /// were written. `onViolation` hears what was refused, on a thread of its own.
    package init(
        spec: SandboxSpec,
        clock: any MonotonicClock,
        deadline: ContinuousClock.Instant,
        silence: Duration? = nil,
        grace: Duration = .zero,
        control: SandboxControl = SandboxControl(),
        activity: ActivityClock? = nil,
        streams: OutputStreams = .apart,
        onViolation: @escaping @Sendable (Violation) -> Void = { _ in },
        onOutput: @escaping @Sendable (LogLine.Stream, UnsafeRawBufferPointer) -> Void
    ) {
        self.spec = spec
        self.clock = clock
        self.deadline = deadline
        self.silence = silence
        self.grace = grace
        self.control = control
        self.activity = activity ?? ActivityClock(clock)
        self.streams = streams
        self.onViolation = onViolation
        self.onOutput = onOutput
    }

    /// Runs it to its end; `stdin` is closed on our side in any case.
    package func run(stdin: consuming OwnedDescriptor, launcher: any SandboxLauncher) async -> CommandEnd {
        let start = clock.now
        let ending: CommandEnd.Ending
        do throws(SandboxError) {
            ending = .ran(try await launch(stdin: stdin, launcher: launcher))
        } catch {
            ending = .notStarted(error)
        }
        return CommandEnd(ending: ending, duration: start.duration(to: clock.now))
    }

    private func launch(
        stdin: consuming OwnedDescriptor,
        launcher: any SandboxLauncher
    ) async throws(SandboxError) -> SandboxReport {
        let out = try pump(.out)
        let err: PumpedPipe
        var pumps = [out.pump]
        switch streams {
        case .together: err = PumpedPipe(pump: out.pump, writeEnd: try Self.second(out.writeEnd))
        case .apart:
            err = try pump(.err)
            pumps.append(err.pump)
        }
        activity.touch()
        let sandbox: any RunningSandbox
        do throws(SandboxError) {
            var streams = SandboxStreams(stdin: stdin, stdout: out.writeEnd, stderr: err.writeEnd)
            streams.onViolation = onViolation
            sandbox = try await launcher.launch(spec, streams: streams)
        } catch {
            await stop(pumps)
            throw error
        }
        control.attach(sandbox)
        let report = await withTaskGroup(of: Void.self) { group in
            group.addTask { await watch(sandbox) }
            let report = await sandbox.report()
            group.cancelAll()
            return report
        }
        await stop(pumps)
        return report
    }

    /// The same pipe once more.
    private static func second(_ end: borrowing OwnedDescriptor) throws(SandboxError) -> OwnedDescriptor {
        do throws(Errno) {
            return try end.withDescriptor { end throws(Errno) in try OwnedDescriptor(duplicating: end) }
        } catch {
            throw .host(call: "dup", errno: Int(error.rawValue))
        }
    }

    private func stop(_ pumps: [PipePump]) async {
        for pump in pumps { pump.stop() }
        for pump in pumps { await pump.finished() }
    }

    private func pump(_ stream: LogLine.Stream) throws(SandboxError) -> PumpedPipe {
        do throws(Errno) {
            let pipe = try Pipe()
            let (activity, onOutput) = (activity, onOutput)
            return try pipe.split { (read, write) throws(Errno) -> PumpedPipe in
                let pump = try PipePump.start(read, name: "drydock-\(stream)") { bytes in
                    activity.touch()
                    onOutput(stream, bytes)
                }
                return PumpedPipe(pump: pump, writeEnd: write)
            }
        } catch {
            throw .host(call: "pipe", errno: Int(error.rawValue))
        }
    }

    /// Ends the sandbox when its time, or its time without output, is up.
    private func watch(_ sandbox: any RunningSandbox) async {
        while !Task.isCancelled {
            let now = clock.now
            let silent = silence.map { activity.latest.advanced(by: $0) } ?? deadline
            if now >= deadline { return sandbox.end(.wallTimeout, grace: grace) }
            if now >= silent { return sandbox.end(.silenceTimeout, grace: grace) }
            // Cancelled when the command ended: the loop's condition sees it.
            try? await clock.sleep(until: min(deadline, silent), tolerance: nil)
        }
    }
}
