// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockSandbox

/// The command `drydock sandbox prove`.
struct SandboxProveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Attacks a sandbox from inside, and says what held.",
        discussion: """
            Harmless attacks, each ended after two seconds. A worker makes them when it starts and every hour. The exit status is 1
            when one of them succeeded.

            EXAMPLES
              drydock sandbox prove
            """
    )

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let configuration = try place.configuration()
        let installation = try Installation()
        // The group first: without it the sandbox would have less than builds get.
        _ = try installation.launcher()
        let prover = try installation.prover(policy: configuration.policy)
        let proof: SandboxProof
        do throws(SandboxError) {
            proof = try await prover.prove()
        } catch {
            throw error.problem("the proof of the sandbox", command: "drydock-probe")
        }
        for name in proof.held { Console.out("held      \(name)") }
        for name in proof.inconclusive { Console.out("unsure    \(name)") }
        for name in proof.breached { Console.out("SUCCEEDED \(name)") }
        Console.out("\(proof.words)")
        if let failure = proof.failure {
            Console.error("drydock: \(failure.message): \(failure.hint ?? "")")
            throw ExitCode(1)
        }
    }
}
