// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where the input tree comes from.
package enum Source: Codable, Hashable, Sendable {
    /// An uploaded archive, spooled to a blob; its format is found by its first bytes.
    case archive(Digest)
    /// A directory of this machine (only where the configuration allows it).
    case path(String)
    /// A git URL and a revision, nil = its default branch (only where the configuration allows it).
    case git(url: String, revision: String?)

    /// The blob that holds it; nil where it is none.
    package var archive: Digest? { if case .archive(let digest) = self { digest } else { nil } }
}

/// What caused a build.
package enum Trigger: String, Codable, Sendable, CaseIterable, FieldReadable {
    case api
    case cli
    case retry
    case schedule
}

/// What somebody wants built.
package struct BuildRequest: Codable, Hashable, Sendable {
    package var session: SessionID
    package var project: ProjectName
    package var source: Source
    /// Where in the source the project is.
    package var directory: RelativePath
    package var parameters: BuildParameters
    package var trigger: Trigger
    /// What is being built, for people: a file name, a path, a URL.
    package var title: String
    /// The build this one repeats.
    package var retryOf: BuildID?
    /// Makes a repeated request answer with the first one's build.
    package var idempotency: Idempotency?
    /// The digest of the token it came with, in whose turn it is built; nil = none was needed.
    package var submitter: Digest?

    package init(
        session: SessionID,
        project: ProjectName,
        source: Source,
        directory: RelativePath = .top,
        parameters: BuildParameters = BuildParameters(),
        trigger: Trigger,
        title: String,
        retryOf: BuildID? = nil,
        idempotency: Idempotency? = nil,
        submitter: Digest? = nil
    ) {
        self.session = session
        self.project = project
        self.source = source
        self.directory = directory
        self.parameters = parameters
        self.trigger = trigger
        self.title = title
        self.retryOf = retryOf
        self.idempotency = idempotency
        self.submitter = submitter
    }
}

extension BuildRequest {
    /// Requests of earlier versions have neither directory nor parameters.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            session: try fields.decode(SessionID.self, forKey: .session),
            project: try fields.decode(ProjectName.self, forKey: .project),
            source: try fields.decode(Source.self, forKey: .source),
            directory: try fields.decodeIfPresent(RelativePath.self, forKey: .directory) ?? .top,
            parameters: try fields.decodeIfPresent(BuildParameters.self, forKey: .parameters)
                ?? BuildParameters(),
            trigger: try fields.decode(Trigger.self, forKey: .trigger),
            title: try fields.decode(String.self, forKey: .title),
            retryOf: try fields.decodeIfPresent(BuildID.self, forKey: .retryOf),
            idempotency: try fields.decodeIfPresent(Idempotency.self, forKey: .idempotency),
            submitter: try fields.decodeIfPresent(Digest.self, forKey: .submitter)
        )
    }
}

/// What makes two requests the same one, sent twice.
package struct Idempotency: Codable, Hashable, Sendable {
    /// Whose keys these are: those of another scope are other keys.
    package var scope: String
    package var key: String
    /// What was asked for, digested: the same key with another body is a mistake of its sender.
    package var body: Digest

    package init(scope: String, key: String, body: Digest) {
        self.scope = scope
        self.key = key
        self.body = body
    }
}

/// A build as lists and pages show it: a fold over its journal, kept as an index that can be rebuilt.
package struct Build: Codable, Hashable, Sendable {
    package var id: BuildID
    package var request: BuildRequest
    package var state: BuildState
    /// The newest attempt; nil while the first one has not been leased.
    package var attempt: AttemptID?
    /// How many attempts there were.
    package var attempts: Int
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    /// Why it did not succeed.
    package var failure: Failure?
    /// Where its result is served.
    package var deploy: DeployID?
    /// Rises with every change of any build of the store; a cursor for followers.
    package var revision: Int64
    /// What of it can not be read any more; stands in for it then are the parts that can, and an end as `errored`.
    package var damage: String?

    package init(
        id: BuildID,
        request: BuildRequest,
        state: BuildState,
        attempt: AttemptID? = nil,
        attempts: Int = 0,
        createdAt: Timestamp,
        startedAt: Timestamp? = nil,
        finishedAt: Timestamp? = nil,
        failure: Failure? = nil,
        deploy: DeployID? = nil,
        revision: Int64 = 0
    ) {
        self.id = id
        self.request = request
        self.state = state
        self.attempt = attempt
        self.attempts = attempts
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.failure = failure
        self.deploy = deploy
        self.revision = revision
        self.damage = nil
    }

    /// Whether nothing more comes to the journal of `attempt`.
    package func isOver(_ attempt: AttemptID) -> Bool { state.isOver(attempt, newest: self.attempt) }
}
