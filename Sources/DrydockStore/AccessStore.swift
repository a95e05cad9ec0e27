// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What the audit is to say of a change, by what came of it; nil = nothing.
///
/// It stands in the audit if, and only if, the change was made: both are one transaction.
package typealias Recording<Answer> = @Sendable (Answer) -> AuditRecord?

/// The part of a store that knows who may do what, and who did.
package protocol AccessStore: Sendable {
    /// Keeps a new token; `tokenNameTaken` where one of that name was ever kept: the audit goes by names.
    func addToken(_ token: AccessToken, recording: @escaping Recording<AccessToken>) async throws

    /// All there ever were, by name.
    func tokens() async throws -> [AccessToken]

    /// Whether there ever was one: who has asked for tokens once goes on asking.
    func hasTokens() async throws -> Bool

    /// The token of that digest, in whatever state it is.
    func token(_ digest: Digest) async throws -> AccessToken?

    /// Makes a token worthless from now on; nil where there is none of that name. Again, it stays as it was.
    func revokeToken(
        _ name: TokenName,
        recording: @escaping Recording<AccessToken>
    ) async throws -> AccessToken?

    /// Appends to the audit what changed nothing.
    func record(_ record: AuditRecord) async throws

    /// The newest records, at most `limit`, the newest first.
    func audit(limit: Int) async throws -> [AuditRecord]
}

extension AccessStore {
    /// Keeps a new token that the audit does not hear of.
    package func addToken(_ token: AccessToken) async throws {
        try await addToken(token) { _ in nil }
    }

    /// Makes a token worthless without a word to the audit.
    package func revokeToken(_ name: TokenName) async throws -> AccessToken? {
        try await revokeToken(name) { _ in nil }
    }
}
