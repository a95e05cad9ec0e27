// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import Foundation

extension ScenarioWorld {
    /// What came of it: the journals of all attempts and the rows of all builds, one JSON object a line, without what is
    /// another every time.
    package func transcript() async throws -> String {
        var lines: [String] = []
        var names: [(String, String)] = [(data.deletingLastPathComponent().path, "…")]
        for (index, id) in builds.enumerated() {
            let build = "b\(index + 1)"
            names.append((id.rawValue, build))
            for (index, attempt) in try await observer.attempts(id).enumerated() {
                let name = "\(build).a\(index + 1)"
                names.append((attempt.rawValue, name))
                lines.append(#"{"attempt":"\#(name)"}"#)
                lines += try await journal(id, attempt, isOver: observer.build(id)?.state.isTerminal == true)
            }
            lines.append(try await row(id, build))
        }
        lines.append(try left())
        let text = lines.joined(separator: "\n") + "\n"
        return names.reduce(text) { $0.replacing($1.0, with: $1.1) }
            .replacing(#/"deploy":"[a-z0-9]{12}"/#, with: #""deploy":"…""#)
    }

    private func journal(_ id: BuildID, _ attempt: AttemptID, isOver: Bool) async throws -> [String] {
        let reader = try await observer.reader(id, attempt, after: 0)
        var lines: [String] = []
        // One that may go on is looked at as it stands.
        while let batch = isOver
            ? try await reader.next(maxBytes: 1 << 20) : try await reader.available(maxBytes: 1 << 20),
            !batch.isEmpty
        {
            lines += batch.map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        return lines.map { line in
            line.replacing(#/"(ts|created_at)":[0-9.]+,?/#, with: "")
                .replacing(#/"(build|attempt)":"[^"]*",?/#, with: "")
                .replacing(",}", with: "}")
        }
    }

    private func row(_ id: BuildID, _ name: String) async throws -> String {
        guard let build = try await observer.build(id) else { return #"{"build":"\#(name)","gone":true}"# }
        let artifacts = try await observer.artifacts(id).map { "\"\($0.path) \($0.role)\"" }
        return #"{"build":"\#(name)","state":"\#(build.state.rawValue)","attempts":\#(build.attempts)"#
            + (build.failure.map { #","code":"\#($0.code.rawValue)""# } ?? "")
            + #","artifacts":[\#(artifacts.joined(separator: ","))],"deploy":\#(build.deploy != nil)}"#
    }

    /// The names of workspaces and snapshots that are still there.
    private func left() throws -> String {
        let names = try ["snapshots", "work"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: data.appending(path: folder).path).sorted()
                .filter { !$0.hasPrefix(".") }.map { "\"\(folder)/\($0)\"" }
        }
        return #"{"left":[\#(names.joined(separator: ","))]}"#
    }
}
