// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// The program that knows how one tool is asked for its index: `presets/NAME` of a plugin directory.
///
/// It runs on the host, in `/` and with the operator's own configuration of the tool: a project's would choose
/// its own hosts.
struct PresetProgram {
    /// A tool that is started for the first time may take some seconds.
    private static let patience = Duration.seconds(30)
    private static let longestAnswer = 64 * 1_024

    let path: FilePath

    /// The one of the first directory that has one; nil where none does.
    init?(_ name: PresetName, in directories: [String]) {
        let paths = directories.map { FilePath($0).appending("presets").appending(name.rawValue) }
        guard let path = paths.first(where: { access($0.string, X_OK) == 0 }) else { return nil }
        self.path = path
    }

    /// What it answers; `mirror` is where the operator has the index.
    ///
    /// Blocks.
    func answer(mirror: IndexURL?, environment: [String]) throws(FieldProblem) -> PresetAnswer {
        let ended: HostCommand.Ended
        do throws(Errno) {
            ended = try HostCommand(
                "/bin/sh",
                // Tools look for settings in the directories above, too, and below /tmp anybody may leave some.
                ["sh", "-c", "cd / && exec \"$@\"", "sh", path.string]
                    + [mirror?.description].compactMap(\.self),
                environment: environment,
                deadline: .now + Self.patience,
                longestOutput: Self.longestAnswer
            ).run()
        } catch {
            throw FieldProblem("\(path) could not be run: \(error)")
        }
        if ended.isLate { throw FieldProblem("\(path) took more than \(Self.patience.inSeconds) seconds") }
        if ended.isTooLong { throw FieldProblem("\(path) printed more than \(Self.longestAnswer) bytes") }
        guard ended.status == .exited(0) else {
            throw FieldProblem(ended.lastWords ?? "\(path) failed (\(ended.status))")
        }
        do throws(FieldProblem) {
            return try PresetAnswer(parsing: ended.output)
        } catch {
            let line = error.line.map { ", line \($0) of its answer" } ?? ""
            throw FieldProblem("\(path)\(line): \(error.message)", hint: error.hint)
        }
    }
}
