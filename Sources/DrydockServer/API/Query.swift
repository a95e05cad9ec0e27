// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockPreview
import DrydockProtocol
import HummingbirdCore

/// What stands behind `?` in a request's address, read strictly: a value that could mean two things is refused.
///
/// Hummingbird's own reader takes a broken escape as it stands, mends what is no UTF-8, and passes over second values.
struct Query: Sendable {
    private let pairs: [(key: Substring, value: String)]

    init(_ request: Request) throws(Problem) { try self.init(request.uri.query ?? "") }

    /// `text` is what stands between `?` and `#`.
    init(_ text: String) throws(Problem) {
        var pairs: [(Substring, String)] = []
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            let halves = part.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let key = Substring(halves[0])
            guard let value = PercentCoding.decodeText(halves.count > 1 ? Substring(halves[1]) : "") else {
                throw Self.broken("\"\(key.prefix(40))\" is no escaped UTF-8", hint: "write % as %25")
            }
            pairs.append((key, value))
        }
        self.pairs = pairs
    }

    /// The value of `key`; nil where it has none.
    ///
    /// Throws where it has two.
    func one(_ key: String) throws(Problem) -> String? {
        let values = all(key)
        guard values.count < 2 else {
            throw Self.broken("\"\(key)\" stands there \(values.count) times", hint: "give it once")
        }
        return values.first
    }

    /// The values of `key`, as they come.
    func all(_ key: String) -> [String] { pairs.filter { $0.key == key }.map(\.value) }

    private static func broken(_ detail: String, hint: String) -> Problem {
        Problem(400, "query_invalid", detail, hint: hint)
    }
}
