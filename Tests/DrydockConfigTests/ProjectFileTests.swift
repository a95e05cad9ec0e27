// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@testable import DrydockConfig

/// One folder a case: `drydock.yaml`, and in `expected.txt` the plan as JSON, or the failure.
@Suite("drydock.yaml")
struct ProjectFileTests {
    static let fixtures = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/project-file")

    static var cases: [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)
        return (names ?? []).sorted()
    }

    static let policy = Policy()

    @Test("there are cases")
    func casesAreFound() {
        #expect(ProjectFileTests.cases.count > 20)
    }

    @Test("a case gives what it should", arguments: cases)
    func fixture(name: String) throws {
        let folder = ProjectFileTests.fixtures.appendingPathComponent(name)
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("drydock.yaml")))
        let result = try ProjectFileTests.outcome(of: bytes)
        let expected = folder.appendingPathComponent("expected.txt")
        if ProcessInfo.processInfo.environment["DRYDOCK_WRITE_FIXTURES"] == "1" {
            try Data(result.utf8).write(to: expected)
        }
        #expect(try result == String(contentsOf: expected, encoding: .utf8))
    }

    static func outcome(of bytes: [UInt8]) throws -> String {
        do throws(Failure) {
            let plan = try ProjectFile(parsing: bytes).plan(clippedBy: policy)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(plan) else { return "a plan that can not be encoded\n" }
            return String(decoding: data, as: UTF8.self) + "\n"
        } catch {
            let place = error.line.map { ":\($0)" } ?? ""
            let head = "\(error.code.rawValue) \(error.fault.rawValue) \(error.file ?? "")\(place)"
            return [head, error.message, error.hint.map { "hint: \($0)" }].compactMap { $0 }
                .joined(separator: "\n") + "\n"
        }
    }

    @Test("ten thousand hosts are refused by their number")
    func manyHosts() throws {
        let hosts = (0..<10_000).map { "h\($0).test" }.joined(separator: ", ")
        let text = "version: 1\nsteps:\n  - plugin: script\n    network: [\(hosts)]\n"
        let told = try ProjectFileTests.outcome(of: Array(text.utf8))
        #expect(told.contains("drydock.yaml:4\n'steps[0].network' has 10000 hosts"), "\(told)")
    }

    @Test("a file of more than 256 KiB is refused before it is read")
    func tooLarge() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: 256 * 1_024 + 1)
        #expect(try ProjectFileTests.outcome(of: bytes).contains("at most 262144"))
    }

    @Test("deep nesting is refused", .timeLimit(.minutes(1)), arguments: ["[", "{a: ", "- ", "? "])
    func deep(opening: String) throws {
        let bytes = Array(("steps: \n " + String(repeating: opening, count: 60_000)).utf8)
        #expect(try ProjectFileTests.outcome(of: bytes).hasPrefix("config_invalid"))
    }

    @Test("a bomb of aliases is refused at once", .timeLimit(.minutes(1)), arguments: [false, true])
    func bomb(asKey: Bool) throws {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...30 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        if asKey { text += "? *a30\n: 1\n" }
        let outcome = try ProjectFileTests.outcome(of: Array(text.utf8))
        #expect(outcome.contains("anchors more than 16 times"))
    }

    @Test("every cut of a good file is a plan or a clear error, never a crash")
    func truncations() throws {
        let folder = ProjectFileTests.fixtures.appendingPathComponent("everything")
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("drydock.yaml")))
        for length in bytes.indices {
            let outcome = try ProjectFileTests.outcome(of: Array(bytes[..<length]))
            #expect(outcome.hasPrefix("{") || outcome.hasPrefix("config_invalid user"))
        }
    }

    @Test(
        "times are read",
        arguments: [
            ("90s", 90), ("10m", 600), ("1h30m", 5_400), ("2h5s", 7_205), ("7d", 604_800),
        ] as [(String, Int)]
    )
    func durations(text: String, seconds: Int) {
        #expect(Duration(setting: text) == .seconds(seconds))
        #expect(Duration(setting: text)?.setting == text || ["90s", "7d"].contains(text))
    }

    @Test(
        "what is no time is not read",
        arguments: [
            "", "10", "10 m", "m", "30m1h", "1m1m", "-5s", "0s", "99999999999999999999s", "200h", "1.5h",
            "8d", "9223372036854775807d", "1h1d",
        ]
    )
    func notDurations(text: String) {
        #expect(Duration(setting: text) == nil)
    }
}
