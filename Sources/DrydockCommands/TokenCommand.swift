// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore

/// The command `drydock token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes, lists and revokes the tokens that the API asks for.",
        discussion: """
            As soon as there is a token, requests need one, also on loopback; a running server knows it at once.

            EXAMPLES
              drydock token create ci --scope build --expires 90d
              drydock token list
              drydock token revoke ci
            """,
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self]
    )
}

/// The command `drydock token create`.
struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a token and prints it: this once, since only its digest is kept.",
        discussion: """
            Scopes: read looks at everything; build also makes, cancels and repeats builds; admin may do everything.

            EXAMPLES
              drydock token create ci --scope build --expires 90d
              drydock token create dashboard --scope read
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: "read, build or admin (repeatable). Default: build.") var scope: [AccessScope] = []
    @Option(
        help: ArgumentHelp("How long it is good for, such as 90d. Default: until revoked.", valueName: "time")
    )
    var expires: String?
    @Argument(help: "What it is called in lists and in the audit; never used again.") var name: TokenName

    private static let longest = Duration.seconds(100 * 366 * 24 * 3_600)

    func run() async throws {
        let now = Timestamp.now()
        let lifetime = try expires.map(Self.lifetime)
        let store = try place.openStore()
        let secret = AccessToken.newSecret()
        let token = AccessToken(
            name: name,
            digest: SHA256Hasher.digest(of: secret.utf8),
            scopes: scope.isEmpty ? [.build] : Set(scope),
            createdAt: now,
            expiresAt: lifetime.map(now.advanced)
        )
        do {
            try await store.addToken(token) { .byOperator("createToken", $0.name, at: now) }
        } catch let error as StoreError {
            throw CommandProblem(.usage, "token create \(name)", why: error.message, remedy: error.hint)
        }
        Console.error("drydock: \(token.words(at: now)); it is shown only now")
        Console.out(secret)
    }

    private static func lifetime(_ text: String) throws -> Duration {
        if let lifetime = Duration(setting: text, atMost: longest) { return lifetime }
        throw CommandProblem(
            .usage,
            "--expires \(text.prefix(40))",
            why: "it is no time",
            remedy: "write it as 12h, 90d or 365d"
        )
    }
}

/// The command `drydock token list`.
struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the tokens, those that are worth nothing any more included.",
        discussion: """
            EXAMPLES
              drydock token list
              drydock token list --json
            """
    )

    /// What `--json` prints of each.
    private struct Listed: Encodable {
        let name: TokenName
        let scopes: [AccessScope]
        let state: AccessToken.State
        let createdAt: Timestamp
        let expiresAt: Timestamp?
        let revokedAt: Timestamp?

        private enum CodingKeys: String, CodingKey {
            case name
            case scopes
            case state
            case createdAt = "created_at"
            case expiresAt = "expires_at"
            case revokedAt = "revoked_at"
        }

        init(_ token: AccessToken, _ now: Timestamp) {
            name = token.name
            scopes = token.scopes.sorted { $0.rawValue < $1.rawValue }
            state = token.state(at: now)
            createdAt = token.createdAt
            expiresAt = token.expiresAt
            revokedAt = token.revokedAt
        }
    }

    @OptionGroup var place: PlaceOptions
    @Flag(help: "One JSON array instead of a table.") var json = false

    func run() async throws {
        let now = Timestamp.now()
        let tokens = try await place.existingStore()?.tokens() ?? []
        if json { return try Console.json(tokens.map { Listed($0, now) }) }
        for token in tokens { Console.wrapped(token.words(at: now), indent: 4) }
        if tokens.isEmpty { Console.out("no tokens yet") }
    }
}

/// The command `drydock token revoke`.
struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Makes a token worthless, from the next request on.",
        discussion: """
            EXAMPLES
              drydock token revoke ci
            """
    )

    @OptionGroup var place: PlaceOptions
    @Argument(help: "The token's name.") var name: TokenName

    func run() async throws {
        let store = try await place.requiredStore()
        let revoked = try await store.revokeToken(name) { .byOperator("revokeToken", $0.name, at: .now()) }
        guard revoked != nil else {
            throw CommandProblem(
                .usage,
                "token revoke \(name)",
                why: "there is no such token",
                remedy: Spelling.hint(name.rawValue, among: try await store.tokens().map(\.name.rawValue))
                    ?? "`drydock token list` shows those there are"
            )
        }
        Console.out("\(name) is revoked")
    }
}

extension AccessToken {
    /// One line of the list.
    func words(at now: Timestamp) -> String {
        let scopes = scopes.map(\.rawValue).sorted().joined(separator: ",")
        let state = state(at: now)
        let end: String =
            switch state {
            case .valid: expiresAt.map { "until \($0.text)" } ?? "until it is revoked"
            case .expired: "expired \(expiresAt?.text ?? "")"
            case .revoked: "revoked \(revokedAt?.text ?? "")"
            }
        return "\(name.rawValue.padded(to: 20))  \(scopes.padded(to: 12))  \(end)"
    }
}

extension AuditRecord {
    /// A change that the operator made on the command line.
    fileprivate static func byOperator(_ action: String, _ token: TokenName, at now: Timestamp) -> AuditRecord
    {
        AuditRecord(at: now, who: nil, address: "cli", action: action, subject: token.rawValue, status: 200)
    }
}

extension AccessScope: ExpressibleByArgument {}

extension TokenName: ExpressibleByArgument {
    init?(argument: String) { self.init(rawValue: argument) }
}
