// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import Synchronization
import SystemPackage

/// The sandbox that runs at the moment, so that somebody else can end it.
final class SandboxControl: Sendable {
    private struct State {
        var running: (any RunningSandbox)?
        var ended: (reason: EndReason, grace: Duration)?
    }

    private let state = Mutex(State())

    /// Takes a sandbox in; it is ended at once where the end was asked for before it was there.
    func attach(_ sandbox: any RunningSandbox) {
        let ended = state.withLock { state in
            state.running = sandbox
            return state.ended
        }
        if let ended { sandbox.end(ended.reason, grace: ended.grace) }
    }

    /// Ends what runs now, and whatever is attached later.
    func end(_ reason: EndReason, grace: Duration) {
        let running = state.withLock { state in
            if state.ended == nil { state.ended = (reason, grace) }
            return state.running
        }
        running?.end(reason, grace: grace)
    }
}

/// When something was last heard.
final class ActivityClock: Sendable {
    private let clock: any MonotonicClock
    private let last: Mutex<ContinuousClock.Instant>

    init(_ clock: any MonotonicClock) {
        self.clock = clock
        last = Mutex(clock.now)
    }

    func touch() { last.withLock { $0 = clock.now } }
    var latest: ContinuousClock.Instant { last.withLock { $0 } }
}

/// How a command ended.
struct CommandEnd: Sendable {
    enum Ending: Sendable {
        case ran(SandboxReport)
        case notStarted(SandboxError)
    }

    var ending: Ending
    var duration: Duration
}

/// A pipe whose reading end is being pumped.
private struct PumpedPipe: ~Copyable {
    let pump: PipePump
    var writeEnd: OwnedDescriptor
}

/// One command in a sandbox: started, its output pumped, its time watched, its end awaited.
struct SandboxedCommand: Sendable {
    var spec: SandboxSpec
    var clock: any MonotonicClock
    var deadline: ContinuousClock.Instant
    var silence: Duration
    var grace: Duration
    var control = SandboxControl()
    var activity: ActivityClock
    /// Gets the bytes of both streams, each in order, on a thread each.
    var onOutput: @Sendable (LogLine.Stream, UnsafeRawBufferPointer) -> Void

    /// Runs it to its end; `stdin` is closed on our side in any case.
    func run(stdin: consuming OwnedDescriptor, launcher: any SandboxLauncher) async -> CommandEnd {
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
        let err = try pump(.err)
        let pumps = [out.pump, err.pump]
        activity.touch()
        let sandbox: any RunningSandbox
        do throws(SandboxError) {
            let streams = SandboxStreams(stdin: stdin, stdout: out.writeEnd, stderr: err.writeEnd)
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
            let silent = activity.latest.advanced(by: silence)
            if now >= deadline { return sandbox.end(.wallTimeout, grace: grace) }
            if now >= silent { return sandbox.end(.silenceTimeout, grace: grace) }
            // Cancelled when the command ended: the loop's condition sees it.
            try? await clock.sleep(until: min(deadline, silent), tolerance: nil)
        }
    }
}
