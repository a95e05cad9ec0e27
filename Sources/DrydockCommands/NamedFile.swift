// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import SystemPackage

/// A small file that the command line or the configuration names.
enum NamedFile {
    /// More than anybody writes by hand; a device may have no end.
    private static let largest = 16 << 20

    /// All of it.
    static func bytes(_ path: String) throws(Errno) -> [UInt8] {
        let file = try open(path, .readOnly, [])
        return try file.withDescriptor { file throws(Errno) in
            try FileContents.all(of: file, atMost: largest)
        }
    }

    /// Writes it anew.
    static func write(_ bytes: [UInt8], to path: String) throws(Errno) {
        let file = try open(path, .writeOnly, [.create, .truncate])
        try file.withDescriptor { file throws(Errno) in try FileContents.write(bytes[...], to: file) }
    }

    private static func open(
        _ path: String,
        _ mode: FileDescriptor.AccessMode,
        _ options: FileDescriptor.OpenOptions
    ) throws(Errno) -> OwnedDescriptor {
        do {
            let file = try FileDescriptor.open(
                FilePath(path),
                mode,
                options: options.union(.closeOnExec),
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
            return OwnedDescriptor(taking: file)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
