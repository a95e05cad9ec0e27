// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

/// Builds that fail because of the sandbox, each of `Tests/Fixtures/denials.json`: the failure says what was stopped, and the
/// line that allows it, where there is one, does.
@Suite("denials", .serialized, .timeLimit(.minutes(5)))
struct DenialTests {
    private static let file = URL(filePath: #filePath).appending(path: "../../Fixtures/denials.json")
        .standardizedFileURL

    struct Denial: Decodable, CustomTestStringConvertible {
        var about: String
        /// Programs without which it can not be tried here.
        var needs: [String]
        /// The step.
        var run: String
        /// Hosts that it may reach.
        var network: String?
        /// A limit of the project's.
        var limit: String?
        /// The beginning of what was blocked, as the failure tells it.
        var what: String?
        /// The line that the failure names.
        var allow: String?
        /// What the failure's hint must say.
        var hint: String?
        /// The step's line, or the limit, with which it works.
        var fix: String?

        var testDescription: String { about }

        /// The project's file; with what was advised, or without.
        func project(isMended: Bool) -> String {
            let line = isMended && limit == nil ? fix : nil
            let bound = isMended && limit != nil ? fix : limit
            return """
                version: 1
                steps:
                  - id: main
                    plugin: script
                \(line.map { "    \($0)\n" } ?? "")\(network.map { "    network: [\($0)]\n" } ?? "")    with:
                      run: |
                \(run.split(separator: "\n").map { "        \($0)\n" }.joined())\(bound.map { "limits:\n  \($0)\n" } ?? "")
                """
        }
    }

    private static func read() throws -> [Denial] {
        try JSONDecoder().decode([Denial].self, from: try Data(contentsOf: file))
    }

    /// Whether its programs are where a sandbox sees them.
    private static func canRun(_ denial: Denial) throws -> Bool {
        let path = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]
        return try denial.needs.allSatisfy {
            try Program.run("/bin/sh", ["-c", "command -v \($0)"], environment: path).status == 0
        }
    }

    /// Builds a project of one step; its failure, or nil.
    private static func failure(of project: String, in scratch: Scratch) throws -> Failure? {
        let file = try scratch.write(project, to: "project/drydock.yaml")
        let configuration = try scratch.write(
            "profiles: [debug]\nnetwork:\n  allow: [example.net]\n",
            to: "config.yaml"
        )
        let finished = try Program.drydock(
            scratch,
            "build",
            "--config",
            configuration.path,
            "--output",
            "json",
            file.deletingLastPathComponent().path
        )
        let end = try finished.out.split(separator: "\n").compactMap { line -> DrydockModel.Finished? in
            if case .finished(let end) = try JournalCodec.decode(Array(line.utf8))?.event { end } else { nil }
        }.last
        return try #require(end, "\(finished)").outcome.failure
    }

    @Test("the failure says what was stopped, and what allows it does", arguments: try read())
    func denied(denial: Denial) async throws {
        guard try Self.canRun(denial) else { return }
        try await withScratch { scratch in
            let failure = try #require(
                try Self.failure(of: denial.project(isMended: false), in: scratch)
            )
            if let what = denial.what {
                let blocked = failure.details?.blocked.first { $0.what.hasPrefix(what) }
                #expect(blocked != nil, "\(failure)")
                #expect(blocked?.allow == denial.allow, "\(failure)")
            }
            if let hint = denial.hint { #expect(failure.hint?.contains(hint) == true, "\(failure)") }
            guard denial.fix != nil else { return }
            let mended = try Self.failure(of: denial.project(isMended: true), in: scratch)
            #expect(mended == nil, "\(String(describing: mended))")
        }
    }
}
