// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// Whose word counts for where a request comes from, and by which scheme and for which host it was made.
///
/// Everybody can write `X-Forwarded-…`: what others than the proxies named here say is passed over.
struct TrustedProxies: Sendable {
    /// Where a request comes from, and what its client asked for.
    struct Facts: Hashable, Sendable {
        /// The client's; nil where the connection has none.
        var address: IPAddress?
        var isSecure: Bool
        /// The host that the client named.
        var authority: String?

        /// As the audit and the logs write it.
        var place: String { address?.description ?? "local" }
    }

    let ranges: [AddressRange]
    /// Whether connections themselves are encrypted.
    var isSecure = false

    /// Whether the other end of a connection is a proxy that is believed.
    func trusts(_ peer: SocketAddress?) -> Bool {
        guard let address = Self.address(peer) else { return false }
        return trusts(address)
    }

    /// What a request for `authority` is, whose connection comes from `peer`; `values` gives those of a header, in their
    /// order.
    func facts(_ peer: SocketAddress?, _ authority: String?, _ values: (String) -> [String]) -> Facts {
        var facts = Facts(address: Self.address(peer), isSecure: isSecure, authority: authority)
        guard let proxy = facts.address, trusts(proxy) else { return facts }
        facts.address = client(values("x-forwarded-for")) ?? proxy
        switch Self.single(values("x-forwarded-proto"))?.lowercased() {
        case "https": facts.isSecure = true
        case "http": facts.isSecure = false
        default: break
        }
        if let host = Self.single(values("x-forwarded-host")), Authority(host) != nil {
            facts.authority = host
        }
        return facts
    }

    /// The nearest address that is none of the proxies', or the farthest where all are; nil where one on the way to it is
    /// none at all: what stands behind such a word is not known.
    private func client(_ values: [String]) -> IPAddress? {
        var last: IPAddress?
        let hops = values.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)
        for hop in hops.reversed() {
            guard let address = Self.hop(hop) else { return nil }
            last = address
            if !trusts(address) { return address }
        }
        return last
    }

    private func trusts(_ address: IPAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
    private static func hop(_ written: Substring) -> IPAddress? {
        var text = written.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        if let address = IPAddress(text) { return address.plain }
        guard let authority = Authority(String(text)), !authority.name.hasSuffix(".") else { return nil }
        return IPAddress(authority.name)?.plain
    }

    private static func single(_ values: [String]) -> String? { values.count == 1 ? values[0] : nil }

    /// The address of one end of a connection; nil where it is a socket's path.
    static func address(_ peer: SocketAddress?) -> IPAddress? {
        peer?.ipAddress.flatMap { IPAddress($0) }?.plain
    }
}

extension IPAddress {
    /// Itself, or the IPv4 address that is written as one of IPv6 (RFC 4291, section 2.5.5.2).
    var plain: IPAddress {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        guard bytes.count == 16, bytes.starts(with: mapped) else { return self }
        return IPAddress(bytes: Array(bytes.suffix(4))) ?? self
    }

    /// Whether it is this machine's own.
    var isLoopback: Bool {
        isVersion4 ? bytes.first == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }
}
