// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// A bearer token as it is kept: never itself, only its digest.
package struct AccessToken: Hashable, Sendable {
    package var name: TokenName
    package var digest: Digest
    package var scopes: Set<AccessScope>
    package var createdAt: Timestamp
    /// nil = it does not end by itself.
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?

    package init(
        name: TokenName,
        digest: Digest,
        scopes: Set<AccessScope>,
        createdAt: Timestamp,
        expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil
    ) {
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    package enum State: String, Sendable, Codable {
        case valid
        case expired
        case revoked
    }

    package func state(at now: Timestamp) -> State {
        if revokedAt != nil { return .revoked }
        if let expiresAt, expiresAt <= now { return .expired }
        return .valid
    }

    /// Whether its holder may do what takes `scope`.
    package func allows(_ scope: AccessScope) -> Bool { scopes.contains { $0.covers(scope) } }
}

/// What a token is called: by its operator, in lists and in the audit.
package struct TokenName: CheckedName {
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// What a token is good for.
package enum AccessScope: String, Sendable, Codable, CaseIterable {
    /// Looking at everything.
    case read
    /// The same, and making, cancelling and repeating builds.
    case build
    /// Everything, what there will be included.
    case admin

    /// Whether who has this one may do what takes `other`: each covers those before it.
    package func covers(_ other: AccessScope) -> Bool {
        switch self {
        case .read: other == .read
        case .build: other != .admin
        case .admin: true
        }
    }
}
