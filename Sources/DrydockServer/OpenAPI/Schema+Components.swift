// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

extension Schema {
    /// Every named schema; the contract of `Tests/acceptance` holds the server to them.
    static let components: [String: JSON] = [
        "Build": object(
            [
                "id": text, "session_id": text, "project": text, "title": text,
                "state": one(of: BuildState.self),
                "trigger": text, "attempts": integer(0...Int(Int32.max)), "created_at": seconds,
                "urls": object(
                    ["self": text, "events": text, "logs": text, "artifacts": text],
                    optional: ["preview": text]
                ),
            ],
            optional: [
                "position": [
                    "type": "integer", "minimum": 0, "description": "Builds ahead of it in the queue",
                ],
                "attempt": text, "started_at": seconds, "finished_at": seconds, "failure": named("Failure"),
                "retry_of": text, "directory": text, "params": texts,
            ]
        ),
        "BuildList": object(
            ["builds": list(of: named("Build"))],
            optional: ["next": ["type": "string", "description": "The `before` of the next page"]]
        ),
        "Failure": object(
            ["code": one(of: FailureCode.self), "fault": one(of: Fault.self), "message": text],
            optional: [
                "hint": text, "file": text, "line": ["type": "integer", "minimum": 1],
                "details": named("FailureDetails"),
            ]
        ),
        "FailureDetails": object(
            [
                "output": list(of: text),
                "blocked": list(of: object(["what": text, "why": text], optional: ["allow": text])),
            ],
            optional: [
                "step": text, "stage": text, "command": text, "status": text, "cause": ["type": "object"],
                "source": object(
                    [
                        "file": text, "first": integer(1...Int.max), "line": integer(1...Int.max),
                        "lines": list(of: text),
                    ]
                ),
                "tests": object(
                    [
                        "total": integer(0...Int.max), "failed": integer(0...Int.max),
                        "skipped": integer(0...Int.max), "duration_ms": integer(0...Int.max),
                        "suites": list(of: ["type": "object"]),
                        "failures": list(
                            of: object(
                                ["name": text],
                                optional: ["message": text, "file": text, "line": integer(1...Int.max)]
                            )
                        ),
                    ]
                ),
                "changes": object(
                    [
                        "since": text, "at": ["type": "number"], "commits": list(of: text),
                        "changed": list(of: text), "added": list(of: text), "removed": list(of: text),
                        "others": list(of: text), "more": integer(0...Int.max),
                        "partial": ["type": "boolean"],
                    ]
                ),
            ]
        ),
        "ArtifactList": object(["artifacts": list(of: named("Artifact"))]),
        "Artifact": object([
            "path": text, "digest": text, "size": ["type": "integer", "minimum": 0],
            "role": one(of: ArtifactRole.self), "executable": ["type": "boolean"], "url": text,
        ]),
        "PluginList": object(["plugins": list(of: object(["name": text, "state": text, "path": text]))]),
        "Problem": object(
            ["type": text, "title": text, "status": integer(400...599), "detail": text, "code": text],
            optional: ["hint": text]
        ),
        "BuildOrder": closed(
            ["source": ["oneOf": [pathSource, gitSource]]],
            optional: [
                "session_id": text(1...200), "project": text(1...200), "title": text,
                "directory": text, "params": texts,
            ]
        ),
        "TicketOrder": closed(
            [:],
            optional: [
                "session_id": text(1...200), "build_id": text(1...64),
                "scope": ["type": "string", "enum": ["read", "build"]],
            ]
        ),
        "Ticket": object(["ticket": text, "session_id": text, "expires_in": integer(1...Int(Int32.max))]),
        "Document": ["type": "object"],
    ]

    private static let pathSource = source("path", ["type": "string", "pattern": "^/", "maxLength": 4096])
    private static let gitAddress: JSON = ["type": "string", "maxLength": 2048]
    private static let gitSource = source(
        "git",
        [
            "oneOf": [
                closed(["url": gitAddress], optional: ["revision": text(1...200)]), gitAddress,
            ]
        ]
    )

    private static func source(_ kind: String, _ value: JSON) -> JSON {
        [
            "type": "object", "required": [.string(kind)], "properties": .object([kind: value]),
            "additionalProperties": false,
        ]
    }
}
