// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import DrydockStore

extension Problem {
    /// What a client is told about `error`; 500 without details for what is none of its business.
    init(explaining error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let failure as Failure: self.init(failure)
        case StoreError.noSuchBuild(let id): self = .notFound("build \(id.rawValue.prefix(64))")
        case StoreError.noSuchAttempt(_, let attempt): self = .notFound("attempt \(attempt)")
        case StoreError.keyReused(let id):
            self.init(
                422,
                "idempotency_key_reused",
                "this Idempotency-Key came before with another request, which made build \(id)",
                hint: "send a key of its own with each new request"
            )
        case let error as StoreError where [.queueFull, .diskFull].contains(error.failure.code):
            self.init(error.failure)
        default: self.init(500, .internal, "the server could not answer; its log says why")
        }
    }

    /// The body is larger than `most`.
    static func sourceTooLarge(_ most: ByteCount) -> Problem {
        Problem(
            413,
            .sourceTooLarge,
            "the source is larger than \(most)",
            hint: "leave build results and dependencies out of the archive"
        )
    }

    private init(_ failure: Failure) {
        let status =
            switch failure.code {
            case .sourceTooLarge: 413
            case .queueFull: 429
            case .diskFull: 507
            default: failure.fault == .user ? 400 : 500
            }
        self.init(status, failure.code, failure.message, hint: failure.hint)
    }
}
