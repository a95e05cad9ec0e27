// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
package import DrydockPlugins
internal import DrydockStore

/// What the plugins say about a directory, and the plan that comes of it, without a build.
package struct PlanSurvey: Sendable {
    /// Every plugin of the catalog, in its order.
    package let candidates: [Detection.Candidate]
    package let planned: Planned

    /// Looks at a copy of the directory `path`, with the project in its directory `project`.
    ///
    /// `heard` gets what drivers write to standard error meanwhile.
    ///
    /// Throws the `Failure` that a build of it would end with.
    package static func make(
        of path: String,
        _ project: RelativePath = .top,
        _ parameters: BuildParameters = BuildParameters(),
        shop: Workshop,
        heard: @escaping @Sendable (_ plugin: PluginName, _ line: String) -> Void = { _, _ in }
    ) async throws -> PlanSurvey {
        // A sign of life under the copy's own name: a worker that starts meanwhile must not take it for a left-over.
        let name = WorkerID.make("plan")
        let registration = try await shop.store.register(name)
        defer { registration.end() }
        let snapshot = try await Snapshot.make(of: path, project, name: name.rawValue, shop: shop)
        return try await Blocking.cleaning(
            up: { snapshot.discard(logger: shop.logger) },
            after: {
                let planning = Planning(shop: shop, snapshot: snapshot, parameters: parameters, heard: heard)
                let detection = try await planning.detect()
                let settled = try await planning.settle(by: detection)
                return PlanSurvey(
                    candidates: (settled.detection ?? detection).candidates,
                    planned: settled.planned
                )
            }
        )
    }
}
