// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel

/// Reads the operator's file of secrets, if nobody else can.
enum SecretsReading {
    private static let largest = 256 * 1_024

    /// Its secrets; none where the configuration names no file.
    static func secrets(_ configuration: ServerConfiguration) throws(CommandProblem) -> [HostSecret] {
        guard let path = configuration.secrets else { return [] }
        let bytes = try GuardedFile.bytes(path, "secrets: \(path)", atMost: largest)
        do throws(Failure) {
            return try SecretsFile.read(bytes, name: path)
        } catch {
            throw CommandProblem("secrets", error, status: .usage)
        }
    }
}
