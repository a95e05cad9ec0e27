// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockEgress
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

    @Option(help: "The configuration. Default: /etc/drydock/config.yaml, if it is there.") var config: String?
    @Flag(help: "JSON instead of text.") var json = false

    func run() async throws {
        HostCgroup.prepare()
        var report = await SandboxDoctor.examine()
        report.checks += SandboxDoctor.host()
        let (configuration, tools) = try await PlaceOptions.parse(config.map { ["--config", $0] } ?? [])
            .askedConfiguration()
        let policy = PolicyExplanation.line(of: configuration.policy(tools))
        report.checks.append(DoctorReport.Check(name: "policy", isOK: true, detail: "builds get \(policy)"))
        report.checks.append(network(configuration, tools))
        if let check = SecretsReading.check(configuration) { report.checks.append(check) }
        if json {
            try Console.json(report)
        } else {
            for line in report.lines { Console.wrapped(line, indent: 4) }
        }
        if !report.canBuild() { throw ExitStatus.unavailable.code }
    }

    /// What builds may reach, as tools say it now: nothing is missing where that is nothing.
    private func network(_ configuration: ServerConfiguration, _ tools: ToolIndexes) -> DoctorReport.Check {
        let policy = configuration.policy(tools).network
        let none =
            "builds reach no host; one line of the configuration grants some to those that ask, such as "
            + "network: { presets: [pip, npm] }"
        let hosts = policy.rules.map(\.description).joined(separator: ", ")
        let granted = policy.isNone ? none : "builds that ask for them reach \(hosts)"
        let cached = EgressSettings(configuration.network, tools: tools).wordsOfCache
        return DoctorReport.Check(
            name: "network",
            isOK: tools.problems.isEmpty,
            detail: ([granted] + cached + tools.words).joined(separator: "; ")
        )
    }
}
