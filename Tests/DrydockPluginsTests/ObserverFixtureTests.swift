// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import DrydockProtocol
import Foundation
import Testing

@testable import DrydockPlugins

/// Reads every output of `Tests/Fixtures/observers`, recorded from real tools: a new case needs no code.
@Suite("observers of real tools")
struct ObserverFixtureTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../Fixtures/observers")
        .standardizedFileURL

    /// What a person would want to be told of the output.
    private struct Expected: Decodable {
        struct Told: Decodable, Hashable {
            var severity: String
            var file: String?
            var line: Int?
            var column: Int?
            var code: String?
            var message: String
            var consequence: Bool?
        }

        var fraction: Double?
        var counts: [String: Int]?
        var diagnostics: [Told]
    }

    private static func cases() throws -> [String] {
        let manager = FileManager.default
        return try manager.contentsOfDirectory(atPath: folder.path).sorted().flatMap { tool in
            try manager.contentsOfDirectory(atPath: folder.appending(path: tool).path).sorted().map {
                "\(tool)/\($0)"
            }
        }.filter { manager.fileExists(atPath: folder.appending(path: "\($0)/expected").path) }
    }

    @Test("what a tool printed is read as a person would", arguments: try cases())
    func play(name: String) throws {
        let folder = Self.folder.appending(path: name)
        func text(_ file: String) throws -> String {
            try String(contentsOf: folder.appending(path: file), encoding: .utf8).trimmingCharacters(
                in: .newlines
            )
        }
        let files = Set(try text("files").split(separator: "\n").map(String.init))
        let expected = try JSONDecoder().decode(
            Expected.self,
            from: try Data(contentsOf: folder.appending(path: "expected"))
        )
        @Sendable func find(_ ending: String) -> String? {
            let found = files.filter { $0 == ending || $0.hasSuffix("/" + ending) }
            return found.count == 1 ? found.first : nil
        }
        var observer = CommandObserver(
            ["sh", "-c", try text("command")],
            catalog: Bench.shipped,
            places: SourcePlaces(
                root: "/w/s",
                directory: "",
                isInSource: { files.contains($0) },
                search: find
            ),
            readJSON: { try? BoundedJSONReader.read($0, bounds: .diagnostic) }
        )
        var told: [Expected.Told] = []
        var counts: [String: Int] = [:]
        var fraction: Double?
        let take = { (observation: CommandObserver.Observation) in
            switch observation {
            case .progress(let current, let total, _): fraction = max(fraction ?? 0, current / total)
            case .units(let unit, let seen, _): counts[unit] = seen
            case .diagnostic(let found, let isConsequence):
                told.append(
                    Expected.Told(
                        severity: found.severity.rawValue,
                        file: found.file,
                        line: found.line,
                        column: found.column,
                        code: found.code,
                        message: found.message,
                        consequence: isConsequence ? true : nil
                    )
                )
            }
        }
        var splitter = LineSplitter()
        try Data(contentsOf: folder.appending(path: "output")).withUnsafeBytes { bytes in
            splitter.push(bytes) { observer.observe($0.bytes, isOverwritten: $0.end == .overwritten, take) }
        }
        splitter.finish { observer.observe($0.bytes, isOverwritten: $0.end == .overwritten, take) }
        observer.finish(take)
        #expect(told == expected.diagnostics)
        #expect(counts == expected.counts ?? [:])
        #expect((fraction.map { ($0 * 1_000).rounded() }) == expected.fraction.map { ($0 * 1_000).rounded() })
    }
}
