// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What the proxy adds to requests for one host: a registry's token.
///
/// No sandbox ever has it. It can not be encoded, and nothing shows what is secret of it.
package struct HostSecret: Hashable, Sendable {
    /// What is added.
    package enum Credential: Hashable, Sendable {
        /// `Authorization: Bearer TOKEN` (RFC 6750).
        case bearer(String)
        /// `NAME:PASSWORD`, as `Authorization: Basic` (RFC 7617).
        case basic(String)
        /// A field of another name.
        case header(name: String, value: String)
    }

    /// Bytes of the shortest one: something shorter stands in a large file by chance, and would be taken out of it.
    package static let shortest = 6
    package static let longest = 4_096

    package var host: HostName
    /// nil = the scheme's own.
    package var port: UInt16?
    package var credential: Credential
    /// The requests that it may be added to.
    package var requests = SecretRequests()
    /// Whose builds it is for; nil = everybody's, and `drydock run`.
    package var projects: Set<ProjectName>?
    /// Which of their steps; nil = all.
    package var steps: Set<StepID>?
    /// Whether it is added to plain http, too, where everybody on the way can read it.
    package var isInsecure = false

    /// A problem where the credential can not be sent, or not be told apart in an answer.
    package init(
        _ host: HostName,
        port: UInt16? = nil,
        _ credential: Credential
    ) throws(FieldProblem) {
        self.host = host
        self.port = port
        self.credential = credential
        let secret = credential.secret
        guard (Self.shortest...Self.longest).contains(secret.utf8.count) else {
            throw FieldProblem("has a secret that has not \(Self.shortest) to \(Self.longest) bytes")
        }
        guard credential.text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), secret.first != " ",
            secret.last != " "
        else {
            throw FieldProblem("has a secret with a character beyond printable ASCII, or a space at an end")
        }
    }

    /// Whether it is for a sandbox of `purpose`, which may reach what `policy` allows.
    package func isFor(_ purpose: SandboxPurpose?, _ policy: NetworkPolicy) -> Bool {
        let isOfProject =
            projects.map { names in purpose.map { names.contains($0.project) } ?? false } ?? true
        let isOfStep = steps.map { ids in purpose?.step.map(ids.contains) ?? false } ?? true
        return isOfProject && isOfStep && policy.names(host)
    }

    /// Whether it may be added to a request for `host`, by TLS or without.
    package func isFor(_ host: HostName, port: UInt16, isSecure: Bool) -> Bool {
        guard host == self.host, isSecure || isInsecure else { return false }
        return port == self.port ?? (isSecure ? 443 : 80)
    }
}

/// Whose program runs in a sandbox: what a secret may be limited to.
package struct SandboxPurpose: Codable, Hashable, Sendable {
    package var project: ProjectName
    /// nil = none: the build's source is fetched.
    package var step: StepID?

    package init(project: ProjectName, step: StepID?) {
        self.project = project
        self.step = step
    }
}

extension HostSecret.Credential {
    /// All of it.
    package var text: String {
        switch self {
        case .bearer(let text), .basic(let text), .header(_, let text): text
        }
    }

    /// The part that nobody may know.
    package var secret: String {
        guard case .basic(let pair) = self, let colon = pair.firstIndex(of: ":") else { return text }
        return String(pair[pair.index(after: colon)...])
    }
}

// MARK: Not shown

extension HostSecret: CustomStringConvertible, CustomReflectable {
    package var description: String { "a secret for \(host)" }
    package var customMirror: Mirror { Mirror(self, children: ["host": host.text]) }
}

extension HostSecret.Credential: CustomStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
