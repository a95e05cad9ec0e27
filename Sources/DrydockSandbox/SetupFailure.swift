// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
package import SystemPackage

/// A step of a sandbox's set-up, by its number in `docs/sandbox.md`; those before there is a child count from 101.
package struct JailStep: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    private init(_ step: sbx_step) { self.init(rawValue: Int(step.rawValue)) }

    /// `/dev` and a fresh `/proc`.
    package static let kernelFiles = JailStep(SBX_STEP_KERNEL_FILES)
    /// The session, resource limits and the working directory.
    package static let session = JailStep(SBX_STEP_SESSION)

    /// What it does, for people.
    package var name: String { String(cString: sbx_step_name(Int32(clamping: rawValue))) }
}

/// A protection that could not be put in place, and why.
package struct SetupFailure: Hashable, Sendable {
    package var step: JailStep
    package var errno: Errno

    package init(step: JailStep, errno: Errno) {
        self.step = step
        self.errno = errno
    }

    /// What to do about it.
    package var hint: String {
        String(cString: sbx_step_hint(Int32(clamping: step.rawValue), errno.rawValue))
    }
}

extension SetupFailure: CustomStringConvertible {
    package var description: String { "step \(step.rawValue), \(step.name): \(errno)" }
}
