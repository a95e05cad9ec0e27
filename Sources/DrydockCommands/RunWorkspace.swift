// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import DrydockWorker
internal import Glibc
internal import SystemPackage

/// The workspace that a command on the command line runs in, in a folder of its own.
struct RunWorkspace {
    let workspace: Workspace
    private let folder: RunFolder

    /// Makes it, on a disk of its own that holds `disk` where this machine can do that and it does not stay, and copies
    /// `source` in.
    init(_ lifetime: RunFolder.Lifetime, copyOf source: String?, disk: ByteCount) throws(CommandProblem) {
        let folder = try RunFolder.made(lifetime, for: lifetime.command, orExit: lifetime.notMade)
        self.folder = folder
        var made: Workspace?
        do {
            let image = lifetime == .process ? try Self.image(in: folder.path, holding: disk) : nil
            made = try Self.workspace(in: folder.path, on: image)
            if let made, let source { try Self.fill(made, source, lifetime) }
        } catch {
            try? made?.remove()  // the first error is the one to tell
            try? folder.remove()
            throw Self.problem(error, source: source, lifetime)
        }
        guard let made else { preconditionFailure("made, or thrown") }
        workspace = made
    }

    /// Removes it; once the sandbox has ended.
    func discard() {
        do {
            try workspace.remove()
            try folder.remove()
        } catch {
            Console.error("drydock: \(folder.path): could not be removed: \(error)")
        }
    }

    /// Nil where this machine makes no disk images, which is said to who could have expected one.
    private static func image(in folder: FilePath, holding disk: ByteCount) throws -> DiskImage? {
        if let problem = DiskImageCheck.tryOut(in: folder) {
            let text = "drydock: run: the disk limit is only watched, not kept: \(problem)"
            if geteuid() == 0 { Console.error(TerminalText.plain(text)) }
            return nil
        }
        let disks = WorkspaceDisk(.own(prefix: RunFolder.prefix))
        guard case .made(let image) = try disks.make("run", in: folder, holding: disk) else { return nil }
        return image
    }

    private static func workspace(in folder: FilePath, on image: DiskImage?) throws -> Workspace {
        let contents = Workspace.Contents(owner: Installation.workspaceOwner)
        if let image { return try Workspace(on: image, contents) }
        return try Workspace(below: folder, name: "run", contents)
    }

    private static func fill(
        _ workspace: Workspace,
        _ source: String,
        _ lifetime: RunFolder.Lifetime
    ) throws {
        let copied = try workspace.take(FilePath(source), owner: Installation.workspaceOwner)
        guard copied.leftOut > 0 else { return }
        let more = copied.leftOut - copied.examplesLeftOut.count
        let names = copied.examplesLeftOut.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        let text =
            "drydock: \(lifetime.command): left out of the workspace, as links that lead out of it, devices, fifos "
            + "and sockets are: \(names)"
        Console.error(TerminalText.plain(text))
    }

    private static func problem(
        _ error: any Error,
        source: String?,
        _ lifetime: RunFolder.Lifetime
    ) -> CommandProblem {
        let status = lifetime.notMade
        guard let failure = error as? Failure else {
            let why = "the workspace can not be made: \(error)"
            return CommandProblem(status, lifetime.command, why: why, remedy: "see `drydock doctor`")
        }
        if failure.fault == .user {
            let what = source.map { "--workspace \($0)" } ?? lifetime.command
            return CommandProblem(what, failure, status: status)
        }
        if failure.code == .diskFull {
            let remedy =
                "ask for more or less with --limit disk=SIZE, or set TMPDIR to a directory with more room"
            return CommandProblem(status, lifetime.command, why: failure.message, remedy: remedy)
        }
        return CommandProblem(lifetime.command, failure, status: status)
    }
}

extension RunFolder.Lifetime {
    /// The command that it belongs to.
    var command: String { self == .process ? "run" : "sandbox spec" }

    /// What the command says to the shell when there is no workspace.
    fileprivate var notMade: ExitStatus { self == .process ? .notSetUp : .errored }
}
