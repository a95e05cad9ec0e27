// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Crypto
import DrydockModel
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// The authority of one sandbox: what its tools are shown for hosts whose TLS ends in the proxy.
///
/// Its key is made here, stays in this process's memory and goes with this value. It can vouch for those hosts only, also for
/// whoever had the key.
struct SandboxAuthority: Sendable {
    private let key: Certificate.PrivateKey
    private let certificate: Certificate
    private let begin: Date
    private let end: Date

    /// An authority over `hosts` that lasts for `time` and some more.
    init(over hosts: [HostName], for time: Duration) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        // Clocks inside are the machine's own.
        begin = Date(timeIntervalSinceNow: -3_600)
        end = Date(timeIntervalSinceNow: Double(time.components.seconds) + 24 * 3_600)
        let name = try DistinguishedName {
            CommonName("Drydock: one sandbox")
        }
        certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: begin,
            notValidAfter: end,
            issuer: name,
            subject: name,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                Critical(NameConstraints(permittedDNSDomains: hosts.map(\.text)))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key
        )
        self.key = key
    }

    /// What the sandbox is to trust.
    var pem: String {
        get throws { try certificate.serializeAsPEM().pemString + "\n" }
    }

    /// What the proxy is for `host`: a server that speaks HTTP/1.1.
    func server(for host: HostName) throws -> NIOSSLContext {
        let own = P256.Signing.PrivateKey()
        let leaf = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PrivateKey(own).publicKey,
            notValidBefore: begin,
            notValidAfter: end,
            issuer: certificate.subject,
            // RFC 5280 section 4.2.1.6: who it is stands in the alternative name.
            subject: try DistinguishedName { CommonName("Drydock: a host") },
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames([.dnsName(host.text)])
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier
                )
                SubjectKeyIdentifier(hash: Certificate.PrivateKey(own).publicKey)
            },
            issuerPrivateKey: key
        )
        var serializer = DER.Serializer()
        try serializer.serialize(leaf)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [
                .certificate(try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der))
            ],
            privateKey: .privateKey(
                try NIOSSLPrivateKey(bytes: Array(own.derRepresentation), format: .der)
            )
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = .seconds(1)
        return try NIOSSLContext(configuration: configuration)
    }
}
