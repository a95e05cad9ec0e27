// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol
import Hummingbird
import HummingbirdCore
import NIOCore

// A problem on its way to the client (RFC 9457): through the router, or where a WebSocket is refused before it.
extension Problem {
    /// Its JSON.
    var body: ByteBuffer {
        // Strings and a number: there is nothing in it that JSON could not say.
        (try? Response.encode(self)) ?? ByteBuffer()
    }

    /// Headers that belong to it, beside those about the body's length and the connection.
    var headers: [(name: String, value: String)] {
        let all = [
            ("content-type", "application/problem+json"), ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ]
        return switch status {
        case 401: all + [("www-authenticate", "Bearer")]
        case 405: all + [("allow", hint ?? "GET")]
        case 426: all + [("upgrade", "websocket"), ("sec-websocket-version", "13")]
        case 429: all + [("retry-after", "10")]
        default: all
        }
    }
}

extension Response {
    /// The answer that tells of a problem.
    static func problem(_ problem: Problem) -> Response {
        var headers = HTTPFields()
        for (name, value) in problem.headers { headers.set(name, value) }
        // What is left of a body that is too large is not read to its end.
        if problem.status == 413 { headers.set("connection", "close") }
        return Response(
            status: .init(code: problem.status),
            headers: headers,
            body: .init(byteBuffer: problem.body)
        )
    }
}
