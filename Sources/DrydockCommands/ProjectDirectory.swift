// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import SystemPackage

/// A directory that a command names as its project.
enum ProjectDirectory {
    /// Its real path: what a project on the command line is called by.
    static func resolve(_ directory: String, for command: String) throws -> String {
        guard let path = realPathOf(directory), (try? DirectoryHandle(path: FilePath(path))) != nil else {
            throw CommandProblem(
                .usage,
                "\(command) \(directory)",
                why: "it is not a directory that can be read",
                remedy: "name the project's directory, as in `drydock \(command) .`"
            )
        }
        return path
    }
}
