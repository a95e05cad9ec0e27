// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import FoundationEssentials
import NIOHTTP1

/// Judges a request for a WebSocket (RFC 6455, section 4.2.1); pure.
struct UpgradeRequest {
    static let path = "/ws"
    /// The subprotocol that is chosen where a client offers any.
    static let subprotocol = "drydock"

    /// What is agreed on when it is taken.
    struct Answer {
        /// The headers of the 101 answer.
        var headers: HTTPHeaders
        var deflate: DeflateAgreement?
    }

    let head: HTTPRequestHead
    let facts: TrustedProxies.Facts

    /// Whether this is an attempt at `/ws`, well-formed or not.
    ///
    /// Without `Connection: Upgrade` it is none (RFC 9110, section 7.8): the decoder goes on behind it, as with every other
    /// request, and so must we.
    static func isMeant(_ head: HTTPRequestHead) -> Bool {
        let path = head.uri.utf8.prefix { $0 != UInt8(ascii: "?") }
        return path.elementsEqual(Self.path.utf8) && stopsDecoder(head)
            && tokens(head.headers["upgrade"]).contains("websocket")
    }

    /// Whether the HTTP decoder stops after this request, because other bytes than HTTP may follow it.
    static func stopsDecoder(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT
            || (head.headers.contains(name: "upgrade")
                && tokens(head.headers["connection"]).contains("upgrade"))
    }

    /// The token that came with it: in a header, or where pages can put one; nil where none did.
    var token: String? {
        if let token = AccessPolicy.bearer(head.headers.first(name: "authorization")) { return token }
        let offered = Self.originalTokens(head.headers["sec-websocket-protocol"])
        return offered.first { $0.hasPrefix("bearer.") }.map { String($0.dropFirst(7)) }
    }

    /// Whether it came with anything that is to say who it is from.
    var hasCredentials: Bool { token != nil || head.headers.contains(name: "authorization") }

    /// The ticket in its address; nil where there is none.
    ///
    /// What else stands there is read by nobody.
    func ticket() throws(Problem) -> String? {
        guard let mark = head.uri.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        let tickets = head.uri[mark...].dropFirst().split(separator: "&").filter { $0.hasPrefix("ticket=") }
        guard tickets.count < 2 else {
            throw Problem(
                400,
                "query_invalid",
                "\"ticket\" stands there \(tickets.count) times",
                hint: "give it once"
            )
        }
        return tickets.first.map { String($0.dropFirst(7)) }
    }

    /// The answer to who has the right token, or why there is none.
    func answer(_ access: AccessPolicy) throws(Problem) -> Answer {
        try checkForm()
        let authority = facts.authority
        guard try access.site(authority) == .app else { throw .notFound("WebSocket on a preview's host") }
        let origin = head.headers.first(name: "origin")
        try access.checkOrigin(origin, authority: authority, isSecure: facts.isSecure)
        let offered = Self.originalTokens(head.headers["sec-websocket-protocol"])
        let key = head.headers.first(name: "sec-websocket-key") ?? ""
        var headers = HTTPHeaders([
            ("upgrade", "websocket"), ("connection", "Upgrade"),
            ("sec-websocket-accept", Self.accept(key: key)),
        ])
        if offered.contains(Self.subprotocol) {
            headers.add(name: "sec-websocket-protocol", value: Self.subprotocol)
        }
        let deflate = DeflateAgreement(offers: head.headers["sec-websocket-extensions"])
        if let deflate { headers.add(name: "sec-websocket-extensions", value: deflate.answer) }
        return Answer(headers: headers, deflate: deflate)
    }

    /// What proves to the client that its `Sec-WebSocket-Key` was understood (RFC 6455, section 4.2.2).
    static func accept(key: String) -> String {
        let proof = SHA1.digest(of: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(proof).base64EncodedString()
    }

    private func checkForm() throws(Problem) {
        guard head.method == .GET, head.version == .http1_1 else {
            throw Problem(400, "upgrade_invalid", "a WebSocket begins with GET in HTTP/1.1")
        }
        guard head.headers["sec-websocket-version"] == ["13"] else {
            throw Problem(426, "upgrade_version", "only version 13 of the WebSocket protocol is spoken here")
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, Data(base64Encoded: keys[0])?.count == 16 else {
            throw Problem(400, "upgrade_invalid", "Sec-WebSocket-Key must be 16 bytes in base 64")
        }
    }

    private static func tokens(_ values: [String]) -> [String] {
        originalTokens(values).map { $0.lowercased() }
    }

    private static func originalTokens(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { token in
            String(token.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
        }
    }
}
