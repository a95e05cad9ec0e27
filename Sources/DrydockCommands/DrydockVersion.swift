// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What `drydock --version` says.
enum DrydockVersion {
    /// The program's own version, and those of what plugins and projects are written for.
    static let text = "drydock 0.1.0-dev (plugin protocol 1.0, drydock.yaml version 1)"
}
