// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import NIOCore

extension HTTPFields {
    /// Sets a header by its name; a name that is none is our own mistake.
    ///
    /// nil takes it away.
    mutating func set(_ name: String, _ value: String?) {
        guard let name = Element.Name(name) else { preconditionFailure("\(name) is no header name") }
        self[name] = value
    }

    /// The header's value; nil where there is none.
    func value(_ name: String) -> String? { Element.Name(name).flatMap { self[$0] } }

    /// The header's values, each as it came.
    func values(_ name: String) -> [String] { Element.Name(name).map { self[values: $0] } ?? [] }
}

extension Response {
    /// JSON; never cached, and never taken for a page.
    static func json(_ value: some Encodable, status: Int = 200) throws -> Response {
        .bytes(try encode(value), type: "application/json", status: status)
    }

    /// `value` as the API writes JSON.
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    /// A body that is there already.
    static func bytes(_ body: ByteBuffer, type: String, status: Int = 200) -> Response {
        var headers = HTTPFields()
        headers.set("content-type", type)
        headers.set("cache-control", "no-store")
        headers.set("x-content-type-options", "nosniff")
        return Response(status: .init(code: status), headers: headers, body: .init(byteBuffer: body))
    }

    static func text(
        _ text: String,
        type: String = "text/plain; charset=utf-8",
        status: Int = 200
    ) -> Response {
        .bytes(ByteBuffer(string: text), type: type, status: status)
    }
}
