// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

@testable import DrydockServer

extension RawClient {
    /// Registers for profile 1; `data` is what stands beside the features.
    func follow(_ session: String, _ data: String = "") async throws {
        let features = #""features":["events","resume"]"# + (data.isEmpty ? "" : "," + data)
        try await say(#"{"type":"INIT","session_id":"\#(session)","data":{\#(features)}}"#)
    }

    /// Messages up to the end of a build, which is the last.
    func toTheEnd() async throws -> [JSON] {
        try await messages(until: "build_completed", "build_error")
    }
}

extension RunningServer {
    /// A `/ws` connection that follows `session` in profile 1.
    func follow<Result: Sendable>(
        _ session: String,
        _ data: String = "",
        room: Int? = nil,
        _ body: @escaping @Sendable (RawClient) async throws -> Result
    ) async throws -> Result {
        try await connect(room: room) { client in
            try await client.upgrade()
            try await client.follow(session, data)
            return try await body(client)
        }
    }
}

extension [JSON] {
    /// The records of all `build_event` messages, in order.
    var records: [JSON] {
        filter { $0["type"]?.string == "build_event" }.flatMap { $0["data"]?["records"]?.array ?? [] }
    }

    /// Those of one build.
    func records(of build: BuildID) -> [JSON] { records.filter { $0["build"]?.string == build.rawValue } }
}

extension [JSON] {
    /// The texts of the log lines among records.
    var texts: [String] { compactMap { $0["kind"]?.string == "log" ? $0["text"]?.string : nil } }
    /// The numbers of records.
    var numbers: [Int] { compactMap { $0["seq"]?.integer } }
}
