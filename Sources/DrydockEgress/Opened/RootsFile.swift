// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import SystemPackage

/// A file for one sandbox with the certificates that it is to trust.
///
/// It has to have a name until the jail has mounted it, and not longer.
struct RootsFile: Sendable {
    /// Lists of roots, where Linux systems have them.
    private static let machines = [
        ToolVariables.machineRoots, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]
    /// A list of roots has some 200 KB.
    private static let largest = 8 << 20

    let path: String

    /// The machine's own list; nil where it has none.
    static var ofMachine: String? { machines.first { access($0, R_OK) == 0 } }

    /// Writes one of `roots`, a file, and `certificate`: the operator's, and that of the sandbox's own authority.
    ///
    /// Blocks.
    init(_ roots: String, and certificate: String) throws(Errno) {
        try self.init(holding: try Self.contents(of: roots) + [0x0A] + Array(certificate.utf8))
    }

    /// Writes Java's store of `roots`, a file.
    ///
    /// Blocks.
    init(javaStoreOf roots: String) throws(Errno) {
        try self.init(holding: JavaStore.bytes(of: try Self.contents(of: roots)))
    }

    private static func contents(of roots: String) throws(Errno) -> [UInt8] {
        let list = try OwnedDescriptor(opening: FilePath(roots), O_RDONLY)
        return try list.withDescriptor { file throws(Errno) in
            try FileContents.all(of: file, atMost: Self.largest)
        }
    }

    private init(holding bytes: [UInt8]) throws(Errno) {
        path = "/tmp/drydock-roots-\(UInt64.random(in: .min ... .max))"
        let file = try OwnedDescriptor(
            opening: FilePath(path),
            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
            permissions: 0o644
        )
        do throws(Errno) {
            try file.withDescriptor { file throws(Errno) in
                try FileContents.write(bytes[...], to: file)
                // Whatever the umask: the step's user is another one.
                try FileContents.setPermissions(file, 0o444)
            }
        } catch {
            remove()
            throw error
        }
    }

    /// Takes its name away; what is mounted stays.
    func remove() { unlink(path) }
}
