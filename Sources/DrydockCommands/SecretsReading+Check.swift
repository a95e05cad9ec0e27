// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
internal import DrydockSandbox
internal import Glibc

extension SecretsReading {
    /// What `drydock doctor` tells of the secrets: whom they are for, and nothing of what they are; nil where no file is named.
    static func check(_ configuration: ServerConfiguration) -> DoctorReport.Check? {
        guard let path = configuration.secrets else { return nil }
        let place = path + (mode(of: path).map { " (mode \($0))" } ?? "")
        do throws(CommandProblem) {
            let secrets = try secrets(configuration).map(\.words)
            return DoctorReport.Check(
                name: "secrets",
                isOK: true,
                detail: "\(place): " + (secrets.isEmpty ? "none" : secrets.joined(separator: "; "))
            )
        } catch {
            return DoctorReport.Check(
                name: "secrets",
                isOK: false,
                detail: "\(place): \(error.why)",
                remedy: error.remedy
            )
        }
    }

    private static func mode(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return String(status.st_mode & 0o7777, radix: 8)
    }
}

extension HostSecret {
    /// Whom it is for.
    fileprivate var words: String {
        let whose = [
            Self.words("project", projects?.map(\.rawValue)), Self.words("step", steps?.map(\.rawValue)),
            requests.isGit ? "of git" : nil,
        ]
        let limits = whose.compactMap(\.self)
        let place = host.text + (port.map { ":\($0)" } ?? "")
        return place + " for " + (limits.isEmpty ? "all builds" : limits.joined(separator: ", "))
    }

    private static func words(_ kind: String, _ names: [String]?) -> String? {
        guard let names else { return nil }
        return "\(kind)\(names.count == 1 ? "" : "s") \(names.sorted().joined(separator: " "))"
    }
}
