// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a sandbox lets through beside the ordinary.
///
/// A project asks at a step, the operator's `profiles` say which it may have.
package enum SandboxProfile: String, Codable, Hashable, Sendable, CaseIterable, FieldReadable {
    /// Nothing more; the default.
    case strict
    /// Looking into one's own processes, as debuggers and LeakSanitizer do.
    case debug
    /// What a headless browser in a test suite needs.
    case browser
}
