// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS

/// Where the tools that the operator named have their indexes.
package struct ToolIndexes: Hashable, Sendable {
    package private(set) var answers: [PresetName: PresetAnswer] = [:]
    /// Why there is nothing of a tool, or not all; its index can not be reached.
    package private(set) var problems: [PresetName: FieldProblem] = [:]
    /// The passwords of the mirrors' addresses: a program is told these without.
    private var ofMirrors: [HostSecret] = []

    package init() {}

    /// Asks every tool of the settings once, by the programs of the plugin directories; the first that has one counts.
    ///
    /// `environment` (`NAME=value`) is the operator's.
    package init(
        asking settings: NetworkSettings,
        in directories: [String],
        environment: [String]
    ) async {
        let names = Set(settings.presets).union(settings.mirrors.keys)
        // What is meant for Drydock is nothing to a tool.
        let environment = environment.filter { !$0.hasPrefix("DRYDOCK_") }
        await withTaskGroup { group in
            for name in names {
                group.addTask {
                    await Blocking.run {
                        (name, Self.ask(name, settings.mirrors[name], directories, environment))
                    }
                }
            }
            for await (name, answer) in group { take(name, answer) }
        }
        for (name, url) in settings.mirrors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            do throws(FieldProblem) {
                if let secret = try HostSecret.ofIndex(url) { ofMirrors.append(secret) }
            } catch {
                problems[name] = FieldProblem("the mirror at \(url.host) \(error.message)", hint: error.hint)
            }
        }
    }

    private mutating func take(_ name: PresetName, _ answer: Result<PresetAnswer, FieldProblem>) {
        switch answer {
        case .success(let answer):
            answers[name] = answer
            problems[name] = answer.locked
        case .failure(let problem): problems[name] = problem
        }
    }

    private static func ask(
        _ name: PresetName,
        _ mirror: IndexURL?,
        _ directories: [String],
        _ environment: [String]
    ) -> Result<PresetAnswer, FieldProblem> {
        guard let program = PresetProgram(name, in: directories) else {
            return .failure(
                FieldProblem(
                    "no plugin directory has a program presets/\(name)",
                    hint: "name the hosts with network.allow"
                )
            )
        }
        return Result { () throws(FieldProblem) in
            try program.answer(mirror: mirror, environment: environment)
        }
    }

    /// Allows what the tools need.
    package func grant(to policy: inout NetworkPolicy) {
        for (name, answer) in answers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            policy.add(name, answer.rules)
        }
    }

    /// The passwords of mirrors' and indexes' addresses.
    var secrets: [HostSecret] {
        ofMirrors + answers.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value.secrets)
    }

    /// What a step with this policy is told: of the tools whose indexes it may reach, where these are.
    func variables(for policy: NetworkPolicy) -> [String: String] {
        answers.values.reduce(into: [:]) { variables, answer in
            guard let index = answer.rules.first,
                policy.rules.contains(where: { $0.narrowed(to: index) != nil })
            else { return }
            variables.merge(answer.variables) { one, _ in one }
        }
    }
}
