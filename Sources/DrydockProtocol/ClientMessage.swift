// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What a `/ws` client may say; the shapes stand in `docs/wire.md`.
package enum ClientMessage: Hashable, Sendable {
    /// `INIT` or `USER`: from now on the connection gets the messages of this session, in profile 0 or, where there is a
    /// wish, in profile 1.
    case register(SessionID, StreamWish?)
    /// `CANCEL`: end a build of the connection's session; nil = the one that is shown.
    case cancel(BuildID?)
    /// `RETRY`: a new build of the same source; nil = the one shown last.
    case retry(BuildID?)
    /// `PING`: answered with `PONG` on this connection.
    case ping
}

/// Why a client's message was not understood.
package enum ClientMessageError: Error, Hashable, Sendable {
    case binary
    case notJSON
    case noType
    case unknownType(String)
    case badSession
    case badBuild
    case badPosition

    /// A stable code for programs.
    package var code: String {
        switch self {
        case .binary: "message_binary"
        case .notJSON: "message_not_json"
        case .noType: "message_without_type"
        case .unknownType: "message_unknown_type"
        case .badSession: "session_id_invalid"
        case .badBuild: "build_id_invalid"
        case .badPosition: "position_invalid"
        }
    }

    /// What is wrong and what to send instead.
    package var message: String {
        switch self {
        case .binary: "binary messages are not understood: send JSON as text"
        case .notJSON:
            "the message is not a JSON object: send one, such as {\"type\":\"INIT\",\"session_id\":\"s\"}"
        case .noType: "the message has no \"type\": send INIT, USER, CANCEL, RETRY or PING"
        case .unknownType(let type):
            "the type \"\(type.prefix(40))\" is not known: send INIT, USER, CANCEL, RETRY or PING"
        case .badSession:
            "\"session_id\" must be a string of 1 to \(ClientMessage.longestSession) bytes without control characters"
        case .badBuild: "\"build_id\" must be a string such as b_0123456789abcdef"
        case .badPosition:
            "\"builds\" must be an object of at most \(StreamWish.mostBuilds) positions such as {\"b_…\":{\"epoch\":\"a_…\",\"seq\":127}}, and \"from\" \"now\" or \"start\""
        }
    }
}

extension ClientMessage {
    /// Longest message that is read, in bytes; the codec closes with 1009 above it.
    package static let longest = 256 << 10
    /// Longest session id, in bytes.
    package static let longestSession = 200

    /// Reads one text message.
    ///
    /// Unknown keys are ignored; `build_id` may stand at the top or inside `data`.
    package static func decode(_ bytes: [UInt8]) throws(ClientMessageError) -> ClientMessage {
        // Reading stops at the first bound: a message costs its sender as much as the server.
        guard let value = try? BoundedJSONReader.read(bytes, bounds: .client), value.object != nil else {
            throw .notJSON
        }
        guard let type = value["type"]?.string else { throw .noType }
        switch type {
        case "INIT", "USER":
            return .register(try session(value["session_id"]), try StreamWish.read(value["data"]))
        case "CANCEL": return .cancel(try build(in: value))
        case "RETRY": return .retry(try build(in: value))
        case "PING": return .ping
        default: throw .unknownType(type)
        }
    }

    /// The token that a first message brings; nil where it is none, or another message.
    package static func token(in bytes: [UInt8]) -> String? {
        guard let value = try? BoundedJSONReader.read(bytes, bounds: .client),
            ["INIT", "USER"].contains(value["type"]?.string)
        else { return nil }
        return value["token"]?.string
    }

    /// The session a client names, checked.
    package static func session(_ value: JSON?) throws(ClientMessageError) -> SessionID {
        guard let text = value?.string, let session = SessionID(checking: text) else { throw .badSession }
        return session
    }

    private static func build(in value: JSON) throws(ClientMessageError) -> BuildID? {
        guard let named = value["build_id"] ?? value["data"]?["build_id"], named != .null else { return nil }
        guard let text = named.string, text.utf8.count <= 64 else { throw .badBuild }
        return BuildID(rawValue: text)
    }
}

extension JSONBounds {
    /// What messages and bodies of clients may hold; their length is bounded before.
    package static let client = JSONBounds(depth: 64, fields: 1 << 16, elements: 1 << 16)
}

extension SessionID {
    /// A session id taken from outside: 1 to 200 bytes, no control characters; nil for anything else.
    package init?(checking text: String) {
        guard (1...ClientMessage.longestSession).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        self.init(rawValue: text)
    }
}

extension ProjectName {
    /// A project name taken from outside, by the same rule as a session id; nil for anything else.
    package init?(checking text: String) {
        guard let checked = SessionID(checking: text) else { return nil }
        self.init(rawValue: checked.rawValue)
    }
}
