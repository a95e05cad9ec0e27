// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// The command line: takes the arguments, runs one command, answers with an exit status.
package enum DrydockMain {
    /// Opens what is missing of descriptors 0 to 2 on `/dev/null`: a file of ours would get the number, and be written to
    /// as if it were the terminal.
    ///
    /// Before anything else is opened.
    package static func fillStandardDescriptors() {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDWR)  // the lowest free number is this one
        }
    }

    /// Gives a command that mounts the disks of workspaces mounts of its own: what it leaves when it is killed goes with it.
    ///
    /// For the main thread, before anything is awaited: no other thread may be there yet. Ends the program where the
    /// kernel refuses: what it mounted would stay on the machine.
    package static func separateMounts(_ arguments: [String]) {
        guard let command = arguments.first, mounting.contains(command) else { return }
        do throws(Errno) {
            try MountNamespace.separate()
        } catch .notPermitted {
            // An ordinary user, who makes no mounts either.
        } catch {
            // The doctor says itself what this machine lacks; a chroot is one that refuses.
            if command == "doctor" { return }
            let problem = CommandProblem(
                .unavailable,
                command,
                why: "no mounts of its own: unshare: \(error)",
                remedy: "`drydock doctor` tells what this machine lacks"
            )
            Console.error(TerminalText.plain(problem.text))
            exit(problem.status.rawValue)
        }
    }

    private static let mounting = ["build", "doctor", "plan", "run", "worker"]

    /// Runs `drydock` with `arguments` (without the program's own name) and returns its exit status.
    package static func run(_ arguments: [String]) async -> Int32 {
        // A reader that goes away is an error of the write, not the end of this process; children start with defaults.
        signal(SIGPIPE, SIG_IGN)
        let status = await carryOut(arguments)
        guard let problem = Console.lostOutput else { return status }
        Console.error(TerminalText.plain(problem.text))
        return status == ExitStatus.succeeded.rawValue ? problem.status.rawValue : status
    }

    private static func carryOut(_ arguments: [String]) async -> Int32 {
        do {
            try refuseUnknownCommand(arguments)
            var command = try DrydockCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return ExitStatus.succeeded.rawValue
        } catch let problem as CommandProblem {
            Console.error(TerminalText.plain(problem.text))
            return problem.status.rawValue
        } catch let status as ExitCode {
            return status.rawValue
        } catch {
            return explain(error, arguments)
        }
    }

    /// Help goes to stdout and is no error; what the parser can not take goes to stderr with status 64.
    private static func explain(_ error: any Error, _ arguments: [String]) -> Int32 {
        let status = DrydockCommand.exitCode(for: error)
        let message = DrydockCommand.fullMessage(for: error)
        if status == .success {
            Console.out(message)
            return ExitStatus.succeeded.rawValue
        }
        if status == .validationFailure {
            let why = DrydockCommand.message(for: error).split(whereSeparator: \.isNewline)
                .map { $0.drop { $0 == " " } }.joined(separator: " ")
            let path = commandPath(arguments)
            let what = path.isEmpty ? "the command line" : path
            let remedy =
                "see `\((["drydock", path, "--help"].filter { !$0.isEmpty }).joined(separator: " "))`"
            let problem = CommandProblem(
                .usage,
                what,
                why: why.hasSuffix(".") ? String(why.dropLast()) : why,
                remedy: remedy
            )
            Console.error(TerminalText.plain(problem.text))
            return ExitStatus.usage.rawValue
        }
        Console.error("drydock: internal error: \(error): please report this with the command that led to it")
        return ExitStatus.bug.rawValue
    }

    /// The command that was asked for, as it is typed behind `drydock`: `plugin list`.
    private static func commandPath(_ arguments: [String]) -> String {
        var command: any ParsableCommand.Type = DrydockCommand.self
        var path: [String] = []
        for word in arguments {
            let known = command.configuration.subcommands
            guard let next = known.first(where: { $0._commandName == word }) else { break }
            command = next
            path.append(word)
        }
        return path.joined(separator: " ")
    }

    /// The parser takes an unknown command for an unexpected argument; this says which one was meant.
    private static func refuseUnknownCommand(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = DrydockCommand.self
        var path = "drydock"
        for word in arguments {
            let known = command.configuration.subcommands
            guard !known.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            guard let next = known.first(where: { $0._commandName == word }) else {
                let names = known.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
                let nearest = Spelling.nearest(word, in: names)
                throw CommandProblem(
                    .usage,
                    "\(path) \(word)".replacing("drydock ", with: "", maxReplacements: 1),
                    why: "there is no such command",
                    remedy: nearest.map { "did you mean `\(path) \($0)`?" } ?? "`\(path) --help` lists them"
                )
            }
            command = next
            path += " \(word)"
        }
    }
}

/// The root of the command tree.
struct DrydockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drydock",
        abstract: "Builds projects nobody has vouched for, in sandboxes, and shows them live.",
        discussion: """
            EXAMPLES
              drydock build .                       build this directory, progress in the terminal
              drydock run -- make -j2               one command in the sandbox
              drydock serve                         API, live streams and previews on 127.0.0.1:8080
              drydock doctor                        what this machine can do, and what is missing
            """,
        version: DrydockVersion.text,
        subcommands: [
            BuildCommand.self, RunCommand.self, ServeCommand.self, WorkerCommand.self, PlanCommand.self,
            ListCommand.self, ShowCommand.self, LogsCommand.self, CancelCommand.self,
            ArtifactsCommand.self, TokenCommand.self, AuditCommand.self, BackupCommand.self,
            GarbageCommand.self,
            RootfsCommand.self, PluginCommand.self, SandboxCommand.self,
            DoctorCommand.self,
            UnpackCommand.self,
            UnpackLayerCommand.self,
            FetchCommand.self,
        ]
    )
}
