// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import DrydockOS
import DrydockPlugins
import DrydockSandbox
import DrydockTestSupport
import Foundation
import Synchronization
import SystemPackage

/// Starts the programs of a spec without any sandbox; paths inside are replaced by their places outside.
struct PlainLauncher: SandboxLauncher {
    func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox {
        let outside = { (text: String) in
            spec.mounts.first { text == $0.target || text.hasPrefix($0.target + "/") }
                .map { $0.source + text.dropFirst($0.target.count) } ?? text
        }
        // `cd` in a shell: the process has its own directory, the test's stays.
        let arguments =
            ["sh", "-c", #"cd "$0" && exec "$@""#, outside(spec.workingDirectory)] + spec.argv.map(outside)
        let environment = spec.environment.map { "\($0.key)=\(outside($0.value))" }
        let stdin = streams.stdin.withDescriptor { $0 }
        let stdout = streams.stdout.withDescriptor { $0 }
        let stderr = streams.stderr.withDescriptor { $0 }
        do throws(Errno) {
            let child = try ChildProcess.spawn(
                "/bin/sh",
                arguments: arguments,
                environment: environment,
                inherited: [.init(stdin, as: 0), .init(stdout, as: 1), .init(stderr, as: 2)]
            )
            return PlainSandbox(child)
        } catch {
            throw .host(call: "posix_spawn", errno: Int(error.rawValue))
        }
    }
}

/// A process without a sandbox around it.
final class PlainSandbox: RunningSandbox {
    private let child: ChildProcess
    private let reason = Mutex<EndReason?>(nil)

    init(_ child: consuming ChildProcess) { self.child = child }

    func end(_ reason: EndReason, grace: Duration) {
        self.reason.withLock { $0 = $0 ?? reason }
        // The group: it leads a session of its own.
        kill(-child.processID, SIGKILL)
    }

    func report() async -> SandboxReport {
        let start = ContinuousClock.now
        let status: ChildProcess.Ending.Status = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: (try? self.child.waitBlocking().status) ?? .exited(255))
            }
        }
        let usage = Usage(wall: ContinuousClock.now - start)
        if let reason = reason.withLock({ $0 }) {
            return SandboxReport(verdict: .ended(reason), usage: usage)
        }
        return switch status {
        case .exited(let code): SandboxReport(verdict: .exit(code), usage: usage)
        case .signalled(let signal): SandboxReport(verdict: .signalled(signal), usage: usage)
        }
    }
}

/// Plays bytes instead of running anything.
struct ScriptedLauncher: SandboxLauncher {
    struct Playing: RunningSandbox {
        let verdict: Verdict
        func end(_ reason: EndReason, grace: Duration) {}
        func report() async -> SandboxReport { SandboxReport(verdict: verdict, usage: Usage(wall: .zero)) }
    }

    var verdict = Verdict.exit(0)
    var problem: SandboxError?
    var play: @Sendable (FileDescriptor) -> Void = { _ in }

    func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox {
        if let problem { throw problem }
        streams.stdout.withDescriptor { play($0) }
        return Playing(verdict: verdict)
    }
}

/// Keeps what a step said.
final class RecordingSink: StepEventSink {
    private let kept = Mutex<[(Event, Via)]>([])

    func emit(_ events: [Event], via: Via) {
        kept.withLock { $0 += events.map { ($0, via) } }
    }

    var all: [(event: Event, via: Via)] { kept.withLock { $0.map { (event: $0.0, via: $0.1) } } }

    /// The log's lines of these streams.
    func log(_ streams: LogLine.Stream...) -> [String] {
        all.compactMap { entry in
            if case .log(let line) = entry.event, streams.contains(line.stream) { line.text } else { nil }
        }
    }

    func contains(_ event: Event, via: Via) -> Bool { all.contains { $0.event == event && $0.via == via } }
}

/// A temporary directory for a plugin directory and a project, gone with the scope.
final class Bench {
    let root: URL
    let sink = RecordingSink()
    /// The observers that come with Drydock.
    static let shipped: ObserverCatalog = {
        let checkout = URL(filePath: #filePath).appending(path: "../../../plugins").standardizedFileURL
        return PluginCatalog.load(directories: [checkout.path]).observers
    }()

    var plugins: URL { root.appending(path: "plugins") }
    var source: URL { root.appending(path: "source") }
    var out: URL { root.appending(path: "out") }

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        for directory in [plugins, source, out] {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            chmod(directory.path, 0o755)
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        let file = root.appending(path: path)
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        chmod(folder.path, 0o755)
        try Data(text.utf8).write(to: file)
        chmod(file.path, mode)
    }

    /// A plugin `name` of one script, and the catalog it is in.
    func plugin(
        _ script: String,
        kind: String = "guest",
        manifest: String = "",
        name: PluginName = "probe"
    ) throws -> Plugin {
        try write("#!/bin/sh\n" + script, to: "plugins/50-\(name)/plugin", mode: 0o755)
        let text = #"{"protocol":"1.0","kind":"\#(kind)"\#(manifest)}"#
        try write(text, to: "plugins/50-\(name)/plugin.json")
        let catalog = PluginCatalog.load(directories: [plugins.path])
        guard let plugin = catalog[name] else { throw Failure(.noPlugin, .plugin, "\(catalog.invalid)") }
        return plugin
    }

    var spec: SandboxSpec {
        SandboxSpec(
            argv: [],
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": root.path,
                "DRYDOCK_SOURCE": InsidePath.source, "DRYDOCK_OUT": InsidePath.out, "LANG": "C.UTF-8",
            ],
            mounts: [
                SandboxMount(source: source.path, target: InsidePath.source, access: .readWrite),
                SandboxMount(source: out.path, target: InsidePath.out, access: .readWrite),
            ]
        )
    }

    func context(_ plugin: Plugin, with: JSON = .object([:])) -> StepContext {
        let step = PlannedStep(id: "probe", plugin: plugin.name, title: "Probe", with: with)
        var context = StepContext(
            build: BuildID(rawValue: "b_test"),
            plugin: plugin,
            step: step,
            project: spec,
            driver: spec
        )
        context.grace = .milliseconds(100)
        context.observers = Bench.shipped
        // Tests print messages about files that they do not write.
        context.isInSource = { name in [".c", ".py", ".swift"].contains { name.hasSuffix($0) } }
        context.files = (try? FileManager.default.contentsOfDirectory(atPath: source.path))?.sorted() ?? []
        return context
    }

    func run(
        _ plugin: Plugin,
        with: JSON = .object([:]),
        launcher: any SandboxLauncher = PlainLauncher(),
        adjust: (inout StepContext) -> Void = { _ in }
    ) async -> StepReport {
        var context = context(plugin, with: with)
        adjust(&context)
        return await StepRunner().run(context, launcher: launcher, sink: sink)
    }
}
