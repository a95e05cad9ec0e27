// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockStore

extension Store {
    /// Letters of the shortest id that is looked for among all builds.
    private var shortest: Int { 4 }

    /// The build with that id, or the only one whose id begins or ends with it; else a problem that says what to write.
    ///
    /// Ids begin with the time, so the end tells builds of one day apart.
    func require(_ id: String) async throws -> Build {
        if let found = try await build(BuildID(rawValue: id)) { return found }
        let matches = try await builds(like: id)
        if let only = matches.first, matches.count == 1 { return only }
        guard matches.isEmpty else {
            throw CommandProblem(
                .usage,
                id,
                why: "more than one build is meant: \(matches.map(\.id.rawValue).joined(separator: ", "))",
                remedy: "write more of the id"
            )
        }
        throw CommandProblem(
            .usage,
            id,
            why: "there is no such build here",
            remedy: "`drydock list` shows those there are"
        )
    }

    /// The first two builds whose id, with or without `b_`, begins or ends with `text`.
    private func builds(like text: String) async throws -> [Build] {
        let text = text.hasPrefix("b_") ? String(text.dropFirst(2)) : text
        guard text.count >= shortest else { return [] }
        var matches: [Build] = []
        var last: BuildID?
        while matches.count < 2 {
            let page = try await builds(BuildFilter(before: last, limit: 200))
            matches += page.filter {
                let id = $0.id.rawValue.dropFirst(2)
                return id.hasPrefix(text) || id.hasSuffix(text)
            }
            guard page.count == 200 else { break }
            last = page.last?.id
        }
        return Array(matches.prefix(2))
    }
}
