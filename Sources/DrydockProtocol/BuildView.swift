// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// A build as the HTTP API shows it.
package struct BuildView: Codable, Hashable, Sendable {
    /// Where its parts are; paths of this server, except `preview`.
    package struct Links: Codable, Hashable, Sendable {
        package var `self`: String
        package var events: String
        package var logs: String
        package var artifacts: String
        /// The whole address, once the build has something to look at.
        package var preview: String?
    }

    package var id: BuildID
    package var sessionID: SessionID
    package var project: ProjectName
    package var title: String
    /// Where in the source the project is; nil at its top.
    package var directory: RelativePath?
    /// nil where there are none.
    package var params: BuildParameters?
    package var trigger: Trigger
    package var state: BuildState
    /// Builds ahead of it, while it waits.
    package var position: Int?
    package var attempt: AttemptID?
    package var attempts: Int
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var failure: Failure?
    package var retryOf: BuildID?
    package var urls: Links

    private enum CodingKeys: String, CodingKey {
        case id
        case sessionID = "session_id"
        case project
        case title
        case directory
        case params
        case trigger
        case state
        case position
        case attempt
        case attempts
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case failure
        case retryOf = "retry_of"
        case urls
    }

    /// `preview` is the address its deploy is served at.
    package init(_ build: Build, position: Int?, preview: String?) {
        let base = "/api/v1/builds/\(build.id)"
        id = build.id
        sessionID = build.request.session
        project = build.request.project
        title = build.request.title
        directory = build.request.directory == .top ? nil : build.request.directory
        params = build.request.parameters.isEmpty ? nil : build.request.parameters
        trigger = build.request.trigger
        state = build.state
        self.position = position
        attempt = build.attempt
        attempts = build.attempts
        createdAt = build.createdAt
        startedAt = build.startedAt
        finishedAt = build.finishedAt
        failure = build.failure
        retryOf = build.request.retryOf
        urls = Links(
            self: base,
            events: base + "/events",
            logs: base + "/logs",
            artifacts: base + "/artifacts",
            preview: preview
        )
    }
}
