// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore

/// The `Host` of a request, taken apart (RFC 9110 section 7.2).
struct Authority: Hashable, Sendable {
    /// Lower case, without port, brackets and a final dot.
    let name: String
    let port: Int?

    /// Reads `name`, `name:port`, `[::1]:port`; nil for what is none of these.
    init?(_ written: String) {
        let text = written.lowercased()
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        if host.hasSuffix(".") { host = host.dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy(Self.isAllowed) else { return nil }
        if let port, !port.isEmpty {
            guard let number = Int(port), (1...65_535).contains(number) else { return nil }
            self.port = number
        } else {
            self.port = nil
        }
        self.name = String(host)
    }

    /// Whether it is an address: a name that an attacker's DNS answers can not stand behind.
    var isAddress: Bool { (try? SocketAddress(ipAddress: name, port: 0)) != nil }

    /// Whether it means this machine, whatever the resolver says.
    var isLoopback: Bool {
        name == "localhost" || name == "::1" || (name.hasPrefix("127.") && isAddress)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
        default: false
        }
    }
}
