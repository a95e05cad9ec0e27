// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Logging
import NIOSSL
import ServiceLifecycle
import Synchronization

/// What the files of a certificate hold.
package struct CertificateFiles: Hashable, Sendable {
    /// Their names, for messages.
    package var certificateName: String
    package var keyName: String
    /// PEM: the server's certificate, then those that lead to its authority.
    package var certificate: [UInt8]
    /// PEM, not encrypted.
    package var key: [UInt8]

    package init(certificateName: String, keyName: String, certificate: [UInt8], key: [UInt8]) {
        self.certificateName = certificateName
        self.keyName = keyName
        self.certificate = certificate
        self.key = key
    }
}

/// Why a certificate is of no use.
package struct CertificateProblem: Error, Hashable, CustomStringConvertible {
    /// The file.
    package let name: String
    package let why: String
    package let remedy: String

    package var description: String { "\(name): \(why): \(remedy)" }
}

/// The certificate that the server shows, as its files are now: it is renewed under a running server.
///
/// Connections that are open keep the one they began with.
package final class ServerCertificate: Sendable {
    private struct State {
        var context: NIOSSLContext
        var files: CertificateFiles
        /// What was found wanting, so that it is told once.
        var refused: CertificateFiles?
        /// Why the files could not be read, told once, too.
        var unread: String?
    }

    private let read: @Sendable () throws -> CertificateFiles
    private let state: Mutex<State>

    /// Reads the files with `read`, which is called again and again.
    ///
    /// Throws what `read` throws, or `CertificateProblem`.
    package init(reading read: @escaping @Sendable () throws -> CertificateFiles) throws {
        let files = try read()
        self.read = read
        self.state = Mutex(State(context: try Self.context(files), files: files))
    }

    /// What new connections begin with.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Looks whether the files have changed; those that are of no use leave everything as it is, and are logged.
    func look(_ logger: Logger) {
        let files: CertificateFiles
        do {
            files = try read()
        } catch {
            let isNews = state.withLock { state in
                defer { state.unread = "\(error)" }
                return state.unread != "\(error)"
            }
            if isNews { logger.error("the certificate can not be read again, and stays: \(error)") }
            return
        }
        let (known, refused) = state.withLock { state in
            state.unread = nil
            return (state.files, state.refused)
        }
        guard files != known, files != refused else { return }
        do {
            let context = try Self.context(files)
            state.withLock { $0 = State(context: context, files: files) }
            logger.notice("the certificate was renewed", metadata: ["file": "\(files.certificateName)"])
        } catch {
            state.withLock { $0.refused = files }
            logger.error("the new certificate is of no use, and the old one stays: \(error)")
        }
    }

    /// TLS 1.2 or newer, for HTTP of both versions.
    private static func context(_ files: CertificateFiles) throws -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(files.certificate)
        } catch {
            throw CertificateProblem(
                name: files.certificateName,
                why: "it holds no certificate in PEM",
                remedy: "write the server's certificate there, and behind it those of the authorities between"
            )
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: files.key, format: .pem)
        } catch {
            throw CertificateProblem(
                name: files.keyName,
                why: "it holds no key in PEM, or one behind a password",
                remedy: "write the key there as it is, for nobody else to read"
            )
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CertificateProblem(
                name: files.certificateName,
                why: "certificate and key (\(files.keyName)) do not belong together (\(error))",
                remedy: "write both anew"
            )
        }
    }
}

/// Looks at the files of a certificate from time to time.
struct CertificateWatch: Service {
    let certificate: ServerCertificate
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Cancelled: the server ends.
                try? await Task.sleep(for: interval)
                // A read of two small files; on a thread of its own all the same.
                await Blocking.run { certificate.look(logger) }
            }
        }
    }
}
