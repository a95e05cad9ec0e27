// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
package import DrydockStore

/// The root file systems that projects may ask for.
package struct RootCatalog: Sendable {
    private let store: RootFileSystems
    /// By name; empty = all.
    private let allowed: [String]

    package init(_ store: RootFileSystems, allowed: [String] = []) {
        self.store = store
        self.allowed = allowed
    }

    /// The one called `name`.
    ///
    /// Throws `configInvalid` with `line` of the project's file, and what to do, where there is none.
    func planned(_ name: RootName, line: Int?) throws -> PlannedRoot {
        let entries = try store.entries().filter { isAllowed($0.name) }
        if let entry = entries.first(where: { $0.name == name }) {
            return PlannedRoot(name: name, digest: entry.digest)
        }
        throw Self.unknown(name, line: line, among: entries.map(\.name))
    }

    /// The one of a plan, to be held while the build runs.
    func hold(_ root: PlannedRoot) throws -> HeldRoot {
        if let held = try store.hold(root.digest) { return held }
        throw Failure(
            .configInvalid,
            .platform,
            "the root file system \(root.name) was removed or replaced while the build began",
            hint: "start the build again",
            file: ProjectFile.name
        )
    }

    private func isAllowed(_ name: RootName) -> Bool {
        allowed.isEmpty || allowed.contains(name.rawValue)
    }

    /// The failure of a project that asks for what there is not.
    static func unknown(_ name: RootName, line: Int?, among names: [RootName]) -> Failure {
        let known =
            names.isEmpty
            ? "there are none yet" : "there are: " + names.prefix(20).map(\.rawValue).joined(separator: ", ")
        return Failure(
            .configInvalid,
            .user,
            "'rootfs' is '\(name)', and no root file system of that name can be had here",
            hint: "\(known); the operator imports one with `drydock rootfs import \(name) PATH`",
            file: ProjectFile.name,
            line: line
        )
    }
}
