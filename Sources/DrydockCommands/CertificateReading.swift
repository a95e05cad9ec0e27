// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockServer
internal import SystemPackage

/// Reads the operator's certificate and its key, if nobody else can read that.
enum CertificateReading {
    private static let largestKey = 256 * 1_024

    /// What the server shows to clients of https; nil where the configuration names no files.
    static func certificate(_ configuration: ServerConfiguration) throws -> ServerCertificate? {
        switch (configuration.tls.certificate, configuration.tls.key) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            do {
                return try ServerCertificate { try files(certificate, key) }
            } catch let problem as CertificateProblem {
                throw CommandProblem(.usage, "tls: \(problem.name)", why: problem.why, remedy: problem.remedy)
            }
        case (_?, nil): throw missing("tls.key")
        case (nil, _?): throw missing("tls.certificate")
        }
    }

    private static func missing(_ key: String) -> CommandProblem {
        CommandProblem(
            .usage,
            key,
            why: "it is not set, and the other half of the certificate is",
            remedy: "name both files, or none"
        )
    }

    private static func files(_ certificate: String, _ key: String) throws -> CertificateFiles {
        let chain: [UInt8]
        do throws(Errno) {
            chain = try NamedFile.bytes(certificate)
        } catch {
            throw CommandProblem(
                .usage,
                "tls.certificate: \(certificate)",
                why: "the file can not be read: \(error)",
                remedy: "name one that this user may read"
            )
        }
        return CertificateFiles(
            certificateName: certificate,
            keyName: key,
            certificate: chain,
            key: try GuardedFile.bytes(key, "tls.key: \(key)", atMost: largestKey)
        )
    }
}
