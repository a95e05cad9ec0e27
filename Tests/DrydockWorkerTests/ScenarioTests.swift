// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockTestSupport
import Foundation
import Testing

/// Plays every folder of `Tests/Fixtures/scenarios`: a new case needs no code.
///
/// `DRYDOCK_SCENARIO=name` plays a single one. With `DRYDOCK_RECORD=1` what comes of them becomes what must come of them, to be read before it is committed.
@Suite("scenarios", .serialized, .timeLimit(.minutes(3)))
struct ScenarioTests {
    private static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("a build ends as its folder says", arguments: try scenarios())
    func play(_ scenario: Scenario) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "scenario-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let world = try ScenarioWorld(
            scenario,
            in: folder,
            plugins: Self.repository.appending(path: "plugins").path
        )
        defer { world.close() }
        let complaints = try await world.play()
        let transcript = try await world.transcript()
        #expect(complaints.isEmpty, "\(scenario.name): \(scenario.about)")
        if ProcessInfo.processInfo.environment["DRYDOCK_RECORD"] == "1" {
            return try scenario.record(transcript)
        }
        let (got, wanted) = (Self.lines(transcript), Self.lines(scenario.expected))
        let first = zip(got, wanted).first { $0 != $1 }
        #expect(
            got == wanted,
            "\(scenario.name): \(scenario.about)\ngot    \(first?.0 ?? "-")\nwanted \(first?.1 ?? "-")"
        )
    }

    private static func scenarios() throws -> [Scenario] {
        let all = try Scenario.all(below: repository.appending(path: "Tests/Fixtures/scenarios"))
        let wanted = ProcessInfo.processInfo.environment["DRYDOCK_SCENARIO"]
        return all.filter { wanted == nil || $0.name == wanted }
    }

    private static func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }
}
