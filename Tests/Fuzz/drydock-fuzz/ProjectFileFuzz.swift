// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockConfig
import DrydockModel

/// A project's `drydock.yaml`.
enum ProjectFileFuzz {
    static func file(_ bytes: [UInt8]) {
        guard let file = try? ProjectFile(parsing: bytes) else { return }
        _ = file.plan(clippedBy: Policy())
    }
}
