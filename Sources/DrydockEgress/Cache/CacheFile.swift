// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// How a kept answer stands in its file.
///
/// The first line, written last, has the digest of all that follows and the length of the body: 64 hexadecimal digits, a
/// space, 19 decimal ones. `CachedHead` follows, then the body.
enum CacheFile {
    private static let hexLength = 64
    private static let digitsLength = 19
    static let lineLength = hexLength + 1 + digitsLength + 1

    static func line(_ digest: Digest, length: Int64) -> [UInt8] {
        let digits = String(length)
        let zeros = String(repeating: "0", count: digitsLength - digits.utf8.count)
        return Array("\(digest.hex) \(zeros)\(digits)\n".utf8)
    }

    /// What the first line says; nil where it is none.
    static func read(_ line: ArraySlice<UInt8>) -> (hex: String, length: Int64)? {
        guard line.count == lineLength, line.last == 0x0A else { return nil }
        let parts = line.dropLast().split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 2, parts[0].utf8.count == hexLength, parts[1].utf8.count == digitsLength,
            let length = Int64(parts[1]), length >= 0
        else { return nil }
        return (parts[0], length)
    }
}

/// A file is not what was written, or not all of it.
struct CacheDamage: Error {}
