// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOHTTP1

/// A request that may be passed on, and how.
struct ProxyRequest {
    let target: ProxyTarget
    let rule: NetworkRule
    /// What the client asks.
    let asked: HTTPRequestHead
    /// What the host is asked.
    var passed: HTTPRequestHead
    /// What it gets of the operator's.
    var secret: SecretRequest?
    /// Whether the host is reached by TLS.
    let isSecure: Bool
}
