// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import HummingbirdCore

/// What a client unpacks.
///
/// Source: RFC 9110, 12.5.3.
struct AcceptedEncodings: Sendable {
    let takesGzip: Bool

    init(_ request: Request) { self.init(request.headers.value("accept-encoding") ?? "") }

    /// `field` is the value of `Accept-Encoding`.
    init(_ field: String) {
        var (gzip, any): (Bool?, Bool?) = (nil, nil)
        for part in field.split(separator: ",") {
            let words = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            let isTaken = !words.dropFirst().contains(where: Self.isNothing)
            switch words.first {
            case "gzip", "x-gzip": gzip = isTaken
            case "*": any = isTaken
            default: break
            }
        }
        takesGzip = gzip ?? any ?? false
    }

    /// Whether a weight is 0: "not acceptable".
    private static func isNothing(_ parameter: String) -> Bool {
        parameter.hasPrefix("q=") && parameter.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
    }
}
