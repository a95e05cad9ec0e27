// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockProtocol

/// Asks a driver everything that a build may ask of it, and what only a wrong or a newer host would.
package struct VerbCheck: Sendable {
    /// What one question cost.
    package struct Asked: Hashable, Sendable {
        /// The verb, and on which project: `detect on an empty project`.
        package var what: String
        package var status: Int
        package var duration: Duration
    }

    /// What came of it.
    package struct Result: Sendable {
        package var findings: [PluginFinding] = []
        package var asked: [Asked] = []
        /// Lines of standard error, with the question they came with.
        package var heard: [String] = []
    }

    private let plugin: Plugin
    private let call: VerbCall
    /// Which project it is: `on an empty project`.
    private let place: String
    /// Whether the project is one that the plugin is meant for.
    private let isItsOwn: Bool
    private var result = Result()
    /// Questions that it was ended at.
    private var unanswered = 0

    /// A check of `plugin` on the project of `call`, which findings call `place`; `isItsOwn`: it should want to build it.
    package init(_ plugin: Plugin, _ call: VerbCall, place: String, isItsOwn: Bool = false) {
        self.plugin = plugin
        self.call = call
        self.place = place
        self.isItsOwn = isItsOwn
    }

    /// `detect` and `plan` on the project; `probing`: and an unknown verb, bad input, a newer host, `selftest`.
    package func ask(probing: Bool = false) async throws(Failure) -> Result {
        var check = self
        if plugin.manifest.verbs.contains(.detect) { try await check.detect() }
        if plugin.manifest.verbs.contains(.plan) { try await check.plan() }
        guard probing else { return check.result }
        try await check.unknownVerb()
        try await check.badInput()
        try await check.newerHost()
        if plugin.manifest.verbs.contains(.selftest) { try await check.selftest() }
        return check.result
    }

    private mutating func say(
        _ severity: PluginFinding.Severity,
        _ part: String,
        _ message: String,
        hint: String? = nil
    ) {
        result.findings.append(PluginFinding(severity, part, message, hint: hint))
    }

    /// Its answer; nil where it was ended, which is told.
    ///
    /// Throws where there was no sandbox: that says nothing about the plugin.
    private mutating func ask(
        _ verb: String,
        _ lines: [[UInt8]],
        _ what: String
    ) async throws(Failure) -> VerbAnswer? {
        // One that hangs does so again, and each time is twenty seconds of somebody's.
        guard unanswered < 2 else { return nil }
        var heard: [String] = []
        defer { result.heard += heard.map { "\(what): \($0)" } }
        do throws(Failure) {
            let answer = try await call.ask(plugin, verb, lines) { heard.append($0) }
            result.asked.append(Asked(what: what, status: answer.status, duration: answer.duration))
            return answer
        } catch {
            if error.fault == .platform { throw error }
            unanswered += 1
            let isTimeout = error.code == .stepTimeout || error.code == .silenceTimeout
            let hint = isTimeout ? "a verb has twenty seconds: leave to `run` what takes longer" : error.hint
            say(.error, verb, "\(what): \(error.message)", hint: hint)
            if unanswered == 2 { say(.note, verb, "no more was asked of it: it did not answer twice") }
            return nil
        }
    }

    private mutating func ask(_ verb: PluginVerb) async throws(Failure) -> VerbAnswer? {
        try await ask(verb.rawValue, [call.request(verb).line], "\(verb.rawValue) \(place)")
    }
}

// MARK: The verbs

extension VerbCheck {
    private mutating func detect() async throws(Failure) {
        guard let answer = try await ask(.detect) else { return }
        let what = "detect \(place)"
        switch answer.status {
        case 0:
            result.findings += DetectAnswer.findings(answer.bytes, what, usual: plugin.manifest.detect.score)
        case 100:
            guard isItsOwn else { return }
            say(.note, "detect", "\(what): it says that it is not its project")
        default:
            let hint = "exit 0 for a project of its own, 100 for any other"
            say(.error, "detect", "\(what): exit status \(answer.status)\(answer.lastWord)", hint: hint)
        }
    }

    private mutating func plan() async throws(Failure) {
        guard let answer = try await ask(.plan) else { return }
        let what = "plan \(place)"
        guard answer.status == 0 else {
            let hint = "where the project can not be built, answer {\"error\": {\"message\": …}} and exit 0"
            return say(.error, "plan", "\(what): exit status \(answer.status)\(answer.lastWord)", hint: hint)
        }
        do throws(FieldProblem) {
            switch try PlanAnswer.read(answer.bytes, planner: plugin) {
            case .refused(let failure):
                if isItsOwn { say(.note, "plan", "\(what): it can not be built: \(failure.message)") }
            case .steps(let steps):
                for step in steps where step.plugin == plugin.name {
                    guard let problem = StepParameters.problem(step.with, plugin: plugin) else { continue }
                    say(.error, "plan", "\(what): step \(step.id): \(problem.message)", hint: problem.hint)
                }
            }
        } catch {
            say(.error, "plan", "\(what): it is no plan: \(error.message)", hint: error.hint)
        }
    }

    private mutating func selftest() async throws(Failure) {
        guard let answer = try await ask("selftest", [call.request(.selftest).line], "selftest") else {
            return
        }
        let reading = TAPReading(answer.bytes)
        for test in reading.failed {
            var finding = PluginFinding(.error, "selftest", "a test of its own failed")
            (finding.line, finding.said) = (test.line, String(test.text.prefix(200)))
            result.findings.append(finding)
        }
        if let problem = reading.problem {
            say(
                .error,
                "selftest",
                problem,
                hint: "it answers in TAP: a plan 1..N, and N lines \"ok\" or \"not ok\""
            )
        }
        if answer.status != 0, reading.failed.isEmpty {
            say(.error, "selftest", "exit status \(answer.status)\(answer.lastWord)")
        }
    }
}

// MARK: What no build asks

extension VerbCheck {
    private mutating func unknownVerb() async throws(Failure) {
        let verb = "x-future"
        var request = call.request(.run)
        request.verb = verb
        let what = "an unknown verb"
        guard let answer = try await ask(verb, [request.line], what), answer.status != 64 else { return }
        let message = "\(what): exit status \(answer.status)\(answer.lastWord)"
        say(.error, "verbs", message, hint: "exit 64 for a verb it does not know: hosts ask for newer ones")
    }

    private mutating func badInput() async throws(Failure) {
        let what = "run with a request that is no JSON"
        let lines = [HostRecord.welcome.encoded(), Array("{\"verb\":\"run\",\n".utf8)]
        guard let answer = try await ask("run", lines, what), answer.status != 65 else { return }
        let message = "\(what): exit status \(answer.status)\(answer.lastWord)"
        say(.error, "run", message, hint: "exit 65 for input that it can not work with")
    }

    /// A newer host's requests have fields that this version does not know; the answer is to be the same.
    private mutating func newerHost() async throws(Failure) {
        for verb in [PluginVerb.detect, .plan] where plugin.manifest.verbs.contains(verb) {
            var request = call.request(verb)
            request.additional = PluginRequest.future
            let what = "\(verb.rawValue) with a field of a newer host"
            let name = "\(verb.rawValue) \(place)"
            guard let plain = result.asked.first(where: { $0.what == name }),
                let newer = try await ask(verb.rawValue, [request.line], what), plain.status != newer.status
            else { continue }
            let message =
                "\(what): exit status \(newer.status)\(newer.lastWord); without it, \(name): \(plain.status)"
            say(.error, verb.rawValue, message, hint: "pass over fields that it does not know")
        }
    }
}

extension PluginRequest {
    fileprivate var line: [UInt8] { HostRecord.request(self).encoded() }
}

/// A driver's answer to `detect`, read more strictly than a host does.
private enum DetectAnswer {
    private static let keys = ["score", "why"]

    /// `usual` is the manifest's score, which counts where the answer has none.
    static func findings(_ bytes: [UInt8], _ what: String, usual: Int) -> [PluginFinding] {
        let unheard = PluginFinding(
            .warning,
            "detect",
            "\(what): it says yes with score 0, and is never chosen",
            hint: "answer with a \"score\", or give the manifest a 'detect.score'"
        )
        if bytes.allSatisfy({ [0x20, 0x0A, 0x0D, 0x09].contains($0) }) { return usual == 0 ? [unheard] : [] }
        do throws(FieldProblem) {
            let answer = try BoundedJSONReader.document(bytes, "the answer", bounds: JSONBounds())
            let fields = try answer.fields(keys)
            let score = try fields["score"]?.integer(in: 0...100)
            if let why = try fields["why"]?.text(), why.count > 200 {
                let message = "\(what): 'why' has \(why.count) characters, and is shown to 200"
                return [PluginFinding(.warning, "detect", message)]
            }
            // A score of its own is meant, whatever it is.
            return score == nil && usual == 0 ? [unheard] : []
        } catch {
            let hint = error.hint ?? "a build passes over it, and takes the score of the manifest"
            return [PluginFinding(.error, "detect", "\(what): \(error.message)", hint: hint)]
        }
    }
}
