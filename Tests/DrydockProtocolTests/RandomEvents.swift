// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol

extension RandomRecords {
    mutating func event(_ kind: EventKind) -> Event {
        switch kind {
        case .queued:
            .queued(
                Queued(
                    session: SessionID(rawValue: text()),
                    project: ProjectName(rawValue: text()),
                    title: text(),
                    trigger: .retry,
                    directory: RelativePath(rawValue: "a/b") ?? .top,
                    parameters: (try? BuildParameters(pairs: ["a=\(integer())", "b="])) ?? BuildParameters(),
                    createdAt: moment()
                )
            )
        case .started: .started(Started(number: integer(), level: pick(), missing: texts()))
        case .plan: .plan(Planned(plan: plan(), why: text()))
        case .step:
            .step(
                StepChange(
                    state: pick(),
                    title: text(),
                    failure: maybe { $0.failure() },
                    duration: maybe { $0.duration() }
                )
            )
        case .stage: .stage(stage())
        case .estimate: .estimate(estimate())
        case .progress:
            .progress(
                Progress(
                    stage: maybe { StageID(rawValue: $0.text()) },
                    current: number(),
                    total: maybe { $0.number() },
                    unit: maybe { $0.text() },
                    text: maybe { $0.text() }
                )
            )
        case .log: .log(logLine())
        case .diag: .diag(diagnostic())
        case .tests: .tests(tests())
        case .artifact:
            .artifact(
                Artifact(
                    path: text(),
                    digest: Digest(rawValue: text()),
                    size: size(),
                    role: pick(),
                    executable: bool()
                )
            )
        default: smallEvent(kind)
        }
    }

    private mutating func estimate() -> Estimate {
        let least = integer() & 1_023
        return Estimate(
            percent: integer() & 63,
            remaining: maybe { _ in least...(least + 7) },
            isOverdue: integer().isMultiple(of: 2)
        )
    }

    private mutating func tests() -> TestResults {
        var results = TestResults()
        results.total = integer() & 1_023
        results.failed = integer() & 63
        results.skipped = integer() & 63
        results.milliseconds = Int64(integer() & 0xFFFF)
        results.suites = bool() ? [TestResults.Suite(name: text())] : []
        results.failures =
            bool() ? [FailedTest(name: text(), message: maybe { $0.text() }, file: maybe { $0.text() })] : []
        return results
    }

    private mutating func smallEvent(_ kind: EventKind) -> Event {
        switch kind {
        case .output: .output(key: text(), value: text())
        case .notice: .notice(title: text(), markdown: text())
        case .willFail: .willFail(reason: text())
        case .violation:
            .violation(
                Violation(
                    call: text(),
                    target: maybe { $0.text() },
                    error: maybe { $0.text() },
                    wants: maybe { $0.text() },
                    allow: maybe { $0.text() },
                    pid: maybe { $0.integer() },
                    program: maybe { $0.text() },
                    stage: maybe { StageID(rawValue: $0.text()) },
                    count: integer(),
                    isProbe: bool()
                )
            )
        case .network: .network(use())
        case .usage:
            .usage(
                Usage(
                    wall: duration(),
                    cpu: maybe { $0.duration() },
                    peakMemory: maybe { $0.size() },
                    peakProcesses: maybe { $0.integer() },
                    network: bool() ? [use(), use()] : []
                )
            )
        case .preview: .preview(PreviewReady(deploy: .make(), root: text(), spa: bool()))
        case .attempt: .attempt(number: integer(), reason: text())
        case .cancelRequested: .cancelRequested(by: text(), reason: text())
        case .gap: .gap(Gap(reason: text(), lines: integer(), bytes: size()))
        default:
            .finished(
                Finished(outcome: maybe { Outcome($0.failure()) } ?? .succeeded, duration: duration())
            )
        }
    }

    private mutating func stage() -> StageChange {
        StageChange(
            stage: StageID(rawValue: text()),
            op: .end,
            title: maybe { $0.text() },
            parent: maybe { StageID(rawValue: $0.text()) },
            weight: maybe { $0.number() },
            status: maybe { _ in .failed }
        )
    }

    mutating func logLine() -> LogLine {
        LogLine(
            stream: .err,
            stage: maybe { StageID(rawValue: $0.text()) },
            text: text(),
            level: maybe { $0.text() }
        )
    }

    private mutating func diagnostic() -> Diagnostic {
        var diagnostic = Diagnostic(
            severity: .warning,
            message: text(),
            file: maybe { $0.text() },
            line: maybe { $0.integer() },
            column: maybe { $0.integer() },
            code: maybe { $0.text() }
        )
        diagnostic.hint = maybe { $0.text() }
        diagnostic.url = maybe { $0.text() }
        diagnostic.stage = maybe { StageID(rawValue: $0.text()) }
        return diagnostic
    }

    private mutating func use() -> NetworkUse {
        NetworkUse(
            host: text(),
            port: UInt16(integer() & 0xFFFF),
            verdict: bool() ? .allowed(rule: text()) : .denied(reason: text()),
            connections: integer(),
            sent: size(),
            received: size(),
            duration: duration()
        )
    }

    private mutating func rule() -> NetworkRule {
        let written = ["pypi.org", "*.example.org", "example.org:8443", "xn--bcher-kva.example:80"]
        // Written by hand, so each is one.
        return (try? NetworkRule(parsing: written[integer() % written.count])).unsafelyUnwrapped
    }

    private mutating func plan() -> Plan {
        let step = PlannedStep(
            id: name(),
            plugin: name(),
            title: text(),
            with: json(),
            needs: [name(), name()],
            network: [rule(), rule()],
            profile: bool() ? .debug : nil,
            inputs: [path()],
            outputs: [path(), path()],
            timeout: maybe { $0.duration() },
            env: ["A": text(), text(): "b"],
            weight: number()
        )
        return Plan(
            steps: [step, step],
            artifacts: [ArtifactRule(path: path(), role: pick(), title: maybe { $0.text() })],
            preview: maybe { one in
                PreviewRule(
                    root: one.maybe { $0.path() },
                    spa: one.bool(),
                    start: one.maybe { $0.texts() }
                )
            },
            policy: Policy(
                limits: Limits(memory: size(), cpus: maybe { $0.number() }, total: duration()),
                minimumLevel: maybe { _ in .full } ?? .reduced
            ),
            clipped: texts()
        )
    }
}
