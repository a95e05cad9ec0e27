// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
internal import Synchronization
package import SystemPackage

/// Attacks a sandbox from inside, to know that it holds on this machine.
///
/// `drydock-probe` makes the attacks, in a sandbox as a step of a build gets it: harmless ones that end by themselves.
package struct SandboxProver: Sendable {
    /// Fewer answers than this are no proof, whatever they say.
    private static let least = 30
    /// More than the probe needs where every attack waits until it is ended.
    private static let patience = Duration.seconds(180)
    private static let place = "\(InsidePath.plugin)/drydock-probe"

    private let launcher: any SandboxLauncher
    private let probe: FilePath
    private let policy: Policy

    /// A prover that starts `probe` as `launcher` starts the steps of builds with that policy, but without a network.
    package init(launcher: any SandboxLauncher, probe: FilePath, policy: Policy) {
        self.launcher = launcher
        self.probe = probe
        self.policy = policy.withoutNetwork
    }

    /// Makes every attack once, and those that said nothing twice more.
    ///
    /// Throws when there is no sandbox to be attacked.
    package func prove() async throws(SandboxError) -> SandboxProof {
        var outcomes = try await attack(nil)
        let unsure = outcomes.filter { $0.value == .unsure }.keys.sorted()
        for name in unsure {
            for _ in 0..<2 where outcomes[name] == .unsure {
                outcomes[name] = try await attack(name)[name] ?? .unsure
            }
        }
        var proof = SandboxProof(at: .now())
        proof.held = outcomes.filter { $0.value == .held }.keys.sorted()
        proof.breached = outcomes.filter { $0.value == .breach }.keys.sorted()
        proof.inconclusive = outcomes.filter { $0.value == .unsure }.keys.sorted()
        if outcomes.count < Self.least {
            proof.inconclusive.append("the rest, as the probe did not come to its end")
        }
        return proof
    }

    private enum Outcome: String {
        case held, breach, unsure
    }

    /// By the attack's name; all attacks, or one.
    private func attack(_ name: String?) async throws(SandboxError) -> [String: Outcome] {
        let spec = SandboxSpec(
            argv: [Self.place] + (name.map { [$0] } ?? []),
            environment: [:],
            workingDirectory: InsidePath.temporary,
            mounts: [SandboxMount(source: probe.string, target: Self.place, access: .readOnly)],
            policy: policy
        )
        let clock = ContinuousClock()
        let heard = Heard()
        let command = SandboxedCommand(spec: spec, clock: clock, deadline: clock.now + Self.patience) {
            stream,
            bytes in
            if stream == .out { heard.add(bytes) }
        }
        let end = await command.run(stdin: try Self.nothing(), launcher: launcher)
        if case .notStarted(let error) = end.ending { throw error }
        return heard.outcomes()
    }

    private static func nothing() throws(SandboxError) -> OwnedDescriptor {
        do throws(Errno) {
            return try .null()
        } catch {
            throw .host(call: "open /dev/null", errno: Int(error.rawValue))
        }
    }

    /// What the probe said.
    private final class Heard: Sendable {
        private let bytes = Mutex<[UInt8]>([])

        func add(_ more: UnsafeRawBufferPointer) {
            bytes.withLock { if $0.count < 64 << 10 { $0.append(contentsOf: more) } }
        }

        func outcomes() -> [String: Outcome] {
            let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }
            var outcomes: [String: Outcome] = [:]
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 2, let outcome = Outcome(rawValue: String(words[1])) else { continue }
                outcomes[String(words[0])] = outcome
            }
            return outcomes
        }
    }
}
