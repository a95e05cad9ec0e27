// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a collection took away, or would have taken.
package struct GarbageReport: Hashable, Sendable {
    /// Builds that retention lets go, the oldest first, with their journals.
    package var builds: [BuildID] = []
    /// Blobs that nobody refers to.
    package var blobs = 0
    /// Records of the audit that retention lets go.
    package var records = 0
    /// Bytes of these blobs and journals.
    package var size = ByteCount(0)
    /// Builds with parts that can not be read: what they refer to is not known for certain, and as long as they are there,
    /// no blob goes.
    package var unreadable: [BuildID] = []

    package init() {}
}
