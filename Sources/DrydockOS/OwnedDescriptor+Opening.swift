// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
package import SystemPackage

extension OwnedDescriptor {
    /// Opens `path` of this machine by `flags` (man 2 open), closed for programs that this one starts.
    ///
    /// A file that is made has `permissions`, less the umask.
    package init(opening path: FilePath, _ flags: Int32, permissions: UInt32 = 0o600) throws(Errno) {
        while true {
            let number = path.withPlatformString { open($0, flags | O_CLOEXEC, permissions) }
            if number >= 0 {
                self.init(taking: FileDescriptor(rawValue: number))
                return
            }
            if Errno.current != .interrupted { throw Errno.current }
        }
    }

    /// Another descriptor of the same open file, closed for programs that this one starts.
    ///
    /// Source: man 2 fcntl, F_DUPFD_CLOEXEC.
    package init(duplicating file: FileDescriptor) throws(Errno) {
        let number = fcntl(file.rawValue, F_DUPFD_CLOEXEC, 3)
        if number < 0 { throw Errno.current }
        self.init(taking: FileDescriptor(rawValue: number))
    }
}

/// Makes the directory `path`, and what is missing above it; fine when it is there.
package func makeDirectories(_ path: FilePath, permissions: UInt32) throws(Errno) {
    guard !path.isEmpty, path.withPlatformString({ mkdir($0, permissions) }) != 0 else { return }
    let reason = Errno.current
    if reason == .fileExists { return }
    guard reason == .noSuchFileOrDirectory else { throw reason }
    try makeDirectories(path.removingLastComponent(), permissions: permissions)
    if path.withPlatformString({ mkdir($0, permissions) }) != 0, Errno.current != .fileExists {
        throw Errno.current
    }
}

/// The path with links resolved, from `/`; nil when it leads nowhere.
package func realPathOf(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
