// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import FoundationEssentials

/// A store of certificates to trust as Java keeps them (JKS, version 2): Java reads no PEM.
///
/// Of its forms this is the one that every Java reads and that needs nothing but lengths and a digest. Debian's own has it, too.
/// Source: sun.security.provider.JavaKeyStore of OpenJDK, `engineStore`.
enum JavaStore {
    /// What everybody's store has for a password; the digest tells damage, and nothing else.
    private static let password = "changeit"
    private static let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
    private static let end = Array("-----END CERTIFICATE-----".utf8)

    /// The store of all certificates of `list`, PEM.
    static func bytes(of list: [UInt8]) -> [UInt8] {
        let trusted = certificates(in: list)
        var store = number(0xFEED_FEED)
        store += number(2)
        store += number(trusted.count)
        for (index, certificate) in trusted.enumerated() {
            // One to trust, by what name, and since when.
            store += number(2)
            store += text(String(index))
            store += [UInt8](repeating: 0, count: 8)
            store += text("X.509")
            store += number(certificate.count)
            store += certificate
        }
        var seal: [UInt8] = []
        for unit in password.utf16 { seal += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        seal += Array("Mighty Aphrodite".utf8)
        return store + SHA1.digest(of: seal + store)
    }

    /// Those of a list, DER; what is no Base64 is left out.
    private static func certificates(in list: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var body: [UInt8]?
        for line in list.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if line.elementsEqual(begin) {
                body = []
            } else if line.elementsEqual(end) {
                if let body, let certificate = Data(base64Encoded: Data(body)) {
                    found.append(Array(certificate))
                }
                body = nil
            } else {
                body?.append(contentsOf: line)
            }
        }
        return found
    }

    private static func number(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) }
    }

    private static func text(_ text: String) -> [UInt8] {
        [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8)
    }
}
