// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// Which files become artifacts, and what they are for: a value, so that it can be tested.
struct ArtifactSelection: Sendable {
    /// By the project's own file: nothing else becomes an artifact, unless it says nothing.
    let asked: [ArtifactRule]
    /// By plugins: they name what things are for.
    let declared: [ArtifactRule]

    /// What the file at `path` is for; nil when it is no artifact.
    func role(of path: String) -> ArtifactRole? {
        if let rule = Self.closest(asked, to: path) { return rule.role }
        guard asked.isEmpty else { return nil }
        return Self.closest(declared, to: path)?.role ?? .other
    }

    /// Throws for the first promise that no artifact keeps.
    func requireAll(in artifacts: [Artifact]) throws(Failure) {
        for (rules, fault) in [(asked, Fault.user), (declared, .plugin)] {
            for rule in rules where !artifacts.contains(where: { rule.path.contains($0.path) }) {
                // A plugin's promise for a path that the project's file leaves out is not broken.
                if fault == .plugin, !asked.isEmpty { continue }
                throw Failure(
                    .artifactMissing,
                    fault,
                    "the artifact '\(rule.path)' was declared, and is not there",
                    hint: "paths are relative to $DRYDOCK_OUT; did the step write it elsewhere?"
                )
            }
        }
    }

    private static func closest(_ rules: [ArtifactRule], to path: String) -> ArtifactRule? {
        rules.filter { $0.path.contains(path) }.max { $0.path.prefix.count < $1.path.prefix.count }
    }
}
