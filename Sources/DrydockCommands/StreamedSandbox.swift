// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import DrydockWorker
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// One sandbox whose standard streams are pipes to this process's own.
struct StreamedSandbox {
    /// Between TERM and the end of everything.
    private static let grace = Duration.seconds(5)

    let spec: SandboxSpec
    /// Measured as long as it runs.
    let workspace: Workspace
    /// Of the workspace's own disk; nil: it is watched.
    let gauge: SpaceGauge?

    /// How it ended.
    struct End {
        let report: SandboxReport
        /// What was wrong with the disk, where that ended it.
        let breach: Failure?
    }

    /// Runs it to its end, for its policy's total time at most, and as long as its files are within their limit.
    func run(with launcher: any SandboxLauncher) async throws -> End {
        let input = try Ends()
        let output = try Ends()
        let error = try Ends()
        let streams = SandboxStreams(
            stdin: OwnedDescriptor(taking: input.read),
            stdout: OwnedDescriptor(taking: output.write),
            stderr: OwnedDescriptor(taking: error.write)
        )
        let (readerLeft, leaving) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let outputs = [
            try Self.pump(output.read, to: STDOUT_FILENO, name: "stdout", leaving),
            try Self.pump(error.read, to: STDERR_FILENO, name: "stderr", leaving),
        ]
        let running: any RunningSandbox
        do {
            running = try await launcher.launch(spec, streams: streams)
        } catch {
            try? input.write.close()  // nobody reads it
            throw error
        }
        try Self.feedStandardInput(to: input.write)
        let breach = Breach()
        let report = await Interruption.cancelling {
            running.end(.cancelled, grace: Self.grace)
        } during: {
            await end(of: running, readerLeft, breach)
        }
        for output in outputs { await output.finished() }
        return End(report: report, breach: breach.failure.withLock { $0 })
    }

    /// What the watch over the disk found.
    private final class Breach: Sendable {
        let failure = Mutex<Failure?>(nil)
    }

    /// A pipe whose ends are given away one by one.
    private struct Ends {
        let read: FileDescriptor
        let write: FileDescriptor

        init() throws(Errno) {
            (read, write) = try Pipe().split { read, write in (read.release(), write.release()) }
        }
    }

    /// A stream of the sandbox on its way to one of ours.
    private struct Output {
        let pump: PipePump
        let filter: TerminalFilter?
        let descriptor: Int32

        /// Returns when all of it is written.
        func finished() async {
            pump.stop()
            await pump.finished()
            _ = filter?.rest().withUnsafeBytes { Console.copy($0, to: descriptor) }
        }
    }

    private static func pump(
        _ end: FileDescriptor,
        to descriptor: Int32,
        name: String,
        _ leaving: AsyncStream<Void>.Continuation
    ) throws -> Output {
        // A file gets the bytes as they are.
        let colours: TerminalFilter.Colours = Console.wantsColour ? .kept : .dropped
        let filter = isatty(descriptor) == 1 ? TerminalFilter(colours) : nil
        let pump = try PipePump.start(OwnedDescriptor(taking: end), name: name) { bytes in
            let isWritten =
                filter?.filter(bytes).withUnsafeBytes { Console.copy($0, to: descriptor) }
                ?? Console.copy(bytes, to: descriptor)
            if !isWritten { leaving.yield() }
        }
        return Output(pump: pump, filter: filter, descriptor: descriptor)
    }

    /// Waits for the end, which comes at the latest when time is up, or nobody reads the output any more.
    private func end(
        of running: any RunningSandbox,
        _ readerLeft: AsyncStream<Void>,
        _ breach: Breach
    ) async -> SandboxReport {
        let onBreach: @Sendable (Failure) -> Void = { failure in
            breach.failure.withLock { $0 = $0 ?? failure }
            running.end(.diskLimit, grace: .zero)
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in readerLeft { running.end(.cancelled, grace: .zero) }
            }
            group.addTask {
                // Cancelled: it ended in time.
                guard (try? await Task.sleep(for: spec.limits.total)) != nil else { return }
                running.end(.wallTimeout, grace: Self.grace)
            }
            group.addTask {
                if let gauge { return await gauge.run(onBreach: onBreach) }
                await DiskWatch(workspace: workspace, limit: spec.limits.disk, onBreach: onBreach).run()
            }
            let report = await running.report()
            group.cancelAll()
            return report
        }
    }

    /// Copies our stdin into the sandbox's.
    ///
    /// The thread may wait for a terminal for ever; it ends with the process.
    private static func feedStandardInput(to end: FileDescriptor) throws {
        try SystemThread.start(name: "stdin") {
            let end = OwnedDescriptor(taking: end)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            end.withDescriptor { end in
                while let count = try? FileContents.read(.standardInput, into: &buffer), count > 0 {
                    // Its reader went away: there is nobody to tell, and nothing more to do.
                    guard (try? FileContents.write(buffer[..<count], to: end)) != nil else { return }
                }
            }
        }
    }
}
