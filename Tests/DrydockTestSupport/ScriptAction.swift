// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockSandbox
package import DrydockStore
import SystemPackage
import Yams

/// One thing that a script does: in the sandbox that it plays, or to the world around it.
package enum ScriptAction: Sendable {
    // In a sandbox.

    /// `out: text`, `err: text`: a line; `repeat: {out: text, times: n}`: so many of them.
    case say(LogLine.Stream, String, times: Int)
    /// `file: {path: text}`: writes a file below the build's workspace.
    case file(path: String, text: String)
    /// `link: {path: target}`: a symbolic link there.
    case link(path: String, target: String)
    /// `ended`: waits until somebody ends the sandbox.
    case untilEnded
    /// `exit: 1`, `signal: 9`, `verdict: oom`: how it ends.
    case end(Verdict)
    /// `refuse: program`, `refuse: setup`: it is not started at all. The first thing of a sandbox, and its only one.
    case refuse(SandboxError)

    // To the world.

    /// `cancel: why`: somebody asks for the end of the first build that has none.
    case cancel(reason: String)
    /// `advance: seconds`: time passes.
    case advance(Duration)
    /// `beat`: time passes until the worker has asked for its lease again.
    case beat
    /// `lapse`: so much time passes, without a heartbeat, that leases lapse, and another process takes them back.
    case lapse
    /// `shutdown`: the worker that took up a build last is asked to end.
    case shutdown
    /// `die`: that worker is gone without a word.
    case die
    /// `start`: another worker starts.
    case start
    /// `sweep`: another process is about to build, and clears up what dead ones left.
    case sweep
    /// `enqueue`: the project is asked for once more.
    case enqueue
    /// `fail: full`: the call that this answers to fails.
    case fail(StoreError)
    /// `sql: text`: changes the database behind everybody's back.
    case sql(String)
    /// `cut: n`: the newest journal loses its last bytes.
    case cut(Int)
    /// `leave: path`: something lies in the data directory.
    case leave(String)
}

/// What is wrong with a script.
package struct ScriptProblem: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

extension ScriptAction {
    /// The actions of a list in a script.
    static func list(_ value: Any?) throws -> [ScriptAction] {
        guard let values = value as? [Any] else {
            throw ScriptProblem("not a list of actions: \(value ?? "")")
        }
        return try values.map(ScriptAction.init(parsing:))
    }

    private init(parsing value: Any) throws {
        if let word = value as? String {
            self = try Self.word(word)
        } else if let table = value as? [String: Any], table.count == 1, let (name, argument) = table.first {
            self = try Self.action(name, argument)
        } else {
            throw ScriptProblem("an action is a word, or one key with its argument: \(value)")
        }
    }

    private static func word(_ word: String) throws -> ScriptAction {
        switch word {
        case "ended": .untilEnded
        case "beat": .beat
        case "lapse": .lapse
        case "shutdown": .shutdown
        case "die": .die
        case "start": .start
        case "sweep": .sweep
        case "enqueue": .enqueue
        default: throw ScriptProblem("there is no action \(word)")
        }
    }

    private static func action(_ name: String, _ argument: Any) throws -> ScriptAction {
        switch (name, argument) {
        case ("out", let text as String): return .say(.out, text, times: 1)
        case ("err", let text as String): return .say(.err, text, times: 1)
        case ("repeat", let table as [String: Any]):
            guard let text = table["out"] as? String, let times = table["times"] as? Int else { break }
            return .say(.out, text, times: times)
        case ("file", let table as [String: String]):
            guard let (path, text) = table.first else { break }
            return .file(path: path, text: text)
        case ("link", let table as [String: String]):
            guard let (path, target) = table.first else { break }
            return .link(path: path, target: target)
        case ("exit", let status as Int): return .end(.exit(status))
        case ("signal", let number as Int): return .end(.signalled(number))
        case ("verdict", let word as String): return .end(try verdict(word))
        case ("refuse", let word as String): return .refuse(try refusal(word))
        case ("cancel", let reason as String): return .cancel(reason: reason)
        case ("advance", let seconds as Int): return .advance(.seconds(seconds))
        case ("fail", let word as String): return .fail(try storeError(word))
        case ("sql", let text as String): return .sql(text)
        case ("cut", let bytes as Int): return .cut(bytes)
        case ("leave", let path as String): return .leave(path)
        default: break
        }
        throw ScriptProblem("there is no action \(name) with \(argument)")
    }

    private static func verdict(_ word: String) throws -> Verdict {
        switch word {
        case "oom": .oom
        case "pids": .pidsLimit
        case "cpu": .cpuLimit
        case "lost": .lost
        case "setup": .setupFailed(SetupFailure(step: JailStep(rawValue: 104), errno: .tooManyOpenFiles))
        default: throw ScriptProblem("there is no verdict \(word)")
        }
    }

    private static func refusal(_ word: String) throws -> SandboxError {
        switch word {
        case "program": .execFailed(program: "/plugin/plugin", errno: 2)
        case "setup": .setupFailed(SetupFailure(step: JailStep(rawValue: 102), errno: .notPermitted))
        case "jail": .jailNotFound(["/usr/libexec/drydock/drydock-jail"])
        default: throw ScriptProblem("there is no refusal \(word)")
        }
    }

    private static func storeError(_ word: String) throws -> StoreError {
        switch word {
        case "full": .diskFull("data")
        case "database": .databaseFailed(detail: "disk I/O error")
        default: throw ScriptProblem("there is no failure \(word)")
        }
    }
}
