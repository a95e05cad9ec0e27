// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOHTTP1

/// The field Cache-Control of an answer (RFC 9111 section 5.2).
struct CacheDirectives {
    private let directives: [(name: String, value: String?)]

    init(_ headers: HTTPHeaders) {
        // A semicolon between them is none, and common.
        let listed = headers[canonicalForm: "Cache-Control"].flatMap { $0.split(separator: ";") }
        directives = listed.map { directive in
            let parts = directive.split(separator: "=", maxSplits: 1).map { part in
                part.filter { !" \t\"".contains($0) }
            }
            return (parts.first?.lowercased() ?? "", parts.count == 2 ? parts[1] : nil)
        }
    }

    func has(_ name: String) -> Bool { directives.contains { $0.name == name } }

    /// Where it stands twice, with different values, nothing is said (RFC 9111 section 4.2.1).
    func value(_ name: String) -> String? {
        let values = directives.filter { $0.name == name }.map(\.value)
        return values.allSatisfy { $0 == values.first } ? values.first ?? nil : nil
    }
}

/// By what a host is asked whether what it said still holds (RFC 9110 section 8.8).
struct CacheValidators {
    private let tag: String?
    private let date: String?

    init(_ headers: HTTPHeaders) {
        tag = headers.first(name: "ETag")
        date = headers.first(name: "Last-Modified")
    }

    var areThere: Bool { tag != nil || date != nil }

    /// The fields of a request that asks.
    var conditions: [(String, String)] {
        if let tag { return [("If-None-Match", tag)] }
        return date.map { [("If-Modified-Since", $0)] } ?? []
    }

    /// Whether an answer with these fields is of the same content; one that does not say is.
    func agree(with headers: HTTPHeaders) -> Bool {
        guard let tag, let other = headers.first(name: "ETag") else { return true }
        return Self.bare(tag) == Self.bare(other)
    }

    /// RFC 9110 section 8.8.3.2, the weak comparison.
    private static func bare(_ tag: some StringProtocol) -> String {
        tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : String(tag)
    }

    /// Whether who asks says that it has this already.
    func match(_ request: HTTPRequestHead) -> Bool {
        guard let tag else { return false }
        return request.headers[canonicalForm: "If-None-Match"].contains { Self.bare($0) == Self.bare(tag) }
    }
}
