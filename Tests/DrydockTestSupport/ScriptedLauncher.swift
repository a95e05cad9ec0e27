// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
package import DrydockSandbox
import Foundation
import Synchronization
import SystemPackage

/// What happens around the sandboxes of a script.
package protocol ScriptedWorld: Sendable {
    func perform(_ action: ScriptAction) async throws
    /// Returns once so many lines of output, of all sandboxes together, are in journals.
    func settle(lines: UInt64) async
    /// Something in the script can not be played.
    func complain(_ problem: any Error)
}

/// Plays sandboxes instead of starting any: the first launch gets the first part, and so on.
///
/// Their output goes through real pipes, their files into the real workspace.
package final class ScriptedLauncher: SandboxLauncher {
    private let parts: Mutex<[[ScriptAction]]>
    private let world: any ScriptedWorld
    /// Lines that were written, by all sandboxes.
    private let written = Counter()
    private let started = Counter()
    private let ended = Counter()

    package init(_ parts: [[ScriptAction]], in world: any ScriptedWorld) {
        self.parts = Mutex(parts)
        self.world = world
    }

    /// Whether no sandbox is being played at the moment.
    package var isIdle: Bool { started.value == ended.value }
    /// Whether all parts were played to their end.
    package var isDone: Bool { left == 0 && isIdle }

    /// How many parts nobody asked for.
    package var left: Int { parts.withLock(\.count) }

    package func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox {
        guard let part = parts.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
            throw .invalidSpec("the script has no part for \(spec.argv)")
        }
        if case .refuse(let error)? = part.first { throw error }
        let workspace = spec.mounts.first { $0.target == InsidePath.workspace }?.source
        let scene = Scene(
            world: world,
            workspace: workspace.map { URL(fileURLWithPath: $0) },
            written: written,
            ended: ended
        )
        started.increment()
        do {
            let out = try streams.stdout.withDescriptor { try $0.duplicate() }
            let err = try streams.stderr.withDescriptor { try $0.duplicate() }
            return ScriptedSandbox(part, scene, out: out, err: err)
        } catch {
            throw .host(call: "dup", errno: Int((error as? Errno)?.rawValue ?? 0))
        }
    }
}

/// What a sandbox that is played can touch.
private struct Scene: Sendable {
    let world: any ScriptedWorld
    /// Where its `/w` is; nil for those without.
    let workspace: URL?
    let written: Counter
    let ended: Counter
}

/// A sandbox that is played.
private final class ScriptedSandbox: RunningSandbox {
    private let reason = Mutex<EndReason?>(nil)
    private let told: AsyncStream<Void>
    private let tell: AsyncStream<Void>.Continuation
    private let play = Mutex<Task<Verdict, Never>?>(nil)

    /// Takes over `out` and `err`, the writing ends of its output.
    init(_ part: [ScriptAction], _ scene: Scene, out: FileDescriptor, err: FileDescriptor) {
        (told, tell) = AsyncStream<Void>.makeStream()
        // UNSTRUCTURED: awaited by report(), which the worker always calls.
        let playing = Task {
            defer {
                scene.ended.increment()
                OwnedDescriptor(taking: out).close()
                OwnedDescriptor(taking: err).close()
            }
            do {
                return try await self.play(part, scene, out: out, err: err)
            } catch {
                scene.world.complain(error)
                return .lost
            }
        }
        play.withLock { $0 = playing }
    }

    func end(_ reason: EndReason, grace: Duration) {
        self.reason.withLock { $0 = $0 ?? reason }
        tell.finish()
    }

    func report() async -> SandboxReport {
        let verdict = await play.withLock(\.self)?.value ?? .lost
        return SandboxReport(verdict: verdict, usage: Usage(wall: .seconds(1)))
    }

    private func play(
        _ part: [ScriptAction],
        _ scene: Scene,
        out: FileDescriptor,
        err: FileDescriptor
    ) async throws -> Verdict {
        for action in part {
            if let reason = reason.withLock(\.self) { return .ended(reason) }
            switch action {
            case .say(let stream, let text, let times):
                let line = Array((text + "\n").utf8)
                let end = stream == .err ? err : out
                // On a thread of its own: a pipe that is full holds up who writes.
                try await Self.onThread { for _ in 0..<times { try FileContents.write(line[...], to: end) } }
                if text.hasPrefix("@dd ") { continue }
                for _ in 0..<times { scene.written.increment() }
                // Lines of two pipes, and what happens next, come in the script's order.
                if times == 1 { await scene.world.settle(lines: scene.written.value) }
            case .file(let path, let text):
                let file = try Self.place(path, in: scene)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: file)
            case .link(let path, let target):
                try FileManager.default.createSymbolicLink(
                    atPath: Self.place(path, in: scene).path,
                    withDestinationPath: target
                )
            case .untilEnded: for await _ in told {}
            case .end(let verdict): return verdict
            case .refuse: throw ScriptProblem("a refusal is the only action of its sandbox")
            default: try await scene.world.perform(action)
            }
        }
        if let reason = reason.withLock(\.self) { return .ended(reason) }
        throw ScriptProblem("the script does not say how its sandbox ends")
    }

    private static func place(_ path: String, in scene: Scene) throws -> URL {
        guard let workspace = scene.workspace else { throw ScriptProblem("this sandbox has no workspace") }
        return workspace.appending(path: path)
    }

    private static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }
}
