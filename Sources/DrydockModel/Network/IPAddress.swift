// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc

/// An address of version 4 or 6, without a port or a zone.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in network order.
    package let bytes: [UInt8]

    /// From 4 or 16 bytes in network order; nil for any other number of them.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the usual notation, and only that: four decimal numbers, or RFC 4291's (man 3 inet_pton).
    package init?(_ text: some StringProtocol) {
        var bytes = [UInt8](repeating: 0, count: 16)
        let text = String(text)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    package var isVersion4: Bool { bytes.count == 4 }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isVersion4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "\(bytes)" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// All addresses that begin with the same bits: `10.0.0.0/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    /// How many leading bits are the same.
    package let prefix: Int

    /// Reads `ADDRESS/BITS`, or one address; nil for anything else, and where bits beyond the prefix are set.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = IPAddress(parts[0]) else { return nil }
        let all = first.bytes.count * 8
        var prefix = all
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1]),
                bits <= all
            else { return nil }
            prefix = bits
        }
        self.first = first
        self.prefix = prefix
        let rest = first.bytes.enumerated().contains { index, byte in byte & ~Self.mask(index, prefix) != 0 }
        if rest { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == first.bytes.count else { return false }
        return first.bytes.indices.allSatisfy { index in
            (address.bytes[index] ^ first.bytes[index]) & Self.mask(index, prefix) == 0
        }
    }

    package var description: String { "\(first)/\(prefix)" }

    /// The bits of byte `index` that belong to a prefix of so many.
    private static func mask(_ index: Int, _ prefix: Int) -> UInt8 {
        let bits = min(max(prefix - index * 8, 0), 8)
        return bits == 0 ? 0 : 0xFF << UInt8(8 - bits)
    }
}
