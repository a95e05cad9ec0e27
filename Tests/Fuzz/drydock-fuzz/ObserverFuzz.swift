// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Glibc

@testable import DrydockObservers
@testable import DrydockProtocol

/// What a build prints, read by the observers that ship, and the command that chooses them.
enum ObserverFuzz {
    /// Programs that one command may name.
    private static let mostPrograms = 32
    /// What one line may tell: what was open ends, and something of its own.
    private static let mostTold = 40

    /// The input as a line of shell, and as the words of a command.
    static func command(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        check(CommandWords.programs(of: ["sh", "-c", text]))
        check(CommandWords.programs(of: text.split(separator: "\n").map(String.init)))
        check(
            CommandWords.programs(
                of: ["sh", "-ec", "shift; \"$@\"", "sh"] + text.split(separator: " ").map(String.init)
            )
        )
    }

    private static func check(_ programs: [String]) {
        precondition(programs.count <= mostPrograms)
        precondition(programs.allSatisfy { !$0.isEmpty && !$0.contains("/") })
    }

    /// A line with a pattern, then lines: the automaton finds what the machine finds, and a group lies in its line.
    static func pattern(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = lines.first, lines.count == 2,
            let pattern = try? LinePattern(String(decoding: first, as: UTF8.self))
        else { return }
        let program = PatternProgram([pattern])
        var scanner = PatternScanner(program)
        var found: [Int] = []
        for line in lines[1].split(separator: 0x0A, omittingEmptySubsequences: false) {
            Array(line).withUnsafeBytes { line in
                scanner.scan(line, &found)
                let match = PatternMatch(program, pattern: 0, groups: pattern.groups, line)
                precondition(found == (match == nil ? [] : [0]))
                for group in 0...pattern.groups {
                    guard let range = match?.range(group) else { continue }
                    precondition(range.lowerBound >= 0 && range.upperBound <= line.count)
                }
            }
        }
    }

    /// The first line is a command, the first byte of the next says how its output comes: how it is cut must not change what it tells.
    static func output(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let size = parts[1].first else { return }
        let command = ["sh", "-c", String(decoding: parts[0], as: UTF8.self)]
        let output = Array(parts[1].dropFirst())
        let whole = observe(command, output, pieces: max(1, output.count))
        precondition(observe(command, output, pieces: Int(size) + 1) == whole)
    }

    private static func observe(
        _ command: [String],
        _ output: [UInt8],
        pieces: Int
    ) -> [CommandObserver.Observation] {
        // Some names are files of the source; whatever is asked for lies in it.
        let places = SourcePlaces(
            root: "/w/s",
            directory: "sub",
            isInSource: { path in
                precondition(isInside(path))
                return path.utf8.last.map { $0 % 4 != 0 } ?? false
            },
            search: { ending in
                precondition(isInside(ending))
                return ending.utf8.count % 3 == 0 ? "far/\(ending)" : nil
            }
        )
        var observer = CommandObserver(
            command,
            catalog: catalog,
            places: places,
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
        var told: [CommandObserver.Observation] = []
        func read(_ segment: OutputSegment) {
            let before = told.count
            observer.observe(segment.bytes, isOverwritten: segment.end == .overwritten) { told.append($0) }
            precondition(told.count - before <= mostTold)
        }
        var splitter = LineSplitter()
        for start in stride(from: 0, to: output.count, by: pieces) {
            let piece = Array(output[start..<min(start + pieces, output.count)])
            piece.withUnsafeBytes { splitter.push($0, read) }
        }
        splitter.finish(read)
        observer.finish { told.append($0) }
        for observation in told { check(observation) }
        return told
    }

    private static func check(_ observation: CommandObserver.Observation) {
        switch observation {
        case .progress(let current, let total, _):
            precondition(current >= 0 && total > 0 && current <= total && total.isFinite)
        case .units(let unit, let seen, let total):
            precondition(!unit.isEmpty && seen >= 0 && seen <= total ?? seen)
        case .diagnostic(let found, _):
            precondition(!found.message.isEmpty && found.message.count <= 1_000)
            precondition(found.line ?? 1 > 0 && found.column ?? 1 > 0)
            precondition(found.file.map(isInside) ?? (found.line == nil && found.column == nil))
        }
    }

    private static func isInside(_ path: String) -> Bool {
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0 != "." && $0 != ".."
        }
    }

    /// The observers that ship, read from the checkout that the program runs in.
    private static let catalog: ObserverCatalog = {
        let folder = "plugins/observers"
        var observers: [Observer] = []
        let bounds = JSONBounds(depth: 16, fields: 4_096, elements: 4_096)
        for file in names(in: folder).sorted() where file.hasSuffix(".json") {
            let name = ObserverName(unchecked: String(file.dropLast(5)))
            let document = try? BoundedJSONReader.document(bytes("\(folder)/\(file)"), file, bounds: bounds)
            guard let observer = document.flatMap({ try? Observer($0, name: name) }) else {
                preconditionFailure("\(file) is no observer")
            }
            observers.append(observer)
        }
        precondition(observers.count > 20, "run it from the top of the checkout")
        return ObserverCatalog(observers)
    }()

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
            )
        }
        return names
    }

    private static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Observer.largest)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }
}
