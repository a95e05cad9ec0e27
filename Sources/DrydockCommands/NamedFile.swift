// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// A small file that the command line or the configuration names.
enum NamedFile {
    /// More than anybody writes by hand; a device may have no end.
    private static let largest = 16 << 20

    /// All of it.
    static func bytes(_ path: String) throws(Errno) -> [UInt8] {
        let file = try OwnedDescriptor(opening: FilePath(path), O_RDONLY)
        return try file.withDescriptor { file throws(Errno) in
            try FileContents.all(of: file, atMost: largest)
        }
    }

    /// Writes it anew.
    static func write(_ bytes: [UInt8], to path: String) throws(Errno) {
        let file = try OwnedDescriptor(
            opening: FilePath(path),
            O_WRONLY | O_CREAT | O_TRUNC,
            permissions: 0o644
        )
        try file.withDescriptor { file throws(Errno) in try FileContents.write(bytes[...], to: file) }
    }
}
