// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel

/// Which project of a directory, and with what: of every command that builds or plans one.
struct ProjectOptions: ParsableArguments {
    @Option(
        name: .customLong("directory"),
        help: ArgumentHelp(
            "Where in the directory the project is; all of it stays the source.",
            valueName: "sub"
        )
    )
    var subdirectory: String?

    @Option(
        name: .customLong("param"),
        help: ArgumentHelp(
            "A value for a parameter that the project declares (repeatable); never a secret.",
            valueName: "name=value"
        )
    )
    var pairs: [String] = []

    /// The directory of the project, from the top of the source.
    func part() throws -> RelativePath {
        guard let subdirectory else { return .top }
        do throws(PathProblem) {
            return try RelativePath(parsing: subdirectory)
        } catch {
            throw CommandProblem(
                .usage,
                "--directory \(subdirectory.prefix(200))",
                why: "it \(error.explanation)",
                remedy: "write it as seen from the project's directory, such as services/api"
            )
        }
    }

    func parameters() throws -> BuildParameters {
        do throws(FieldProblem) {
            return try BuildParameters(pairs: pairs)
        } catch {
            throw CommandProblem(.usage, "--param", why: error.sentence, remedy: BuildParameters.rule)
        }
    }
}
