// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import Glibc
internal import SystemPackage

/// One sandbox whose standard streams are pipes to this process's own.
struct StreamedSandbox {
    /// Between TERM and the end of everything.
    private static let grace = Duration.seconds(5)

    let spec: SandboxSpec

    /// Runs it to its end, for its policy's total time at most.
    func run(with launcher: any SandboxLauncher) async throws -> SandboxReport {
        let input = try Ends()
        let output = try Ends()
        let error = try Ends()
        let streams = SandboxStreams(
            stdin: OwnedDescriptor(taking: input.read),
            stdout: OwnedDescriptor(taking: output.write),
            stderr: OwnedDescriptor(taking: error.write)
        )
        let (readerLeft, leaving) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let pumps = [
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
        let report = await Interruption.cancelling {
            running.end(.cancelled, grace: Self.grace)
        } during: {
            await Self.report(of: running, within: spec.limits.total, readerLeft)
        }
        for pump in pumps {
            pump.stop(within: .seconds(2))
            await pump.finished()
        }
        return report
    }

    /// A pipe whose ends are given away one by one.
    private struct Ends {
        let read: FileDescriptor
        let write: FileDescriptor

        init() throws(Errno) {
            (read, write) = try Pipe().split { read, write in (read.release(), write.release()) }
        }
    }

    private static func pump(
        _ end: FileDescriptor,
        to descriptor: Int32,
        name: String,
        _ leaving: AsyncStream<Void>.Continuation
    ) throws -> PipePump {
        try PipePump.start(OwnedDescriptor(taking: end), name: name) { bytes in
            if !Console.copy(bytes, to: descriptor) { leaving.yield() }
        }
    }

    /// Waits for the end, which comes at the latest when time is up, or nobody reads the output any more.
    private static func report(
        of running: any RunningSandbox,
        within limit: Duration,
        _ readerLeft: AsyncStream<Void>
    ) async -> SandboxReport {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in readerLeft { running.end(.cancelled, grace: .zero) }
            }
            group.addTask {
                // Cancelled: it ended in time.
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                running.end(.wallTimeout, grace: grace)
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
