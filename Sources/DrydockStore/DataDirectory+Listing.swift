// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import SystemPackage

extension DataDirectory {
    /// The names in `directory`, sorted, without those that begin with a dot.
    static func names(in directory: FilePath) throws(StoreError) -> [String] {
        guard let stream = opendir(directory.string) else {
            throw .system("listing", directory, Errno(rawValue: errno))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
