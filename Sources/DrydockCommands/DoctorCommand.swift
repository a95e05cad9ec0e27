// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockSandbox

/// The command `drydock doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what this machine can do, what is missing, and how to get it.",
        discussion: """
            It tries: a sandbox is set up and looked at from the inside. The exit status is 0 when builds can run.

            EXAMPLES
              drydock doctor
              drydock doctor --json
            """
    )

    @Flag(help: "JSON instead of text.") var json = false

    func run() async throws {
        HostCgroup.prepare()
        var report = await SandboxDoctor.examine()
        report.checks += SandboxDoctor.host()
        if json {
            try Console.json(report)
        } else {
            for line in report.lines { Console.wrapped(line, indent: 4) }
        }
        if !report.canBuild() { throw ExitStatus.unavailable.code }
    }
}
