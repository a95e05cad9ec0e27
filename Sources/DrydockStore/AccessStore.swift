// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The part of a store that knows who may do what, and who did.
package protocol AccessStore: Sendable {
    /// Keeps a new token; `tokenNameTaken` where one of that name was ever kept: the audit goes by names.
    func addToken(_ token: AccessToken) async throws

    /// All there ever were, by name.
    func tokens() async throws -> [AccessToken]

    /// Whether there ever was one: who has asked for tokens once goes on asking.
    func hasTokens() async throws -> Bool

    /// The token of that digest, in whatever state it is.
    func token(_ digest: Digest) async throws -> AccessToken?

    /// Makes a token worthless from now on; nil where there is none of that name. Again, it stays as it was.
    func revokeToken(_ name: TokenName) async throws -> AccessToken?

    /// Appends to the audit.
    func record(_ record: AuditRecord) async throws

    /// The newest records, at most `limit`, the newest first.
    func audit(limit: Int) async throws -> [AuditRecord]
}
