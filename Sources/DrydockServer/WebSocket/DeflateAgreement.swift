// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// What a client and the server agreed on about compression (RFC 7692, section 7.1): each message by itself, both ways.
struct DeflateAgreement: Hashable, Sendable {
    /// Size of the window of what is sent, as a power of two.
    let window: Int
    /// The value of `Sec-WebSocket-Extensions` in the answer.
    let answer: String

    /// Takes the first offer that can be kept; nil where there is none, or the header is malformed.
    init?(offers headers: [String]) {
        guard let offers = ExtensionOffer.parse(headers) else { return nil }
        for offer in offers {
            guard let made = Self(offer) else { continue }
            self = made
            return
        }
        return nil
    }

    /// Declines what is unknown, said twice, or beyond what zlib can do (RFC 7692, section 5.1).
    private init?(_ offer: ExtensionOffer) {
        guard offer.name == "permessage-deflate",
            Set(offer.parameters.map(\.name)).count == offer.parameters.count
        else { return nil }
        var asked: Int?
        for (name, value) in offer.parameters {
            switch (name, value) {
            case ("server_no_context_takeover", nil), ("client_no_context_takeover", nil),
                ("client_max_window_bits", nil):
                break
            // Whatever the client's window is, messages are read with the largest.
            case ("client_max_window_bits", let value?):
                guard Self.bits(value) != nil else { return nil }
            case ("server_max_window_bits", let value?):
                guard let bits = Self.bits(value), Deflater.windows.contains(bits) else { return nil }
                asked = bits
            default: return nil
            }
        }
        window = asked ?? FrameEncoder.window
        answer =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            + (asked.map { "; server_max_window_bits=\($0)" } ?? "")
    }

    /// 8 to 15 in decimal, without leading zeros.
    private static func bits(_ text: String) -> Int? { (8...15).first { String($0) == text } }
}

/// One element of `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).
struct ExtensionOffer: Sendable {
    var name: String
    var parameters: [(name: String, value: String?)] = []

    /// Every element of all headers, in order; nil where something is malformed.
    static func parse(_ headers: [String]) -> [ExtensionOffer]? {
        var reader = Reader(bytes: Array(headers.joined(separator: ",").utf8)[...])
        var offers: [ExtensionOffer] = []
        while true {
            // Empty elements mean nothing (RFC 9110, section 5.6.1).
            while reader.skip(",") {}
            if reader.isAtEnd { return offers }
            guard let offer = reader.offer() else { return nil }
            offers.append(offer)
            guard reader.isAtEnd || reader.skip(",") else { return nil }
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        var isAtEnd: Bool {
            mutating get {
                bytes = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                return bytes.isEmpty
            }
        }

        /// Whether `sign` came, after white space.
        mutating func skip(_ sign: Unicode.Scalar) -> Bool {
            guard !isAtEnd, bytes.first == UInt8(ascii: sign) else { return false }
            bytes.removeFirst()
            return true
        }

        mutating func offer() -> ExtensionOffer? {
            guard let name = token() else { return nil }
            var offer = ExtensionOffer(name: name)
            while skip(";") {
                guard let name = token() else { return nil }
                var value: String?
                if skip("=") {
                    value = skip("\"") ? quoted() : token()
                    if value == nil { return nil }
                }
                offer.parameters.append((name, value))
            }
            return offer
        }

        mutating func token() -> String? {
            guard !isAtEnd else { return nil }
            let text = bytes.prefix(while: Self.isTokenByte)
            bytes = bytes.dropFirst(text.count)
            return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        }

        /// The rest of a quoted string, which must be a token once its quotes are gone (RFC 6455, section 9.1).
        mutating func quoted() -> String? {
            var text: [UInt8] = []
            while var byte = bytes.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = bytes.popFirst() else { return nil }
                    byte = escaped
                }
                guard Self.isTokenByte(byte), !bytes.isEmpty else { return nil }
                text.append(byte)
            }
            return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        }

        /// RFC 9110, section 5.6.2.
        private static func isTokenByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
    }
}
