// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What the operator says of the way out, besides which hosts it leads to.
package struct NetworkSettings: Hashable, Sendable {
    /// Where the answers for a host may lie, beyond what the whole Internet may reach.
    package var addresses: [HostName: [AddressRange]] = [:]
    /// Tools that are asked where their index is, which then may be reached.
    package var presets: [PresetName] = []
    /// Where the index of a tool is, whatever the tool says.
    package var mirrors: [PresetName: IndexURL] = [:]
    /// The proxy that all leads through, but to the hosts of `addresses`; nil = none.
    package var proxy: IndexURL?
    /// Hosts whose connections may carry anything: no server's name, an encrypted one, another protocol than TLS.
    package var opaque: [NetworkRule] = []
    /// A file with the certificates (PEM) that steps are to trust; nil = the machine's own.
    package var roots: String?
    package var cache = CacheSettings()

    package init() {}
}

/// What hosts answer, and is given again to whichever build asks.
package struct CacheSettings: Hashable, Sendable {
    /// Names and tools, no wildcards; empty = nothing is kept.
    package var hosts: [NetworkRule] = []
    /// How long an answer holds that does not say; nil = a tenth of the time since it changed, and a day at most, where it says
    /// when it did.
    package var lifetime: Duration?
    /// Of all that is kept.
    package var size = ByteCount.gibibytes(10)
}
