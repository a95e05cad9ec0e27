// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The address of an index or of a proxy: `https://index.example.org/simple`.
///
/// What stands in front of the host's name, `NAME:PASSWORD@`, is kept apart: it is a secret.
package struct IndexURL: Hashable, Sendable {
    package let isSecure: Bool
    package let host: HostName
    /// As written; nil = the scheme's own.
    package let statedPort: UInt16?
    /// With its slash in front, and the query; empty where there is none.
    package let path: String
    /// `NAME:PASSWORD`, without escapes.
    package let userinfo: String?

    package var port: UInt16 { statedPort ?? (isSecure ? 443 : 80) }

    /// Reads an address as it stands in files.
    ///
    /// Source: RFC 3986 section 3.
    package init(parsing text: some StringProtocol) throws(FieldProblem) {
        guard let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }) else {
            throw Self.problem("is not one of https or http")
        }
        isSecure = scheme == "https://"
        let rest = text.dropFirst(scheme.count)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw Self.problem("has a space, a backslash, or a character beyond ASCII")
        }
        if rest.contains("#") { throw Self.problem("has a fragment (#)") }
        var authority = rest[..<end]
        path = String(rest[end...])
        if let at = authority.lastIndex(of: "@") {
            userinfo = Self.unescaped(authority[..<at])
            authority = authority[authority.index(after: at)...]
        } else {
            userinfo = nil
        }
        if let colon = authority.lastIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0
            else { throw Self.problem("has a port that is none, or an address instead of a name") }
            statedPort = port
            authority = authority[..<colon]
        } else {
            statedPort = nil
        }
        do throws(HostNameProblem) {
            host = try HostName(authority)
        } catch {
            // Without what may be a secret in front.
            throw FieldProblem("'\(authority.prefix(64))' \(error.explanation)", hint: error.hint)
        }
    }

    /// Source: RFC 3986 section 2.1; what is no escape stays.
    private static func unescaped(_ text: some StringProtocol) -> String {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func problem(_ what: String) -> FieldProblem {
        FieldProblem(
            "the address \(what)",
            hint: "write it whole, such as https://index.example.org/simple"
        )
    }

    /// The rule that allows it and nothing else.
    package var rule: NetworkRule {
        NetworkRule(.name(host), port: NetworkRule.webPorts.contains(port) ? nil : port)
    }
}

extension IndexURL: CustomStringConvertible {
    /// Without the secret.
    package var description: String {
        (isSecure ? "https://" : "http://") + host.text + (statedPort.map { ":\($0)" } ?? "") + path
    }
}
