// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

/// Builds every folder of `Tests/Fixtures/failing`: a new case needs no code.
///
/// With `DRYDOCK_RECORD=1` what a person sees becomes `docs/failures.md`, to be read before it is committed.
@Suite("failing projects", .serialized, .timeLimit(.minutes(5)))
struct FailingProjectsTests {
    private static let repository = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    private static let folder = repository.appending(path: "Tests/Fixtures/failing")

    private struct Case: Decodable {
        var about: String
        /// Programs without which it can not be tried here.
        var needs: [String]
        /// The file that the failure must name.
        var file: String?
        /// What its hint must say, among other words.
        var hint: String?
    }

    private static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    private static func read(_ name: String) throws -> Case {
        try JSONDecoder().decode(
            Case.self,
            from: try Data(contentsOf: folder.appending(path: "\(name)/case.json"))
        )
    }

    /// Whether its programs are where a sandbox sees them: not so a user's own, below a home.
    private static func canRun(_ example: Case) throws -> Bool {
        let seen = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .filter { ["/usr/", "/opt/", "/bin", "/sbin"].contains(where: $0.hasPrefix) }
        let path = ["PATH": (["/usr/bin", "/bin"] + seen).joined(separator: ":")]
        return try example.needs.allSatisfy {
            try Program.run("/bin/sh", ["-c", "command -v \($0)"], environment: path).status == 0
        }
    }

    @Test("its failure names the right file, and says what to do", arguments: try names())
    func play(name: String) async throws {
        let example = try Self.read(name)
        guard try Self.canRun(example) else { return }
        try await withScratch { scratch in
            let project = Self.folder.appending(path: "\(name)/project").path
            let finished = try Program.drydock(scratch, "build", project, "--output", "json")
            #expect(finished.status == 1 || finished.status == 2, "\(finished)")
            let end = try finished.out.split(separator: "\n").compactMap { line -> DrydockModel.Finished? in
                if case .finished(let end) = try JournalCodec.decode(Array(line.utf8))?.event {
                    end
                } else {
                    nil
                }
            }.last
            let failure = try #require(end?.outcome.failure)
            if let file = example.file { #expect(failure.file == file, "\(failure)") }
            // An ordinary failure: whatever its tools have tried on the way, the sandbox is not to blame.
            #expect(failure.hint?.contains("the sandbox stopped") != true, "\(failure)")
            #expect(failure.details?.blocked.isEmpty != false, "\(failure)")
            if let hint = example.hint { #expect(failure.hint?.contains(hint) == true, "\(failure)") }
            // Where the place is in a file of text, a person sees it.
            if let line = failure.line, failure.details != nil {
                #expect(failure.details?.source?.line == line)
            }
        }
    }

    @Test(
        "what a person sees stands in docs/failures.md",
        .enabled(if: ProcessInfo.processInfo.environment["DRYDOCK_RECORD"] == "1")
    )
    func record() async throws {
        var text = """
            # What a failure looks like

            One project or more for each tool, with what a person sees in the terminal: made by `DRYDOCK_RECORD=1 swift test --filter FailingProjectsTests` from
            `Tests/Fixtures/failing`, and checked by the same tests in every run. The words are those of the tools' versions on one machine.

            """
        for name in try Self.names() {
            let example = try Self.read(name)
            guard try Self.canRun(example) else { continue }
            try await withScratch { scratch in
                let project = Self.folder.appending(path: "\(name)/project").path
                let finished = try Program.drydock(scratch, "build", project, "--output", "plain")
                let lines = finished.out.split(separator: "\n", omittingEmptySubsequences: false)
                let from =
                    lines.firstIndex { $0.hasPrefix("build failed") || $0.hasPrefix("build errored") } ?? 0
                text +=
                    "\n## \(example.about)\n\n```\n\(lines[from...].joined(separator: "\n").trimmingCharacters(in: .newlines))\n```\n"
            }
        }
        try text.write(
            to: Self.repository.appending(path: "docs/failures.md"),
            atomically: true,
            encoding: .utf8
        )
    }
}
