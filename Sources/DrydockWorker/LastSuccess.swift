// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import Logging

/// Compares a build that failed with the last one of its project that succeeded.
///
/// No more than a hint: whatever goes wrong with it is logged, and changes no outcome.
struct LastSuccess: Sendable {
    let run: BuildRun
    let plan: Plan
    let snapshot: Snapshot

    private var request: BuildRequest { run.lease.build.request }

    /// What the build, which is about to succeed, was made of.
    func ingredientsOfSuccess() async -> BuildIngredients? {
        do {
            return try await ingredients()
        } catch {
            warn(error)
            return nil
        }
    }

    /// The failure with what changed since; any other error as it is.
    func explain(_ error: any Error) async -> any Error {
        guard var failure = error as? Failure, run.stop.reason?.isOurs != false,
            ![.cancelled, .superseded].contains(failure.code)
        else { return error }
        do {
            guard let last = try await run.shop.store.ingredients(of: request.project) else {
                return failure
            }
            var details = failure.details ?? FailureDetails()
            details.changes = last.changes(to: try await ingredients(), about: failure.file)
            failure.details = details
        } catch {
            warn(error)
        }
        return failure
    }

    private func ingredients() async throws -> BuildIngredients {
        let files = try await Blocking.run { SourceFingerprint.files(of: try snapshot.open()) }
        let plugins = plan.steps.compactMap { run.shop.catalog[$0.plugin] }.map {
            ($0.name.rawValue, $0.digest)
        }
        return BuildIngredients(
            build: run.lease.build.id,
            endedAt: .now(),
            commit: snapshot.commit,
            files: files,
            plugins: Dictionary(plugins) { first, _ in first },
            parameters: request.parameters.values,
            root: plan.root
        )
    }

    private func warn(_ error: any Error) {
        run.shop.logger.warning(
            "a build could not be compared with the last that succeeded",
            metadata: ["build": "\(run.lease.build.id)", "error": "\(error)"]
        )
    }
}
