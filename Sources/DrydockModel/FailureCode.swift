// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Why a build, step or request did not do what was asked.
///
/// The raw values are the flat codes of the API.
package enum FailureCode: String, Codable, Sendable, CaseIterable {
    case noPlugin = "no_plugin"
    case planFailed = "plan_failed"
    case stepFailed = "step_failed"
    case stepTimeout = "step_timeout"
    case silenceTimeout = "silence_timeout"
    case totalTimeout = "total_timeout"
    case oom
    case diskFull = "disk_full"
    case logLimit = "log_limit"
    case networkDenied = "network_denied"
    case sandboxViolation = "sandbox_violation"
    case sandboxUnavailable = "sandbox_unavailable"
    case artifactMissing = "artifact_missing"
    case artifactTooLarge = "artifact_too_large"
    case artifactUnsafe = "artifact_unsafe"
    case secretInArtifact = "secret_in_artifact"
    case sourceInvalid = "source_invalid"
    case sourceTooLarge = "source_too_large"
    case configInvalid = "config_invalid"
    case pidsLimit = "pids_limit"
    case cpuLimit = "cpu_limit"
    case pluginCrashed = "plugin_crashed"
    case pluginProtocol = "plugin_protocol"
    case pluginTruncated = "plugin_truncated"
    case pluginTimeout = "plugin_timeout"
    case cancelled
    case superseded
    case queueFull = "queue_full"
    case lost
    case previewUnhealthy = "preview_unhealthy"
    case `internal`
}

/// Whose doing a failure is: only the plugin's and the platform's are retried.
package enum Fault: String, Codable, Sendable, CaseIterable, FieldReadable {
    case user
    case plugin
    case platform
}

/// Something that did not work, told so that a person can act on it: what, why, what to do.
package struct Failure: Error, Codable, Hashable, Sendable {
    /// The stable code.
    package var code: FailureCode
    /// Whose doing it is.
    package var fault: Fault
    /// What failed and why, one sentence, no trailing full stop.
    package var message: String
    /// What to do about it, where there is something to do.
    package var hint: String?
    /// The file of the project it is about, relative to the source.
    package var file: String?
    /// The line in `file`, from 1.
    package var line: Int?
    /// What else is known, where a command or a step failed.
    package var details: FailureDetails?

    package init(
        _ code: FailureCode,
        _ fault: Fault,
        _ message: String,
        hint: String? = nil,
        file: String? = nil,
        line: Int? = nil
    ) {
        self.code = code
        self.fault = fault
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line
    }

    /// `a.c:3: `, to stand before what is said of the place; empty where there is none.
    package var place: String { file.map { $0 + (line.map { ":\($0)" } ?? "") + ": " } ?? "" }
}
