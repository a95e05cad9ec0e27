// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What this machine can do for a sandbox, as `drydock doctor` shows it.
package struct DoctorReport: Codable, Hashable, Sendable {
    /// One thing that a sandbox needs.
    package struct Check: Codable, Hashable, Sendable {
        /// A stable name, as `user-namespaces` or `memory-limit`.
        package var name: String
        package var isOK: Bool
        /// What was found.
        package var detail: String
        /// What to do, exactly; nil when nothing is to be done.
        package var remedy: String?
        /// Whether nothing can be built while it is missing, whatever the sandbox's level.
        package var isVital: Bool

        package init(
            name: String,
            isOK: Bool,
            detail: String,
            remedy: String? = nil,
            isVital: Bool = false
        ) {
            self.name = name
            self.isOK = isOK
            self.detail = detail
            self.remedy = isOK ? nil : remedy
            self.isVital = isVital
        }
    }

    package var level: SandboxLevel
    package var kernel: String
    /// Who a step is on the host.
    package var identity: SandboxIdentity
    package var checks: [Check]

    /// Whether each workspace gets a disk of its own.
    package var hasOwnDisks: Bool { checks.contains { $0.name == DiskImageCheck.name && $0.isOK } }

    /// Whether builds can run here at `minimum`.
    package func canBuild(minimum: SandboxLevel = .reduced) -> Bool {
        level >= minimum && !checks.contains { $0.isVital && !$0.isOK }
    }
}
