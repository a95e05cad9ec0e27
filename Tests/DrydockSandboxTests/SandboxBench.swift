// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockSandbox
import FoundationEssentials
import Synchronization
import SystemPackage
import Testing

/// All suites that start sandboxes: one after the other, as some of them use up what the machine has.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Machine.runsSandboxes))
enum SandboxTests {}

/// What the tests may expect of this machine.
enum Machine {
    /// False only where there is no jail and nobody demanded one.
    static var runsSandboxes: Bool {
        let environment = ProcessInfo.processInfo.environment
        if environment["DRYDOCK_SANDBOX_MUST_WORK"] == "1" { return true }
        return (try? JailLocation.find()) != nil  // without a jail the suite is skipped, and says so
    }

    static var isRoot: Bool { SandboxIdentity.current.isForeign }
}

/// What one sandbox did.
struct Outcome: Sendable {
    var report: SandboxReport
    var output: String
    var errors: String
    var capabilities: SandboxCapabilities?
    var violations: [Violation]
}

/// A directory of its own with a workspace in it, and the way to run something there.
final class Bench: Sendable {
    let directory: FilePath
    let workspace: FilePath
    private let launcher: JailLauncher

    /// `wrapper` names a program of `Tests/Fixtures/sandbox` that changes the kernel's answers and becomes the jail.
    init(_ options: SpecOptions = SpecOptions(), wrapper: String? = nil, flags: [String] = []) throws {
        directory = FilePath("/tmp/drydock-test-\(UInt64.random(in: .min ... .max))")
        workspace = directory.appending("w")
        let jail = wrapper == nil ? try JailLocation.find() : directory.appending("drydock-jail")
        launcher = JailLauncher(jail: jail, options: options)
        try FileManager.default.createDirectory(
            atPath: workspace.string,
            withIntermediateDirectories: true
        )
        if let wrapper {
            let real = "-DJAIL=\"\(try JailLocation.find())\""
            _ = try ProbeProgram.compile(wrapper, to: jail, flags: [real] + flags)
        }
        try ProbeProgram.build(into: workspace)
        try handOver()
    }

    // What can not be removed is left for the system's own cleaning of /tmp.
    deinit { try? FileManager.default.removeItem(atPath: directory.string) }

    /// The workspace belongs to the step's user.
    private func handOver() throws {
        guard Machine.isRoot else { return }
        let owner = "\(SandboxIdentity.current.hostUser):\(SandboxIdentity.current.hostGroup)"
        let child = try ChildProcess.spawn(
            "/bin/chown",
            arguments: ["chown", "-R", owner, workspace.string],
            environment: [],
            inherited: []
        )
        #expect(try child.waitBlocking().status == .exited(0))
    }

    /// A spec with the workspace, writable, at `/w`.
    func spec(_ argv: [String], limits: Limits = Limits()) -> SandboxSpec {
        SandboxSpec(
            argv: argv,
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/w"],
            workingDirectory: "/w",
            mounts: [SandboxMount(source: workspace.string, target: "/w", access: .readWrite)],
            policy: Policy(limits: limits)
        )
    }

    /// Runs `spec` and collects what it writes.
    ///
    /// `during` is called while it runs, with what it has written so far.
    func run(
        _ spec: SandboxSpec,
        during: @Sendable (JailedProcess, Collected) async throws -> Void = { _, _ in }
    ) async throws -> Outcome {
        let (output, errors) = (Collected(), Collected())
        let (outPump, out) = try Self.pump(output)
        let (errorPump, error) = try Self.pump(errors)
        var streams = SandboxStreams(
            stdin: try .null(),
            stdout: OwnedDescriptor(taking: out),
            stderr: OwnedDescriptor(taking: error)
        )
        let violations = Heard()
        streams.onViolation = { violation in violations.all.withLock { $0.append(violation) } }
        let process = try await launcher.start(spec, streams: streams)
        try await during(process, output)
        let report = await process.report()
        await outPump.finished()
        await errorPump.finished()
        return Outcome(
            report: report,
            output: output.text,
            errors: errors.text,
            capabilities: process.capabilities,
            violations: violations.all.withLock { $0 }
        )
    }

    /// The violations of one sandbox.
    private final class Heard: Sendable {
        let all = Mutex<[Violation]>([])
    }

    /// Runs a shell script on the host.
    func outside(_ script: String, in folder: String) throws {
        let child = try ChildProcess.spawn(
            "/bin/sh",
            arguments: ["sh", "-c", "umask 022; cd \"$1\" && \(script)", "sh", folder],
            environment: ["PATH=/usr/bin:/bin"],
            inherited: []
        )
        #expect(try child.waitBlocking().status == .exited(0))
    }

    /// Runs a shell script.
    func shell(_ script: String, limits: Limits = Limits()) async throws -> Outcome {
        try await run(spec(["sh", "-c", script], limits: limits))
    }

    static func pump(_ collected: Collected) throws -> (PipePump, FileDescriptor) {
        try Pipe().split { read, write in
            let pump = try PipePump.start(read, name: "test") { collected.add($0) }
            return (pump, write.release())
        }
    }
}

/// The bytes that a pump has handed over.
final class Collected: Sendable {
    private struct Facts {
        var bytes: [UInt8] = []
        var waiting: (text: String, continuation: CheckedContinuation<Void, Never>)?
    }

    private let facts = Mutex(Facts())

    var text: String { String(decoding: facts.withLock { $0.bytes }, as: UTF8.self) }

    func add(_ more: UnsafeRawBufferPointer) {
        facts.withLock { facts in
            facts.bytes.append(contentsOf: more)
            guard let waiting = facts.waiting else { return }
            guard String(decoding: facts.bytes, as: UTF8.self).contains(waiting.text) else { return }
            waiting.continuation.resume()
            facts.waiting = nil
        }
    }

    /// Returns once `text` was seen; for one caller at a time.
    func seen(_ text: String) async {
        await withCheckedContinuation { continuation in
            facts.withLock { facts in
                if String(decoding: facts.bytes, as: UTF8.self).contains(text) {
                    continuation.resume()
                } else {
                    facts.waiting = (text, continuation)
                }
            }
        }
    }
}

/// The C program with one attack for each name.
enum ProbeProgram {
    private static let fixtures = FilePath("\(#filePath)").removingLastComponent().removingLastComponent()
        .appending("Fixtures/sandbox")
    private static let compiled = Mutex<[UInt8]?>(nil)

    /// Puts the program `probe` into `directory`; compiles it the first time.
    static func build(into directory: FilePath) throws {
        let target = directory.appending("probe")
        let bytes = try compiled.withLock { known in
            if let known { return known }
            let parts = ["taking", "queues"].map { "\(fixtures)/\($0).c" }
            let made = try compile("probe", to: target, flags: parts)
            known = made
            return made
        }
        let file = try FileDescriptor.open(
            target,
            .writeOnly,
            options: [.create, .truncate, .closeOnExec],
            permissions: FilePermissions(rawValue: 0o755)
        )
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    /// Compiles a program of `Tests/Fixtures/sandbox`; returns its bytes.
    static func compile(_ name: String, to target: FilePath, flags: [String] = []) throws -> [UInt8] {
        let source = fixtures.appending("\(name).c")
        let compiler = try ChildProcess.spawn(
            "/usr/bin/cc",
            arguments: ["cc", "-o", target.string] + flags + [source.string],
            environment: ["PATH=/usr/bin:/bin"],
            inherited: [.init(FileDescriptor.standardError, as: 2)]
        )
        try #require(try compiler.waitBlocking().status == .exited(0))
        return [UInt8](try Data(contentsOf: URL(filePath: target.string)))
    }
}
