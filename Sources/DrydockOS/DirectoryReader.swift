// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import COS
import Glibc
package import SystemPackage

/// Reads the names in a directory, a bounded chunk at a time, however wide the directory is.
struct DirectoryReader {
    private static let chunkSize = 32 * 1_024

    /// The names of the next chunk, in no order; empty at the end.
    func nextNames(of directory: DirectoryHandle) throws(Errno) -> [[UInt8]] {
        var buffer = [UInt8](repeating: 0, count: DirectoryReader.chunkSize)
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes -> Int64 in
                guard let address = bytes.baseAddress else { return 0 }
                return cos_read_directory(directory.descriptor.rawValue, address, bytes.count)
            }
            if count < 0 { throw Errno(rawValue: Int32(-count)) }
            if count == 0 { return [] }
            let names = try DirectoryReader.names(in: buffer, length: Int(count))
            if !names.isEmpty { return names }
        }
    }

    /// Starts over at the first entry.
    func rewind(_ directory: DirectoryHandle) throws(Errno) {
        if lseek(directory.descriptor.rawValue, 0, SEEK_SET) < 0 { throw Errno.current }
    }

    private static func names(in buffer: [UInt8], length: Int) throws(Errno) -> [[UInt8]] {
        var names: [[UInt8]] = []
        let result = buffer.withUnsafeBytes { bytes -> Int32 in
            guard let address = bytes.baseAddress else { return 0 }
            var offset = 0
            var entry = cos_directory_entry()
            var result = cos_next_entry(address, length, &offset, &entry)
            while result > 0, let name = entry.name {
                names.append(Array(UnsafeRawBufferPointer(start: name, count: entry.name_length)))
                result = cos_next_entry(address, length, &offset, &entry)
            }
            return result
        }
        _ = try checked(result)
        return names
    }
}

extension DirectoryHandle {
    /// All names in this directory, in no order: for directories that were filled under a cap.
    package func names() throws(Errno) -> [[UInt8]] {
        let own = try openDirectory(.root)
        let reader = DirectoryReader()
        var names: [[UInt8]] = []
        while true {
            let chunk = try reader.nextNames(of: own)
            if chunk.isEmpty { return names }
            names += chunk
        }
    }

    /// The same as text, in order.
    package func sortedNames() throws(Errno) -> [String] {
        try names().map { String(decoding: $0, as: UTF8.self) }.sorted()
    }
}
