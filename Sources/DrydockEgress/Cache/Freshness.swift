// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOHTTP1

/// How long an answer may be given again without asking its host, by what it says of itself to a shared cache.
///
/// Source: RFC 9111 sections 3 and 4.2.
struct Freshness: Equatable {
    /// Seconds of what changes seldom, where the host does not say: a tenth of its age, and at most this.
    private static let longestGuess: Int64 = 86_400
    /// Seconds; what says longer says "for ever".
    private static let longest: Int64 = 10 * 365 * 86_400
    /// Answers that mean the same to whoever asks; others are errors of the moment, or parts.
    private static let statuses: Set<UInt> = [200, 301, 308, 404, 410]

    /// Seconds from when the host made it; with 0 the host is asked each time whether it still holds.
    let lifetime: Int64
    /// Seconds that it was under way, in other caches.
    let age: Int64

    /// nil where the answer is for nobody else, or could never be given again.
    ///
    /// It came at `now`, seconds since 1970. `unsaid`: seconds that one holds which says nothing of it; nil = that is guessed.
    init?(of head: HTTPResponseHead, at now: Int64, unsaid: Int64? = nil) {
        let headers = head.headers
        guard Self.statuses.contains(head.status.code), !headers.contains(name: "Set-Cookie"),
            !headers.contains(name: "Set-Cookie2"), !headers[canonicalForm: "Vary"].contains("*")
        else { return nil }
        let directives = CacheDirectives(headers)
        guard !directives.has("no-store"), !directives.has("private") else { return nil }
        age = Self.age(of: headers, at: now)
        lifetime = directives.has("no-cache") ? 0 : Self.lifetime(head, directives, unsaid)
        if lifetime <= age, !CacheValidators(headers).areThere { return nil }
    }

    /// Seconds since the host made an answer that came at `now` (RFC 9111 section 4.2.3): what caches on the way say, or, since not
    /// all do, what the host's clock says.
    static func age(of headers: HTTPHeaders, at now: Int64) -> Int64 {
        let said = headers.first(name: "Age").flatMap(digits) ?? 0
        let date = headers.first(name: "Date").flatMap(HTTPDate.seconds) ?? now
        return min(max(said, now - date), longest)
    }

    private static func lifetime(
        _ head: HTTPResponseHead,
        _ directives: CacheDirectives,
        _ unsaid: Int64?
    ) -> Int64 {
        for name in ["s-maxage", "max-age"] where directives.has(name) {
            // What can not be read is not fresh.
            return directives.value(name).flatMap(digits) ?? 0
        }
        let headers = head.headers
        let date = headers.first(name: "Date").flatMap(HTTPDate.seconds)
        if let field = headers.first(name: "Expires") {
            guard let date, let end = HTTPDate.seconds(field) else { return 0 }
            return min(max(end - date, 0), longest)
        }
        guard head.status == .ok else { return 0 }
        if let unsaid { return unsaid }
        guard let date,
            let changed = headers.first(name: "Last-Modified").flatMap(HTTPDate.seconds)
        else { return 0 }
        return min(max((date - changed) / 10, 0), longestGuess)
    }

    /// RFC 9111 section 1.2.2: a number too large is a very long time.
    private static func digits(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Int64(text) ?? longest, longest)
    }
}
