// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import SystemPackage

/// An open blob: bytes that never change, and that stay readable when the store removes them meanwhile.
package final class Blob: Sendable {
    package let size: ByteCount
    private let file: OwnedDescriptor

    /// Takes over `file`, which is open for reading.
    package init(taking file: consuming OwnedDescriptor) throws(Errno) {
        size = ByteCount(try file.withDescriptor { file throws(Errno) in try fileStatus(of: file).size })
        self.file = file
    }

    /// At most `count` bytes from `offset`; fewer only at the end.
    ///
    /// Waits for the disk.
    package func read(from offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        try file.withDescriptor { file throws(Errno) in
            try FileContents.read(file, from: offset, count: count)
        }
    }

    /// The open file once more, for who reads it by itself: at its beginning, a place that all duplicates share.
    package func duplicate() throws(Errno) -> OwnedDescriptor {
        try file.withDescriptor { file throws(Errno) in try OwnedDescriptor(duplicating: file) }
    }
}
