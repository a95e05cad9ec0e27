// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage

extension DataDirectory {
    /// The names in `directory`, sorted, without those that begin with a dot.
    static func names(in directory: FilePath) throws(StoreError) -> [String] {
        do throws(Errno) {
            return try DirectoryHandle(path: directory).sortedNames().filter { !$0.hasPrefix(".") }
        } catch {
            throw .system("listing", directory, error)
        }
    }
}
