// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import FoundationEssentials
import GRDB

/// One row of `builds`, read column by column: what does not decode does not take the others, or the other rows, with it.
struct BuildRow {
    private let row: Row
    private var damage: [String] = []

    private init(_ row: Row) { self.row = row }

    /// The build of `row`; a damaged one has ended as `errored`, and says in `damage` what can not be read.
    static func build(_ row: Row) -> Build {
        var reading = BuildRow(row)
        return reading.build()
    }

    private mutating func build() -> Build {
        let createdAt = Timestamp(milliseconds: required("created_at", else: 0))
        var build = Build(
            id: BuildID(rawValue: required("id", else: "")),
            request: request(),
            state: state(),
            attempt: optional("attempt").map(AttemptID.init(rawValue:)),
            attempts: required("attempts", else: 0),
            createdAt: createdAt,
            startedAt: optional("started_at").map(Timestamp.init(milliseconds:)),
            finishedAt: optional("finished_at").map(Timestamp.init(milliseconds:)),
            failure: decoded("failure"),
            deploy: optional("deploy").map(DeployID.init(rawValue:)),
            revision: required("revision", else: 0)
        )
        guard !damage.isEmpty else { return build }
        build.damage = damage.joined(separator: "; ")
        build.state = .errored
        build.finishedAt = build.finishedAt ?? createdAt
        build.failure = Failure(
            .internal,
            .platform,
            "this build's row in the database is damaged: \(damage.joined(separator: "; "))",
            hint: "its journal may still be whole: look at its log"
        )
        return build
    }

    /// A column's value; nil where there is none, or one of another type, on which GRDB's own subscript would end the process.
    static func value<Value: DatabaseValueConvertible>(_ column: String, of row: Row) -> Value? {
        let stored: DatabaseValue = row[column]
        return Value.fromDatabaseValue(stored)
    }

    private mutating func state() -> BuildState {
        let name = required("state", else: "")
        if let state = BuildState(rawValue: name) { return state }
        damage.append("\"\(name.prefix(40))\" is no state that this version knows")
        return .errored
    }

    private mutating func request() -> BuildRequest {
        if let request: BuildRequest = decoded("request") { return request }
        if damage.last?.hasPrefix("request") != true { damage.append("request is missing") }
        return BuildRequest(
            session: SessionID(rawValue: required("session", else: "")),
            project: ProjectName(rawValue: required("project", else: "")),
            source: .path(""),
            trigger: .api,
            title: "(damaged)"
        )
    }

    /// The column's value; a note, and the stand-in, where there is none of this type.
    private mutating func required<Value: DatabaseValueConvertible>(
        _ column: String,
        else standIn: Value
    ) -> Value {
        if let value: Value = optional(column) { return value }
        damage.append("\(column) is missing")
        return standIn
    }

    private mutating func optional<Value: DatabaseValueConvertible>(_ column: String) -> Value? {
        let value: Value? = Self.value(column, of: row)
        let stored: DatabaseValue = row[column]
        if value == nil, !stored.isNull { damage.append("\(column) has the wrong type") }
        return value
    }

    private mutating func decoded<Value: Decodable>(_ column: String) -> Value? {
        guard let json: Data = optional(column) else { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: json)
        } catch {
            damage.append("\(column) does not decode")
            return nil
        }
    }
}
