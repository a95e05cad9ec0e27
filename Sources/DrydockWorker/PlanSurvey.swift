// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
package import DrydockPlugins

/// What the plugins say about a directory, and the plan that comes of it, without a build.
package struct PlanSurvey: Sendable {
    /// Every plugin of the catalog, in its order.
    package let candidates: [Detection.Candidate]
    package let planned: Planned

    /// Looks at a copy of the directory `path`.
    ///
    /// `heard` gets what drivers write to standard error meanwhile.
    ///
    /// Throws the `Failure` that a build of it would end with.
    package static func make(
        of path: String,
        shop: Workshop,
        heard: @escaping @Sendable (_ plugin: String, _ line: String) -> Void = { _, _ in }
    ) async throws -> PlanSurvey {
        let name = AttemptID.make(at: .now()).rawValue
        let snapshot = try await Snapshot.make(of: path, name: name, shop: shop)
        defer { snapshot.discard(logger: shop.logger) }
        let planning = Planning(shop: shop, snapshot: snapshot, heard: heard)
        let detection = try await planning.detect()
        return PlanSurvey(candidates: detection.candidates, planned: try await planning.plan(by: detection))
    }
}
