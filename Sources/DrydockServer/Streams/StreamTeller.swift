// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

/// Makes frames of what is told in wire profile 1.
struct StreamTeller: Sendable {
    let encoder: FrameEncoder
    let clock: @Sendable () -> Timestamp
    /// The domain below which previews have their hosts.
    let previewDomain: String

    /// The frame of a message, made once for all who get it.
    func frame(of message: Profile1Message, for session: SessionID, deflating: Bool) -> SharedFrame {
        let bytes = message.encoded(in: .fresh(at: clock(), session: session))
        return encoder.frame(.text, bytes, deflating: deflating)
    }
}
