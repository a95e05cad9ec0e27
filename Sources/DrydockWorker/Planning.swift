// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import SystemPackage

/// Works out a build's plan: from the project's own file, or by asking the plugins.
struct Planning {
    let run: BuildRun
    let snapshot: Snapshot

    /// The plan, clipped by the operator's policy, with every plugin that it names there and usable.
    func plan() async throws -> Planned {
        let file = try projectFile()
        let policy = OperatorPolicy(limits: run.shop.options.limits)
        if let file, !file.steps.isEmpty {
            for step in file.steps { try requirePlugin(step) }
            return Planned(plan: file.plan(clippedBy: policy), why: "\(ProjectFile.name) says so")
        }
        let detected = try await detect()
        let asked = file ?? ProjectFile.empty
        return Planned(plan: asked.plan(clippedBy: policy, detected: detected.steps), why: detected.why)
    }

    private func projectFile() throws -> ProjectFile? {
        do {
            let name = TreePath.root.appending(ProjectFile.name.utf8)
            let file = try snapshot.open().openFile(name, .read)
            return try ProjectFile(parsing: try file.withDescriptor { try Self.contents(of: $0) })
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch Errno.tooManySymbolicLinkLevels {
            throw Failure(.configInvalid, .user, "\(ProjectFile.name) is a symbolic link", hint: "put the file itself there")
        }
    }

    /// The file's bytes; one more than the parser takes at the most, so that it says what is wrong.
    private static func contents(of file: FileDescriptor) throws -> [UInt8] {
        guard try fileStatus(of: file).kind == .file else {
            throw Failure(.configInvalid, .user, "\(ProjectFile.name) is not a regular file")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= ProjectFile.longest {
            let count = try FileContents.read(file, into: &buffer)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
