// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockProtocol
internal import DrydockSandbox
internal import DrydockWorker

/// The command `drydock plan`.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Says which plugins recognise a directory and why, and the plan; builds nothing.",
        discussion: """
            EXAMPLES
              drydock plan .
              drydock plan --json examples/c-hello
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions
    @OptionGroup var project: ProjectOptions
    @Flag(help: "The plan as JSON, as the journal's record `plan` has it.") var json = false
    @Argument(help: "The project's directory.") var directory: String

    func run() async throws {
        let (part, parameters) = (try project.part(), try project.parameters())
        let path = try ProjectDirectory.resolve(directory, for: "plan")
        let shop = try await place.workshop(store: place.openStore(), plugins: plugins)
        let survey: PlanSurvey
        do {
            survey = try await PlanSurvey.make(of: path, part, parameters, shop: shop) { plugin, line in
                Console.error(TerminalText.plain("\(plugin): \(line)"))
            }
        } catch let failure as Failure {
            throw CommandProblem("plan \(directory)", failure)
        }
        if json {
            return Console.out(
                String(decoding: JournalCodec.fields(of: .plan(survey.planned)), as: UTF8.self)
            )
        }
        for candidate in survey.candidates {
            Console.wrapped(
                TerminalText.plain(
                    "\(candidate.plugin.rawValue.padded(to: 12)) \("\(candidate.score)".padded(to: 4)) \(candidate.why)"
                ),
                indent: 18
            )
        }
        Console.wrapped("plan: \(TerminalText.plain(survey.planned.why))", indent: 6)
        for step in survey.planned.plan.steps {
            let needs =
                step.needs.isEmpty ? "" : ", after " + step.needs.map(\.rawValue).joined(separator: ", ")
            Console.wrapped(
                TerminalText.plain("  \(step.id): \(step.title) (plugin \(step.plugin)\(needs))"),
                indent: 4
            )
        }
        Console.wrapped("policy: \(PolicyExplanation.line(of: survey.planned.plan.policy))", indent: 8)
        for clipped in survey.planned.plan.clipped {
            Console.wrapped(TerminalText.plain("  \(clipped)"), indent: 4)
        }
        for notice in survey.planned.plan.notices { Console.wrapped("  \(notice)", indent: 4) }
    }
}
