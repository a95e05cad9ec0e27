// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
internal import DrydockServer
internal import DrydockStore
internal import FoundationEssentials
internal import SystemPackage

extension ServerOptions {
    /// The server's part of the configuration, checked.
    static func make(_ configuration: ServerConfiguration) throws -> ServerOptions {
        let (host, port) = try address(configuration.listen)
        var options = ServerOptions(
            host: host,
            port: port,
            origins: configuration.origins,
            tokens: try configuration.tokens.map(tokens) ?? [],
            longestUpload: configuration.sources.upload
        )
        options.certificate = try CertificateReading.certificate(configuration)
        options.trustedProxies = configuration.trustedProxies
        options.connectionsPerAddress = configuration.connections.perAddress
        options.connectionsPerToken = configuration.connections.perToken
        options.previewDomain = configuration.preview.domain
        options.allowsPathSources = !configuration.sources.paths.isEmpty
        options.allowsGitSources = !configuration.sources.git.isEmpty
        options.hosts = configuration.origins.compactMap { URL(string: $0)?.host() }
        return options
    }

    /// Refuses to listen to other machines where nobody has a token: all of them would be turned away, or, worse, none.
    func requireTokens(_ store: any AccessStore, at now: Timestamp) async throws {
        if !tokens.isEmpty || Self.isLoopback(host) { return }
        if try await store.tokens().contains(where: { $0.state(at: now) == .valid }) { return }
        throw CommandProblem(
            .usage,
            "--listen \(host):\(port)",
            why: "other machines could reach it, and there is no valid token",
            remedy:
                "listen on 127.0.0.1, or make one with `drydock token create NAME` (docs/configuration.md)"
        )
    }

    /// `HOST:PORT`, `[::1]:PORT`.
    private static func address(_ listen: String) throws -> (host: String, port: Int) {
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[colon...].dropFirst()) else {
            throw CommandProblem(
                .usage,
                "--listen \(listen)",
                why: "it is not HOST:PORT",
                remedy: "as in --listen 127.0.0.1:8080"
            )
        }
        var host = listen[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return (String(host), Int(port))
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && host.split(separator: ".").compactMap { UInt8($0) }.count == 4
                && host.split(separator: ".", omittingEmptySubsequences: false).count == 4)
    }

    /// The file's digests: lines of `sha256:` and 64 hexadecimal digits, with `#` for comments.
    private static func tokens(_ path: String) throws -> [Digest] {
        let text: String
        do throws(Errno) {
            text = String(decoding: try NamedFile.bytes(path), as: UTF8.self)
        } catch {
            throw CommandProblem(
                .usage,
                "tokens: \(path)",
                why: "the file can not be read: \(error)",
                remedy: "name one that this user may read"
            )
        }
        var digests: [Digest] = []
        // To Swift, CR and LF are one character, which is no LF.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let word = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if word.isEmpty { continue }
            let digest = Digest(rawValue: word.lowercased())
            guard digest.rawValue.hasPrefix("sha256:"), digest.hex.count == 64,
                digest.hex.allSatisfy(\.isHexDigit)
            else {
                throw CommandProblem(
                    .usage,
                    "tokens: \(path):\(index + 1)",
                    why: "the line is no digest",
                    remedy: "write sha256: and what `printf %s TOKEN | sha256sum` prints"
                )
            }
            digests.append(digest)
        }
        guard !digests.isEmpty else {
            throw CommandProblem(.usage, "tokens: \(path)", why: "the file names no token")
        }
        return digests
    }
}
