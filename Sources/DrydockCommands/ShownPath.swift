// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import DrydockSandbox
internal import Glibc
internal import SystemPackage

/// A path of this machine that a sandbox shows where it is: `--read-only`.
enum ShownPath {
    /// The mount that shows `path`; a problem where there is nothing to show.
    static func mount(_ path: String) throws(CommandProblem) -> SandboxMount {
        let option = "--read-only \(path)"
        var asNamed = stat()
        guard !path.isEmpty, stat(path, &asNamed) == 0 else {
            let why = path.isEmpty ? "it is empty" : "\(Errno.current)"
            throw CommandProblem(.usage, option, why: why, remedy: "name a directory or file that is there")
        }
        let plain = FilePath(path.absolutePath).lexicallyNormalized().string
        var found = stat()
        guard lstat(plain, &found) == 0, found.st_mode & S_IFMT != S_IFLNK,
            found.st_ino == asNamed.st_ino, found.st_dev == asNamed.st_dev
        else {
            // The jail follows no link at the end, and `..` behind one leads elsewhere than the text says.
            throw CommandProblem(
                .usage,
                option,
                why: "it leads over a symbolic link",
                remedy: "name what that leads to" + (realPathOf(path).map { ", \($0)" } ?? "")
            )
        }
        guard plain != "/" else {
            throw CommandProblem(
                .usage,
                option,
                why: "the whole machine can not be shown",
                remedy: "name the directories that the command needs"
            )
        }
        return SandboxMount(source: plain, target: plain, access: .readOnly)
    }
}
