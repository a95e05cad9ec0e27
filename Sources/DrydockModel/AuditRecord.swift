// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// That somebody changed something, or tried to: written once, never changed.
package struct AuditRecord: Hashable, Sendable, Codable {
    package var at: Timestamp
    /// The token's name; nil where none was needed.
    package var who: String?
    /// The address that it came from; a proxy's own where one stands in between.
    package var address: String
    /// What was asked for, by the operation's name: `createBuild`.
    package var action: String
    /// What it was asked of: a build, or a token's name; nil where nothing was there before.
    package var subject: String?
    /// The build that came of it.
    package var made: String?
    /// The answer's HTTP status.
    package var status: Int
    /// Why it was refused; nil where it was done.
    package var code: String?

    package init(
        at: Timestamp,
        who: String?,
        address: String,
        action: String,
        subject: String? = nil,
        made: String? = nil,
        status: Int,
        code: String? = nil
    ) {
        self.at = at
        self.who = who
        self.address = address
        self.action = action
        self.subject = subject
        self.made = made
        self.status = status
        self.code = code
    }
}
