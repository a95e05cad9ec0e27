// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The operator's file of secrets, which the proxy adds to requests.
///
/// Messages name places, and never what stands there.
package enum SecretsFile {
    private static let most = 256
    private static let kinds = ["bearer", "basic", "header"]
    private static let keys =
        ["host"] + kinds + ["projects", "steps", "methods", "paths", "git", "insecure"]
    /// Fields that frame a request, or that the proxy writes.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect",
        "accept-encoding", "range", "proxy-authorization", "proxy-connection", "keep-alive",
    ]

    /// Reads a list of secrets; `name` is the file's, for messages.
    package static func read(_ bytes: [UInt8], name: String) throws(Failure) -> [HostSecret] {
        do throws(FieldProblem) {
            guard let document = try YAMLDocument.parse(bytes, file: name) else { return [] }
            let entries = try document.list()
            guard entries.count <= most else {
                throw document.problem("has \(entries.count) entries; there may be \(most)")
            }
            var secrets: [HostSecret] = []
            for entry in entries { secrets.append(try secret(entry)) }
            return secrets
        } catch {
            throw Failure(error, file: name)
        }
    }

    private static func secret(_ entry: Field) throws(FieldProblem) -> HostSecret {
        let fields = try entry.fields(keys)
        let place = try fields.required("host")
        let rule = try NetworkRule(place)
        guard case .name(let host) = rule.hosts else {
            throw place.problem("is not one host", hint: "a secret is for exactly one: name it")
        }
        let given = kinds.compactMap { kind in fields[kind].map { (kind, $0) } }
        guard let (kind, field) = given.first, given.count == 1 else {
            throw entry.problem("must have one of bearer, basic and header")
        }
        var secret: HostSecret
        do throws(FieldProblem) {
            secret = try HostSecret(host, port: rule.port, try credential(kind, field))
        } catch  where error.line == nil {
            throw field.problem(error.message, hint: error.hint)
        }
        secret.projects = try fields["projects"].map { field throws(FieldProblem) in Set(try names(field)) }
        secret.steps = try fields["steps"].map { field throws(FieldProblem) in Set(try names(field)) }
        secret.isInsecure = try fields.optional("insecure") ?? false
        secret.requests = try requests(fields)
        return secret
    }

    private static func names<Name: StringIdentifier & FieldReadable>(
        _ field: Field
    ) throws(FieldProblem) -> [Name] {
        let names = try field.list(Name.init)
        // A list that names none could be meant for all, or for none.
        if names.isEmpty { throw field.problem("names none", hint: "leave it out for all") }
        return names
    }

    private static func credential(
        _ kind: String,
        _ field: Field
    ) throws(FieldProblem) -> HostSecret.Credential {
        switch kind {
        case "bearer": return .bearer(try token(field))
        case "basic":
            let text = try field.filled()
            guard text.contains(":") else { throw field.problem("has no colon", hint: "write NAME:PASSWORD") }
            return .basic(text)
        default:
            let parts = try field.fields(["name", "value"])
            let name = try parts.required("name")
            let text = try name.filled()
            let isName = text.utf8.allSatisfy {
                UnicodeScalar($0).properties.isAlphabetic && $0 < 0x80 || $0 == UInt8(ascii: "-")
                    || (0x30...0x39).contains($0)
            }
            guard isName, !reserved.contains(text.lowercased()) else {
                throw name.problem("is no field that can be added", hint: "such as PRIVATE-TOKEN")
            }
            return .header(name: text, value: try parts.required("value").filled())
        }
    }

    private static func token(_ field: Field) throws(FieldProblem) -> String {
        let text = try field.filled()
        if text.contains(" ") { throw field.problem("has a space", hint: "write the token alone") }
        return text
    }

    private static func requests(_ fields: Fields) throws(FieldProblem) -> SecretRequests {
        var requests = SecretRequests()
        requests.isGit = try fields.optional("git") ?? false
        if let field = fields["methods"] {
            if requests.isGit { throw field.problem("can not stand beside git: true, which says them") }
            requests.methods = try field.list(method)
            if requests.methods.isEmpty {
                throw field.problem("names none", hint: "leave it out for GET and HEAD")
            }
        }
        if let field = fields["paths"] {
            requests.paths = try field.list(PathPattern.init)
            if requests.paths?.isEmpty == true {
                throw field.problem("names none", hint: "leave it out for all")
            }
        }
        return requests
    }

    private static func method(_ field: Field) throws(FieldProblem) -> String {
        let text = try field.filled()
        let isMethod = text.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == UInt8(ascii: "-") }
        guard isMethod, !["CONNECT", "TRACE"].contains(text) else {
            throw field.problem("is no method that a secret is added to", hint: "such as GET, in capitals")
        }
        return text
    }
}
