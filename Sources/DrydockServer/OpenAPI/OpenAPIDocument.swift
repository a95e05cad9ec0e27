// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The table of operations as an OpenAPI 3.1 document.
///
/// Source: OpenAPI Specification 3.1.1.
struct OpenAPIDocument {
    let operations: [Operation]
    /// Whether this server asks for tokens.
    let asksForToken: Bool

    var json: JSON {
        let paths = Dictionary(grouping: operations) { Self.path(of: $0) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Drydock", "version": "1",
                "description": "Builds of untrusted sources: made, watched, and what they gave out.",
            ],
            "paths": .object(
                paths.mapValues { operations in
                    Self.object(operations.map { ($0.method.rawValue.lowercased(), describe($0)) })
                }
            ),
            "components": [
                "schemas": .object(Schema.components),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer"],
                    "ticket": ["type": "apiKey", "in": "query", "name": "ticket"],
                ],
            ],
        ]
    }

    private static func object(_ fields: [(String, JSON)]) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: fields))
    }

    /// OpenAPI has no word for "the rest of the path": its slashes are sent escaped.
    private static func path(of operation: Operation) -> String {
        guard operation.path.hasSuffix("**") else { return operation.path }
        return operation.path.dropLast(2) + "{path}"
    }

    private func describe(_ operation: Operation) -> JSON {
        let inPath = operation.names.map { Operation.Parameter(place: .path, name: $0, summary: "Its \($0)") }
        var fields: [String: JSON] = [
            "operationId": .string(operation.id),
            "summary": .string(operation.summary),
            "parameters": .array((inPath + operation.parameters).map(Self.describe)),
            "responses": Self.object(operation.allAnswers.map { ("\($0.key)", Self.describe($0.value)) }),
        ]
        if asksForToken, let scope = operation.scope {
            let token: JSON = ["token": [.string(scope.rawValue)]]
            fields["security"] = operation.takesTicket ? [token, ["ticket": []]] : [token]
        }
        if let body = operation.body {
            fields["requestBody"] = ["required": true, "content": Self.describe(body.content)]
        }
        return .object(fields)
    }

    private static func describe(_ parameter: Operation.Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "description": .string(parameter.summary), "required": .bool(parameter.place == .path),
            // Other lists have commas between their elements.
            "explode": .bool(parameter.isRepeated), "schema": parameter.schema,
        ]
    }

    /// The answers of one status as one.
    private static func describe(_ answers: [Operation.Answer]) -> JSON {
        let content = answers.map(\.content).reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        let summary = JSON.string(answers.map(\.summary).joined(separator: "; "))
        return content.isEmpty
            ? ["description": summary] : ["description": summary, "content": describe(content)]
    }

    private static func describe(_ content: [String: JSON]) -> JSON {
        .object(content.mapValues { ["schema": $0] })
    }
}
