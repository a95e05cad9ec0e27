// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockStore

/// The sites behind deploy ids, kept while they are in use.
package actor PreviewCatalog {
    /// Most sites that are kept at one time.
    private static let kept = 64

    private let store: any Store
    private var sites: [DeployID: StaticSite] = [:]
    /// From the one not used for longest to the newest.
    private var order: [DeployID] = []

    package init(store: any Store) {
        self.store = store
    }

    /// The site of a deploy; nil when there is no such deploy.
    package func site(_ id: DeployID) async throws -> StaticSite? {
        if let site = sites[id] {
            touch(id)
            return site
        }
        guard let deploy = try await store.deploy(id) else { return nil }
        let site = StaticSite(artifacts: try await store.artifacts(deploy.build), rule: deploy.preview)
        // A deploy never changes, so it does not matter if two tasks came here at once.
        sites[id] = site
        touch(id)
        if order.count > Self.kept { sites[order.removeFirst()] = nil }
        return site
    }

    private func touch(_ id: DeployID) {
        order.removeAll { $0 == id }
        order.append(id)
    }
}
