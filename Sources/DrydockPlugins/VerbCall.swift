// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
package import DrydockOS
import DrydockProtocol
package import DrydockSandbox
import Synchronization
import SystemPackage

/// Runs a verb of a driver that answers on standard output, in the sandbox that drivers get.
package struct VerbCall: Sendable {
    /// The sandbox, with the project mounted read-only and noexec.
    let driver: SandboxSpec
    /// The names at the top of the project.
    let files: [String]
    let launcher: any SandboxLauncher
    let clock: any MonotonicClock

    /// How long a driver may take for `detect` or `plan`.
    private static let patience = Duration.seconds(20)
    /// Bytes of an answer.
    private static let answerLimit = 256 << 10
    /// Bytes of what it says beside that.
    private static let saidLimit = 16 << 10

    package init(
        driver: SandboxSpec,
        files: [String],
        launcher: any SandboxLauncher,
        clock: any MonotonicClock = ContinuousClock()
    ) {
        self.driver = driver
        self.files = files
        self.launcher = launcher
        self.clock = clock
    }

    /// The request of a verb, as a build makes it.
    func request(_ verb: PluginVerb, with parameters: JSON = .object([:])) -> PluginRequest {
        PluginRequest(
            verb: verb.rawValue,
            directories: PluginRequest.directories(driver),
            files: files,
            with: parameters
        )
    }

    /// Runs `verb` with these lines on its standard input, which ends behind them.
    ///
    /// `heard` gets what it writes to standard error, whatever comes of it. Throws what ended it, unless it ended by itself.
    func ask(
        _ plugin: Plugin,
        _ verb: String,
        _ lines: [[UInt8]],
        heard: (String) -> Void = { _ in }
    ) async throws(Failure) -> VerbAnswer {
        let control = SandboxControl()
        let collected = Collected(limit: Self.answerLimit) { control.end(.cancelled, grace: .zero) }
        let complaints = Collected(limit: Self.saidLimit) {}
        var spec = driver
        spec.argv = plugin.command + [verb]
        spec.mounts += plugin.mounts
        spec.environment.merge(plugin.environment) { _, ours in ours }
        let command = SandboxedCommand(
            spec: spec,
            clock: clock,
            deadline: clock.now.advanced(by: Self.patience),
            silence: Self.patience,
            grace: .zero,
            control: control,
            onOutput: { stream, bytes in (stream == .out ? collected : complaints).add(bytes) }
        )
        let end: CommandEnd
        do throws(Errno) {
            let (input, childEnd) = try DriverInput.make()
            for line in lines { input.post(line: line) }
            input.finish()
            end = await command.run(stdin: OwnedDescriptor(taking: childEnd), launcher: launcher)
        } catch {
            throw OutcomeTable.failure(
                of: .host(call: "socketpair", errno: Int(error.rawValue)),
                command: plugin.name.rawValue
            )
        }
        for line in complaints.lines { heard(line) }
        let name = "the plugin \(plugin.name)"
        if collected.isFull {
            let message = "\(name) answered with more than \(Self.answerLimit >> 10) KiB"
            throw Failure(.pluginProtocol, .plugin, message, hint: "an answer is one object of JSON")
        }
        switch end.ending {
        case .notStarted(let error): throw OutcomeTable.failure(of: error, command: name).blamedOnPlugin
        case .ran(let report):
            if case .exit(let status) = report.verdict {
                return VerbAnswer(
                    status: status,
                    bytes: collected.bytes,
                    lastWord: complaints.lastWord,
                    duration: end.duration
                )
            }
            let failure = OutcomeTable.failure(of: report.verdict, command: name, limits: driver.limits)
            throw failure?.blamedOnPlugin ?? Failure(.internal, .platform, "\(name) ended in no known way")
        }
    }
}

/// What a driver answered to a verb.
struct VerbAnswer {
    var status: Int
    var bytes: [UInt8]
    /// `: ` and the last line of its standard error, empty where there is none.
    var lastWord: String
    var duration: Duration
}

/// The first bytes of a stream; `full` is called when there are more than that.
private final class Collected: Sendable {
    private let content = Mutex<[UInt8]>([])
    private let limit: Int
    private let full: @Sendable () -> Void

    init(limit: Int, full: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.full = full
    }

    var bytes: [UInt8] { content.withLock { $0 } }

    var isFull: Bool { bytes.count == limit }

    /// The lines that are not empty, repaired.
    var lines: [String] { bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) } }

    var lastWord: String { lines.last.map { ": " + $0.prefix(200) } ?? "" }

    func add(_ bytes: UnsafeRawBufferPointer) {
        let isFull = content.withLock { content in
            content += bytes.prefix(limit - content.count)
            return content.count == limit
        }
        if isFull { full() }
    }
}
