// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore

/// The first message of a TLS connection, as far as it says whom it is for.
///
/// Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC 9849 for the encrypted form.
struct ClientHello: Hashable, Sendable {
    /// The server's name, as it stands there; nil where there is none.
    var serverName: String?
    /// Whether the true name may be hidden in it.
    var isEncrypted = false

    /// Bytes of the largest one that is read; those of browsers have 1 to 3 KB.
    static let longest = 16_384

    enum Reading: Hashable, Sendable {
        case needsMore
        case hello(ClientHello)
        /// It is none, or breaks the rules.
        case refused
    }

    /// Reads one from the beginning of what a client has sent so far.
    static func read(_ bytes: ByteBufferView) -> Reading {
        var records = Parser(bytes)
        var message: [UInt8] = []
        while true {
            // A handshake record: type 22, version 3.x, at most 2^14 bytes, not empty.
            guard let type = records.integer(1) else { return .needsMore }
            guard type == 22 else { return .refused }
            guard let major = records.integer(1) else { return .needsMore }
            guard major == 3 else { return .refused }
            guard records.integer(1) != nil, let length = records.integer(2) else { return .needsMore }
            guard (1...16_384).contains(length) else { return .refused }
            let isWhole = records.left >= length
            message += records.take(min(length, records.left)) ?? []
            switch whole(message) {
            case .needsMore: if !isWhole { return .needsMore }
            case let done: return done
            }
        }
    }

    private static func whole(_ message: [UInt8]) -> Reading {
        var parser = Parser(message)
        guard let type = parser.integer(1) else { return .needsMore }
        guard type == 1 else { return .refused }
        guard let length = parser.integer(3) else { return .needsMore }
        guard length <= longest else { return .refused }
        guard let body = parser.take(length) else { return .needsMore }
        // What follows in the same record could be read as another beginning.
        guard parser.left == 0, let hello = ClientHello(body: body) else { return .refused }
        return .hello(hello)
    }

    private init?(body: ArraySlice<UInt8>) {
        var parser = Parser(body)
        guard parser.take(2 + 32) != nil, parser.vector(1) != nil, parser.vector(2) != nil,
            parser.vector(1) != nil
        else { return nil }
        if parser.left == 0 { return }
        guard let list = parser.vector(2), parser.left == 0 else { return nil }
        var extensions = Parser(list)
        var seen: Set<Int> = []
        while extensions.left > 0 {
            guard let type = extensions.integer(2), let content = extensions.vector(2),
                seen.insert(type).inserted
            else { return nil }
            switch type {
            case 0:
                guard let name = Self.name(content) else { return nil }
                serverName = name
            // encrypted_client_hello, and the drafts before it.
            case 0xFE0D, 0xFFCE, 0xFE08, 0xFE09, 0xFE0A: isEncrypted = true
            default: break
            }
        }
    }

    init(serverName: String?, isEncrypted: Bool = false) {
        self.serverName = serverName
        self.isEncrypted = isEncrypted
    }

    /// The one name of the extension: a list of one is all that there may be of a type.
    private static func name(_ content: ArraySlice<UInt8>) -> String? {
        var parser = Parser(content)
        guard let list = parser.vector(2), parser.left == 0 else { return nil }
        var names = Parser(list)
        guard names.integer(1) == 0, let name = names.vector(2), names.left == 0, !name.isEmpty else {
            return nil
        }
        return String(decoding: name, as: UTF8.self)
    }
}

/// Takes integers and vectors off the front of bytes (RFC 8446 section 3).
private struct Parser {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(bytes) }

    var left: Int { rest.count }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// An unsigned number of so many bytes.
    mutating func integer(_ width: Int) -> Int? {
        take(width).map { $0.reduce(0) { $0 << 8 | Int($1) } }
    }

    /// Bytes behind their count, which has `width` bytes.
    mutating func vector(_ width: Int) -> ArraySlice<UInt8>? {
        integer(width).flatMap { take($0) }
    }
}
