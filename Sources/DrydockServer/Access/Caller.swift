// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Who asks, as far as is known.
struct Caller: Hashable, Sendable {
    enum Identity: Hashable, Sendable {
        /// No token was needed.
        case anyone
        /// A token of the configuration's file, which has no name: its digest.
        case listed(Digest)
        /// A token of the store.
        case token(TokenName, Digest)
    }

    var identity: Identity
    /// Where the connection comes from; the client's own address where trusted proxies stand in between.
    var address: String
    /// What a ticket narrows them to.
    var reach = Reach.everything
    /// The most that a ticket lets them do; nil = what their token does.
    var most: AccessScope?

    /// What the audit calls them; nil for who needed no token.
    var name: String? {
        switch identity {
        case .anyone: nil
        // So much of the digest tells the file's lines apart.
        case .listed(let digest): "sha256:" + digest.hex.prefix(12)
        case .token(let name, _): name.rawValue
        }
    }

    /// Their token; nil where none was needed.
    var token: Digest? {
        switch identity {
        case .anyone: nil
        case .listed(let digest), .token(_, let digest): digest
        }
    }

    /// What idempotency keys belong to: the same for one token, whatever it is called.
    var scope: String { token?.rawValue ?? "" }
}
