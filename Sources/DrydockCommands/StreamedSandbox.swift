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
    var onViolation: @Sendable (Violation) -> Void = { _ in }

    /// How it ended.
    struct End {
        let report: SandboxReport
        /// What was wrong with the disk, where that ended it.
        let breach: Failure?
    }

    /// Runs it to its end, for its policy's total time at most, and as long as its files are within their limit and somebody
    /// reads its output.
    func run(with launcher: any SandboxLauncher) async throws -> End {
        let control = SandboxControl()
        let (out, err) = (Output(STDOUT_FILENO), Output(STDERR_FILENO))
        let clock = ContinuousClock()
        let command = SandboxedCommand(
            spec: spec,
            clock: clock,
            deadline: clock.now.advanced(by: spec.limits.total),
            grace: Self.grace,
            control: control,
            onViolation: onViolation
        ) { stream, bytes in
            let isWritten = (stream == .err ? err : out).write(bytes)
            if !isWritten { control.end(.cancelled, grace: .zero) }
        }
        let stdin = try Self.standardInput()
        let breach = Breach()
        let end = await Interruption.cancelling {
            control.end(.cancelled, grace: Self.grace)
        } during: {
            await watchingDisk(control, breach) {
                await command.run(stdin: OwnedDescriptor(taking: stdin), launcher: launcher)
            }
        }
        for output in [out, err] { output.finish() }
        switch end.ending {
        case .notStarted(let error): throw error
        case .ran(let report): return End(report: report, breach: breach.failure.withLock { $0 })
        }
    }

    /// What the watch over the disk found.
    private final class Breach: Sendable {
        let failure = Mutex<Failure?>(nil)
    }

    private func watchingDisk(
        _ control: SandboxControl,
        _ breach: Breach,
        _ body: () async -> CommandEnd
    ) async -> CommandEnd {
        let onBreach: @Sendable (Failure) -> Void = { failure in
            breach.failure.withLock { $0 = $0 ?? failure }
            control.end(.diskLimit, grace: .zero)
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                if let gauge { return await gauge.run(onBreach: onBreach) }
                await DiskWatch(workspace: workspace, limit: spec.limits.disk, onBreach: onBreach).run()
            }
            let end = await body()
            group.cancelAll()
            return end
        }
    }

    /// A stream of the sandbox on its way to one of ours; a terminal gets no commands from inside, a file the bytes as they
    /// are.
    private struct Output: Sendable {
        private let filter: TerminalFilter?
        private let descriptor: Int32

        init(_ descriptor: Int32) {
            let colours: TerminalFilter.Colours = Console.wantsColour ? .kept : .dropped
            filter = isatty(descriptor) == 1 ? TerminalFilter(colours) : nil
            self.descriptor = descriptor
        }

        /// False when nobody takes it any more.
        func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
            filter?.filter(bytes).withUnsafeBytes { Console.copy($0, to: descriptor) }
                ?? Console.copy(bytes, to: descriptor)
        }

        /// Writes what was held back.
        func finish() { _ = filter?.rest().withUnsafeBytes { Console.copy($0, to: descriptor) } }
    }

    /// The reading end of a pipe that our standard input is copied into.
    ///
    /// The thread may wait for a terminal for ever; it ends with the process.
    private static func standardInput() throws(Errno) -> FileDescriptor {
        try Pipe().split { (read, write) throws(Errno) -> FileDescriptor in
            let end = write.release()
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
            return read.release()
        }
    }
}
