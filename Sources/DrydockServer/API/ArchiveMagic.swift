// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// What an upload is, by its first bytes; the worker's own readers decide whether it is whole and harmless.
enum ArchiveMagic {
    /// Bytes that are looked at: one tar header.
    static let length = 512

    /// Refuses what is no tar, tar.gz or zip, saying what it seems to be.
    static func check(_ head: [UInt8]) throws(Problem) {
        guard !head.isEmpty else {
            throw Problem(
                400,
                .sourceInvalid,
                "the request's body is empty",
                hint: "send a tar, tar.gz or zip"
            )
        }
        if head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || isTar(head) {
            return
        }
        let names: [([UInt8], String)] = [
            ([0x50, 0x4B, 0x05, 0x06], "an empty zip"), ([0xFD, 0x37, 0x7A], "xz"),
            ([0x42, 0x5A, 0x68], "bzip2"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x37, 0x7A, 0xBC, 0xAF], "7z"),
            ([0x52, 0x61, 0x72], "rar"),
        ]
        let guess = names.first { head.starts(with: $0.0) }?.1 ?? "no archive that is known"
        throw Problem(400, .sourceInvalid, "the body is \(guess)", hint: "send a tar, tar.gz or zip")
    }

    /// A header whose checksum holds, whatever its age (POSIX.1-1988, ustar; the sum has its own field as blanks).
    private static func isTar(_ head: [UInt8]) -> Bool {
        guard head.count >= length else { return false }
        let stored = head[148..<156].drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        guard !stored.isEmpty, let sum = Int(String(decoding: stored, as: UTF8.self), radix: 8) else {
            return false
        }
        let counted = head[..<length].enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element))
        }
        return sum == counted
    }
}
