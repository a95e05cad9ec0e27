// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a build was made of, as far as builds of a project are compared.
package struct BuildIngredients: Codable, Hashable, Sendable {
    package var build: BuildID
    package var endedAt: Timestamp
    /// Of the source, where it comes from git.
    package var commit: String?
    /// Of each file and link of the source, by its path for people, what tells it from another one; nil where there are too many.
    package var files: [String: String]?
    /// The plugins of its steps.
    package var plugins: [String: Digest]
    package var parameters: [String: String]
    /// The root file system of its steps; nil where it was the machine's own.
    package var root: PlannedRoot?

    package init(
        build: BuildID,
        endedAt: Timestamp,
        commit: String?,
        files: [String: String]?,
        plugins: [String: Digest],
        parameters: [String: String],
        root: PlannedRoot? = nil
    ) {
        self.build = build
        self.endedAt = endedAt
        self.commit = commit
        self.files = files
        self.plugins = plugins
        self.parameters = parameters
        self.root = root
    }
}

/// What is different since the last build of the project that succeeded.
package struct SourceChanges: Codable, Hashable, Sendable {
    /// That build, and when it ended.
    package var since: BuildID
    package var at: Timestamp
    /// Its commit, and that of this build.
    package var commits: [String]
    /// Paths in the source: the one that the failure is about first, else sorted; at most `mostNamed` in all.
    package var added: [String]
    package var changed: [String]
    package var removed: [String]
    /// How many more there are.
    package var more: Int
    /// What else is different, in words.
    package var others: [String]
    /// Whether the files were not compared: there are too many.
    package var isPartial: Bool

    package static let mostNamed = 12

    private enum CodingKeys: String, CodingKey {
        case since, at, commits, added, changed, removed, more, others
        case isPartial = "partial"
    }

    package init(since: BuildID, at: Timestamp) {
        self.since = since
        self.at = at
        commits = []
        added = []
        changed = []
        removed = []
        more = 0
        others = []
        isPartial = false
    }

    /// Whether nothing is known to be different.
    package var isEmpty: Bool {
        added.isEmpty && changed.isEmpty && removed.isEmpty && others.isEmpty && more == 0
    }
}

extension BuildIngredients {
    /// What `now` has that these had not.
    ///
    /// `file`: the one that the failure is about, named first.
    package func changes(to now: BuildIngredients, about file: String?) -> SourceChanges {
        var found = SourceChanges(since: build, at: endedAt)
        if let commit, let other = now.commit, commit != other { found.commits = [commit, other] }
        found.isPartial = files == nil || now.files == nil
        if let before = files, let after = now.files {
            found.name(
                added: after.keys.filter { before[$0] == nil },
                changed: after.filter { before[$0.key] != nil && before[$0.key] != $0.value }.map(\.key),
                removed: before.keys.filter { after[$0] == nil },
                first: file
            )
        }
        found.others =
            Self.differences("the plugin", plugins, now.plugins)
            + Self.differences("the parameter", parameters, now.parameters)
            + (root == now.root ? [] : ["the root file system is another one"])
        return found
    }

    private static func differences<Value: Equatable>(
        _ what: String,
        _ before: [String: Value],
        _ after: [String: Value]
    ) -> [String] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().prefix(10)
            .map { "\(what) \($0) is another one" }
    }
}

extension SourceChanges {
    fileprivate mutating func name(added: [String], changed: [String], removed: [String], first: String?) {
        var room = Self.mostNamed
        func named(_ paths: [String]) -> [String] {
            let paths = paths.sorted { ($0 != first ? 1 : 0, $0) < ($1 != first ? 1 : 0, $1) }.prefix(room)
            room -= paths.count
            return paths.map { FailureDetails.clipped($0) }
        }
        self.changed = named(changed)
        self.added = named(added)
        self.removed = named(removed)
        more = changed.count + added.count + removed.count - (Self.mostNamed - room)
    }

    /// In quotation marks where it could be taken for words of the sentence.
    private static func quoted(_ path: String) -> String {
        let plain = path.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789._/+@=-~#".unicodeScalars.contains($0)
        }
        return plain ? path : "'" + PlainLine.of(path).replacing("'", with: "\\'") + "'"
    }

    /// A sentence for people: `since b_… succeeded: changed a.c, b.c; new c.c`.
    package var words: String {
        let since = "since \(since) succeeded: "
        guard !isEmpty || !commits.isEmpty else {
            return since
                + (isPartial
                    ? "the source has too many files to be compared"
                    : "nothing in the source has changed; look at the machine, the network, or chance")
        }
        let names = { (what: String, paths: [String]) in
            paths.isEmpty ? nil : "\(what) \(paths.map(Self.quoted).joined(separator: ", "))"
        }
        let parts = [
            commits.count == 2 ? "commit \(commits[0].prefix(12)) → \(commits[1].prefix(12))" : nil,
            names("changed", changed), names("new", added), names("removed", removed),
            more > 0 ? "\(more) more" : nil,
        ]
        return since + (parts.compactMap(\.self) + others).joined(separator: "; ")
    }
}
