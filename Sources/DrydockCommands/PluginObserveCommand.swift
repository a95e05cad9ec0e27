// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockObservers
internal import DrydockPlugins
internal import DrydockProtocol
internal import DrydockSandbox
internal import FoundationEssentials
internal import SystemPackage

/// The command `drydock plugin observe`.
struct PluginObserveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "observe",
        abstract: "Shows what is read off a command's output, which it takes on standard input.",
        discussion: """
            One JSON object a line: progress, units, and diagnostics, as the observers chosen for the command
            tell them. Runs nothing.

            EXAMPLES
              make 2>&1 | drydock plugin observe -- make
              drydock plugin observe --plugins ./plugins --source . -- ninja -C build < ninja.log
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions

    @Option(
        help: ArgumentHelp(
            "The project's directory: a place counts only where its file is in it.",
            valueName: "dir"
        )
    )
    var source = "."

    @Option(help: ArgumentHelp("The same, as a list of the project's files, one a line.", valueName: "file"))
    var files: String?

    @Option(
        help: ArgumentHelp(
            "An observer to use instead of those of the command's programs (repeatable).",
            valueName: "name"
        )
    )
    var observer: [String] = []

    @Argument(parsing: .postTerminator, help: "The command whose output it is.")
    var command: [String] = []

    func run() async throws {
        let catalog = PluginCatalog.load(directories: try plugins.all(place.configuration()))
        for invalid in catalog.invalid { Console.error("\(invalid.path): \(invalid.reason)") }
        for name in observer where catalog.observers.observers[ObserverName(unchecked: name)] == nil {
            let names = catalog.observers.observers.keys.map(\.rawValue).sorted()
            throw CommandProblem(
                .usage,
                "--observer \(name)",
                why: "there is no observer of that name",
                remedy: Spelling.nearest(name, in: names).map { "did you mean \($0)?" }
                    ?? "there are " + names.joined(separator: ", ")
            )
        }
        let isInSource = try sourceFiles()
        var reader = CommandObserver(
            command,
            named: observer.map { ObserverName(unchecked: $0) },
            catalog: catalog.observers,
            places: SourcePlaces(root: InsidePath.source, directory: "", isInSource: isInSource),
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
        var splitter = LineSplitter()
        let show = { (observation: CommandObserver.Observation) in Console.bytes(observation.line) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = try buffer.withUnsafeMutableBytes({
            try FileDescriptor.standardInput.read(into: $0)
        }),
            count > 0
        {
            buffer.withUnsafeBytes { bytes in
                splitter.push(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { segment in
                    reader.observe(segment.bytes, isOverwritten: segment.end == .overwritten, show)
                }
            }
        }
        splitter.finish { reader.observe($0.bytes, isOverwritten: $0.end == .overwritten, show) }
        reader.finish(show)
    }

    private func sourceFiles() throws -> @Sendable (String) -> Bool {
        guard let files else {
            let root = source
            return { FileManager.default.fileExists(atPath: "\(root)/\($0)") }
        }
        let lines = try NamedFile.bytes(files).split(separator: UInt8(ascii: "\n"))
        let listed = Set(lines.map { String(decoding: $0, as: UTF8.self) })
        return { listed.contains($0) }
    }
}

extension CommandObserver.Observation {
    /// One line of JSON.
    fileprivate var line: [UInt8] {
        var fields: [String: JSON]
        switch self {
        case .progress(let current, let total, let unit):
            fields = ["progress": .number(current), "total": .number(total)]
            fields["unit"] = unit.map(JSON.string)
        case .units(let unit, let seen, let total):
            fields = ["units": .string(unit), "seen": .number(Double(seen))]
            fields["total"] = total.map { .number(Double($0)) }
        case .diagnostic(let diagnostic, let isConsequence):
            fields = [
                "severity": .string(diagnostic.severity.rawValue), "message": .string(diagnostic.message),
            ]
            fields["file"] = diagnostic.file.map(JSON.string)
            fields["line"] = diagnostic.line.map { .number(Double($0)) }
            fields["column"] = diagnostic.column.map { .number(Double($0)) }
            fields["code"] = diagnostic.code.map(JSON.string)
            if isConsequence { fields["consequence"] = .bool(true) }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON of texts and numbers can always be written.
        return [UInt8]((try? encoder.encode(fields)) ?? Data()) + [UInt8(ascii: "\n")]
    }
}
