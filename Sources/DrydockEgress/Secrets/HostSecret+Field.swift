// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials

extension HostSecret {
    /// The field that a request gets.
    var field: (name: String, value: String) {
        switch credential {
        case .bearer(let token): ("Authorization", "Bearer " + token)
        case .basic(let pair): ("Authorization", "Basic " + Self.base64(pair))
        case .header(let name, let value): (name, value)
        }
    }

    /// What is taken out of answers.
    var masks: [[UInt8]] { Self.masks(of: credential) }

    /// The secret as it is, as it is sent, and as it stands in an address, in JSON and in HTML.
    static func masks(of credential: Credential) -> [[UInt8]] {
        var texts = [credential.secret]
        if case .basic(let pair) = credential {
            // What fills the last group up may be left out.
            texts.append(String(base64(pair).prefix { $0 != "=" }))
        }
        if case .header(_, let value) = credential {
            // `token SECRET`: the word alone, too.
            texts += value.split(separator: " ").map(String.init).filter { $0.utf8.count >= shortest }
        }
        let spelled = texts.flatMap { text in
            let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            let marked = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(
                ">",
                with: "&gt;"
            )
            .replacing("\"", with: "&quot;")
            let escapes = [
                escaped(text, sparing: ""), escaped(text, sparing: "/"), escaped(text, sparing: "/!*'()"),
            ]
            return [text, quoted, quoted.replacing("/", with: "\\/"), marked] + escapes
                + escapes.map(lowered)
        }
        return Set(spelled).map { Array($0.utf8) }
    }

    /// With escapes in small letters.
    private static func lowered(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            for digit in index + 1..<min(index + 3, bytes.count) where (0x41...0x46).contains(bytes[digit]) {
                bytes[digit] |= 0x20
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// RFC 3986 section 2.1.
    private static func escaped(_ text: String, sparing spared: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            let isUnreserved =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".utf8.contains(byte) || spared.utf8.contains(byte)
            return isUnreserved
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HostSecret {
    /// The password of an index's address; nil where there is none, a problem where it can not be added.
    ///
    /// Files lie anywhere on an index's host, so it is for all paths, to be read.
    package static func ofIndex(_ url: IndexURL) throws(FieldProblem) -> HostSecret? {
        guard let pair = url.userinfo else { return nil }
        var secret = try HostSecret(
            url.host,
            port: url.statedPort,
            .basic(pair.contains(":") ? pair : pair + ":")
        )
        // Whoever wrote http there has said so.
        secret.isInsecure = !url.isSecure
        return secret
    }
}
