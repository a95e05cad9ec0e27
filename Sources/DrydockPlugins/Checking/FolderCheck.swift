// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// What is wrong with a plugin on disk: every file that would not be trusted or run, and its manifest.
package struct FolderCheck {
    private static let part = "files"
    /// Findings about files that are told; a folder may have ten thousand.
    private static let most = 50

    /// The plugin directory, absolute.
    let directory: String
    /// The plugin's folder or file in it.
    let entry: String

    private var findings: [PluginFinding] = []

    /// All that keeps the entry of a plugin directory from being used, and what else is odd about it.
    package static func findings(directory: String, entry: String) -> [PluginFinding] {
        var check = FolderCheck(directory: directory, entry: entry)
        check.look()
        return check.findings
    }

    private init(directory: String, entry: String) {
        self.directory = directory
        self.entry = entry
    }

    private mutating func look() {
        var name: PluginName?
        do throws(FieldProblem) {
            name = try PluginFileName(entry).name
        } catch {
            say(error.message, hint: error.hint ?? "name it as in 50-zip: two digits, a dash, a name")
        }
        do {
            let handle = try DirectoryHandle(path: FilePath(directory))
            // Its own parents are everybody's: what is wrong there is told once, and each file is looked at all the same.
            let trust = PluginTrust(owner: try handle.status().owner.user)
            do {
                try trust.checkWay(to: directory, try handle.status())
            } catch let problem as UntrustedFile {
                say(problem.reason)
            }
            let status = try handle.status(of: Array(entry.utf8)[...])
            switch status.kind {
            case .directory: try lookInside(handle, trust, name)
            case .file: try lookAtFile(handle, trust, status, name)
            default: say("\"\(entry)\" is a \(status.kind.rawValue), not a folder or a file")
            }
        } catch {
            say("it can not be read: \(error)")
        }
    }

    private mutating func say(_ message: String, hint: String? = nil, file: String? = nil) {
        guard findings.count < Self.most else { return }
        var finding = PluginFinding(.error, Self.part, message, hint: hint)
        finding.file = file
        findings.append(finding)
    }

    private mutating func check(_ trust: PluginTrust, _ status: FileStatus, _ name: String) {
        do throws(UntrustedFile) { try trust.check(status, name) } catch { say(error.reason, file: name) }
    }

    // MARK: A folder

    private mutating func lookInside(
        _ handle: DirectoryHandle,
        _ trust: PluginTrust,
        _ name: PluginName?
    ) throws {
        let root = try handle.openDirectory(TreePath(parsing: entry.utf8))
        check(trust, try root.status(), entry)
        var limits = WalkLimits()
        (limits.entries, limits.bytes, limits.depth) = (10_000, .mebibytes(64), 16)
        var walker = try TreeWalker(root: root, limits: limits)
        var files: [String: FileStatus] = [:]
        while let found = try walker.next() {
            guard let text = found.path.text else {
                say("a file name in it is not UTF-8")
                continue
            }
            switch found.kind {
            case .directoryEnd: continue
            case .symlink: say("it is a symbolic link", hint: "put the file itself there", file: text)
            case .special(let kind): say("it is a \(kind.rawValue)", file: text)
            case .directory: check(trust, found.status, text)
            case .file:
                check(trust, found.status, text)
                files[text] = found.status
            }
        }
        guard files["plugin.json"] != nil else {
            return say(
                "it has no plugin.json",
                hint: "a folder has a manifest; `drydock plugin new` writes one"
            )
        }
        let bytes = try contents("\(entry)/plugin.json", handle)
        if let name { findings += ManifestCheck(bytes: bytes, name: name, file: "plugin.json").findings() }
        checkCommand(of: bytes, name, files)
    }

    /// Its program, as far as the manifest can be read.
    private mutating func checkCommand(of bytes: [UInt8], _ name: PluginName?, _ files: [String: FileStatus])
    {
        let command = (try? Manifest.document(bytes).fields()["exec"]?.texts()) ?? ["plugin"]
        guard let program = command.first, !program.isEmpty else { return }
        if let status = files[program] {
            if let reason = PluginDirectory.problem(running: status, program) { say(reason, file: program) }
        } else if program == "plugin" || program.contains("/") {
            say(
                "there is no file \"\(program)\" in it",
                hint: "'exec' names the program; without it that is \"plugin\""
            )
        }
    }

    // MARK: A single file

    private mutating func lookAtFile(
        _ handle: DirectoryHandle,
        _ trust: PluginTrust,
        _ status: FileStatus,
        _ name: PluginName?
    ) throws {
        check(trust, status, entry)
        if let reason = PluginDirectory.problem(running: status, entry) { say(reason, file: entry) }
        guard let name else { return }
        let beside = String(entry.split(separator: ".").first ?? "") + ".json"
        if try handle.sortedNames().contains(beside) {
            check(trust, try handle.status(of: Array(beside.utf8)[...]), beside)
            findings += ManifestCheck(bytes: try contents(beside, handle), name: name, file: beside)
                .findings()
        } else if let (text, line) = PluginDirectory.manifestComment(try contents(entry, handle)) {
            findings +=
                ManifestCheck(bytes: text, name: name, file: entry, linesAbove: line - 1).findings()
        } else {
            let what = "it has no manifest: it is used only where a drydock.yaml names it, and has no stages"
            findings.append(PluginFinding(.note, "manifest", what))
        }
    }

    private func contents(_ path: String, _ handle: DirectoryHandle) throws -> [UInt8] {
        let file = try handle.openFile(TreePath(parsing: path.utf8), .read)
        return try file.withDescriptor { try FileContents.all(of: $0, atMost: 4 << 20) }
    }
}
