// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import FoundationEssentials
internal import SystemPackage

/// The command `drydock plugin new`.
struct PluginNewCommand: AsyncParsableCommand {
    enum Language: String, ExpressibleByArgument, CaseIterable {
        case sh
        case python
    }

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case guest
        case driver
    }

    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Begins a plugin: a folder with a manifest and a program that works.",
        discussion: """
            A plugin in sh is a guest, which runs in the build's sandbox, unless --kind says driver; one in Python is a
            driver, which decides and asks the host to run commands. A driver gets the helpers of its language, in the
            directory's `lib`. docs/plugin-tutorial.md leads through all of it.

            EXAMPLES
              drydock plugin new zip --language sh
              drydock plugin new tables --language sh --kind driver
              drydock plugin new docs --language python --into ./plugins
            """
    )

    @Argument(help: "The plugin's name: \(PluginName.rule).") var name: String
    @Option(help: "The language of its program.") var language = Language.sh
    @Option(help: "Where it runs. Default: in sh a guest, in Python a driver.") var kind: Kind?
    @Option(
        help: ArgumentHelp(
            "The plugin directory. Default: your own, ~/.config/drydock/plugins.",
            valueName: "dir"
        )
    )
    var into: String?
    @Option(help: "The two digits that give its place among the others.") var order = 50

    func validate() throws {
        guard PluginName(rawValue: name) != nil else {
            throw ValidationError("'\(name)' is no plugin name: \(PluginName.rule)")
        }
        guard (10...99).contains(order) else { throw ValidationError("--order takes two digits, 10 to 99") }
        guard language != .python || kind != .guest else {
            throw ValidationError("a guest begins in sh: leave out --kind, or use --language sh")
        }
    }

    func run() async throws {
        let template = PluginTemplate(name: name, language: language, kind: kind ?? language.usualKind)
        let directory = FilePath(into ?? Self.own)
        let folder = directory.appending("\(order)-\(name)")
        do {
            try makeDirectories(directory, permissions: 0o755)
            guard !FileManager.default.fileExists(atPath: folder.string) else {
                throw CommandProblem(
                    .usage,
                    folder.string,
                    why: "it is there already",
                    remedy: "choose another name"
                )
            }
            // First what may be missing: no half of a plugin is left behind.
            if let helper = template.helper { try bring(helper, to: directory.appending("lib")) }
            try makeDirectories(folder, permissions: 0o755)
            for file in template.files {
                try NamedFile.write(Array(file.text.utf8), to: folder.appending(file.name).string)
                try FileManager.default.setAttributes(
                    [.posixPermissions: file.isExecutable ? 0o755 : 0o644],
                    ofItemAtPath: folder.appending(file.name).string
                )
            }
        } catch let error as Errno {
            throw CommandProblem(
                .usage,
                folder.string,
                why: "\(error)",
                remedy: "name a directory of yours with --into"
            )
        }
        Console.out("made \(folder)")
        for line in [
            "try it:  drydock plugin check \(folder)",
            "         drydock build --plugins \(directory) PROJECT   (a project with a file \(PluginTemplate.trigger(name)))",
        ] { Console.out(line) }
    }

    /// Copies the helpers that the plugins which ship have, unless the directory has its own.
    private func bring(_ helper: String, to library: FilePath) throws {
        let target = library.appending(helper)
        guard !FileManager.default.fileExists(atPath: target.string) else { return }
        guard let shipped = try Installation().plugins else {
            throw CommandProblem(
                .unavailable,
                target.string,
                why: "the plugins that come with Drydock were not found, and with them not \(helper)",
                remedy: "copy lib/\(helper) there"
            )
        }
        do throws(Errno) {
            try makeDirectories(library, permissions: 0o755)
            try NamedFile.write(try NamedFile.bytes("\(shipped)/lib/\(helper)"), to: target.string)
        } catch {
            throw CommandProblem(
                .usage,
                target.string,
                why: "\(error)",
                remedy: "name a directory of yours with --into"
            )
        }
        Console.out("made \(target)")
    }

    private static var own: String {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? "")/.config"
        return "\(base)/drydock/plugins"
    }
}

extension PluginNewCommand.Language {
    fileprivate var usualKind: PluginNewCommand.Kind { self == .sh ? .guest : .driver }
}
