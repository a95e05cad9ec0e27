// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore

/// The command `drydock rootfs`.
struct RootfsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rootfs",
        abstract: "The root file systems that projects may ask for by name: imports, lists and removes them.",
        discussion: """
            A project whose drydock.yaml says `rootfs: debian12` has its steps run in that one, instead of this machine's own \
            toolchain.

            EXAMPLES
              drydock rootfs import debian12 ./image
              drydock rootfs list
              drydock rootfs remove debian12
            """,
        subcommands: [RootfsImportCommand.self, RootfsListCommand.self, RootfsRemoveCommand.self]
    )

    /// The name that was typed, as one.
    static func name(_ text: String, for command: String) throws(CommandProblem) -> RootName {
        if let name = RootName(rawValue: text) { return name }
        throw CommandProblem(
            .usage,
            "rootfs \(command) \(text)",
            why: "that is no name for a root file system",
            remedy: "use \(RootName.rule)"
        )
    }

    static func busy(_ command: String) -> CommandProblem {
        CommandProblem(
            .unavailable,
            "rootfs \(command)",
            why: "another root file system is being imported or removed",
            remedy: "wait until that has ended"
        )
    }
}

/// The command `drydock rootfs list`.
struct RootfsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the root file systems that were imported.",
        discussion: """
            EXAMPLES
              drydock rootfs list
              drydock rootfs list --json
            """
    )

    @OptionGroup var place: PlaceOptions
    @Flag(help: "One JSON array.") var json = false

    func run() async throws {
        let store = try await place.existingStore()
        let entries = try await Blocking.run {
            try store.map { try RootFileSystems(in: $0.directory.roots).entries() } ?? []
        }
        if json { return try Console.json(entries) }
        if entries.isEmpty {
            return Console.out("no root file system was imported: `drydock rootfs import NAME PATH` does")
        }
        let width = (entries.map { $0.name.rawValue.count }.max() ?? 0) + 2
        for entry in entries {
            Console.out(
                TerminalText.plain(
                    "\(entry.name.rawValue.padded(to: width))sha256:\(entry.digest.hex.prefix(12))  "
                        + "\(entry.files) files, \(entry.size), from \(entry.source)"
                )
            )
        }
    }
}

/// The command `drydock rootfs remove`.
struct RootfsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Removes a root file system; builds that run in it go on.",
        discussion: """
            EXAMPLES
              drydock rootfs remove debian12
            """
    )

    @OptionGroup var place: PlaceOptions
    @Argument(help: "Its name.") var name: String

    func run() async throws {
        let root = try RootfsCommand.name(name, for: "remove")
        let store = try await place.requiredStore()
        let roots = RootFileSystems(in: store.directory.roots)
        do {
            if try await Blocking.run({ try roots.remove(root) }) { return Console.out("removed \(root)") }
        } catch is RootFileSystems.Busy {
            throw RootfsCommand.busy("remove")
        }
        let names = try roots.entries().map(\.name.rawValue)
        throw CommandProblem(
            .usage,
            "rootfs remove \(name)",
            why: "no root file system of that name was imported",
            remedy: names.isEmpty ? "there are none" : "there are: " + names.joined(separator: ", ")
        )
    }
}
