// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc

/// Hides secrets in text on its way to the journal, to plugins and to people.
///
/// Works line by line: a secret of several lines is hidden by each of its lines that has at least 8 bytes, so that no
/// newline has to wait for the next one.
package struct Masker: Sendable, Hashable {
    private static let blank = Array("***".utf8)
    /// Longest first, so that a secret inside another leaves nothing of it.
    private var secrets: [[UInt8]] = []

    /// Hides `secrets`; those shorter than `PluginLineLimits.shortestMask` bytes are left out.
    package init(_ secrets: [String] = []) {
        for secret in secrets { add(secret) }
    }

    /// Hides `secret` from now on.
    package mutating func add(_ secret: String) {
        let lines = secret.utf8.split { $0 == 0x0A || $0 == 0x0D }
        let least = lines.count > 1 ? 8 : PluginLineLimits.shortestMask
        let new = lines.map(Array.init).filter { $0.count >= least && !secrets.contains($0) }
        secrets = (secrets + new).sorted { $0.count > $1.count }
    }

    /// `text` without its secrets.
    package func masked(_ text: String) -> String {
        guard !secrets.isEmpty else { return text }
        var bytes = Array(text.utf8)
        mask(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A segment's text: masked, repaired with U+FFFD where it is not UTF-8, and marked where it was clipped.
    package func text(of segment: OutputSegment) -> String {
        guard !secrets.isEmpty || segment.dropped > 0 else {
            return String(decoding: segment.bytes, as: UTF8.self)
        }
        var bytes = Array(segment.bytes)
        mask(&bytes)
        guard segment.dropped > 0 else { return String(decoding: bytes, as: UTF8.self) }
        dropHalfSecret(&bytes)
        dropHalfCharacter(&bytes)
        return String(decoding: bytes, as: UTF8.self)
            + " [... \(segment.dropped) more bytes of this line were dropped]"
    }

    private func mask(_ bytes: inout [UInt8]) {
        for secret in secrets where bytes.count >= secret.count {
            var clean: [UInt8] = []
            var start = 0
            while let found = Self.find(secret, in: bytes, from: start) {
                clean += bytes[start..<found] + Self.blank
                start = found + secret.count
            }
            if start > 0 { bytes = clean + bytes[start...] }
        }
    }

    private static func find(_ secret: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, let first = secret.first else { return nil }
            var position = start
            while buffer.count - position >= secret.count {
                let room = buffer.count - secret.count - position + 1
                guard let found = memchr(base + position, Int32(first), room) else { return nil }
                position = UnsafeRawPointer(found) - base
                if memcmp(base + position, secret, secret.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }

    /// A clipped line may end in the middle of a secret: what could be its beginning goes too.
    private func dropHalfSecret(_ bytes: inout [UInt8]) {
        let longest = secrets.flatMap { secret in
            (1..<secret.count).filter {
                $0 <= bytes.count && bytes.suffix($0).elementsEqual(secret.prefix($0))
            }
        }.max()
        bytes.removeLast(longest ?? 0)
    }

    /// A clipped line may end in the middle of a character.
    private func dropHalfCharacter(_ bytes: inout [UInt8]) {
        guard let lead = bytes.suffix(3).lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return }
        let length = bytes[lead] >= 0xF0 ? 4 : bytes[lead] >= 0xE0 ? 3 : bytes[lead] >= 0xC0 ? 2 : 1
        if bytes.count - lead < length { bytes.removeSubrange(lead...) }
    }
}
