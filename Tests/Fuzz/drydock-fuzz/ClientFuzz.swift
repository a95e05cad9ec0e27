// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockProtocol

/// What a client says on `/ws`.
enum ClientFuzz {
    static func message(_ bytes: [UInt8]) {
        do {
            _ = try ClientMessage.decode(bytes)
        } catch {
            precondition(!error.code.isEmpty && error.message.utf8.count < 1_000)
        }
    }
}
