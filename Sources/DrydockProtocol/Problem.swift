// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// An error as the API tells it: problem details (RFC 9457) with a flat code.
package struct Problem: Error, Codable, Hashable, Sendable {
    /// `urn:drydock:problem:` and the code.
    package var type: String
    /// A few words that are the same for every problem of this code.
    package var title: String
    /// The HTTP status.
    package var status: Int
    /// What failed and why, this time.
    package var detail: String
    package var code: String
    /// What to do about it.
    package var hint: String?

    package init(_ status: Int, _ code: String, _ detail: String, hint: String? = nil) {
        self.type = "urn:drydock:problem:\(code)"
        self.title = String(code.map { $0 == "_" ? " " : $0 })
        self.status = status
        self.detail = detail
        self.code = code
        self.hint = hint
    }

    package init(_ status: Int, _ code: FailureCode, _ detail: String, hint: String? = nil) {
        self.init(status, code.rawValue, detail, hint: hint)
    }

    /// Nothing has this address or id.
    package static func notFound(_ what: String) -> Problem {
        Problem(404, "not_found", "there is no \(what)")
    }
}
