// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import Glibc
import SystemPackage

/// One plugin directory, being read.
struct PluginDirectory {
    private(set) var plugins: [Plugin] = []
    private(set) var invalid: [InvalidPlugin] = []
    private(set) var observers: [Observer] = []

    private let path: String
    private let handle: DirectoryHandle
    private let trust: PluginTrust
    private let names: Set<String>
    private var library: (path: String, digest: Digest)?

    private struct Problem: Error {
        var reason: String
    }

    /// Reads what is in `directory`; a directory that can not be used is itself listed as invalid.
    static func read(
        _ directory: String
    ) -> (plugins: [Plugin], observers: [Observer], invalid: [InvalidPlugin]) {
        do {
            var reading = try PluginDirectory(directory)
            reading.readAll()
            return (reading.plugins, reading.observers, reading.invalid)
        } catch {
            return ([], [], [InvalidPlugin(path: directory, reason: explain(error))])
        }
    }

    private init(_ directory: String) throws {
        guard let resolved = realpath(directory, nil) else { throw Errno.current }
        defer { free(resolved) }
        path = String(cString: resolved)
        handle = try DirectoryHandle(path: FilePath(path))
        trust = try PluginTrust(directory: path, status: try handle.status())
        names = Set(try handle.sortedNames())
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let problem as Problem: problem.reason
        case let problem as FieldProblem: problem.sentence
        case let problem as UntrustedFile: problem.reason
        case let problem as Errno: "it can not be read: \(problem)"
        default: "it can not be read: \(error)"
        }
    }

    private mutating func readAll() {
        if names.contains("lib") {
            do {
                library = ("\(path)/lib", try digest(folder: "lib").digest)
            } catch {
                invalid.append(InvalidPlugin(path: "\(path)/lib", reason: Self.explain(error)))
            }
        }
        if names.contains(ObserverFolder.name) { observers = readObservers(ObserverFolder.name) }
        for name in names.sorted() where !isIgnored(name) {
            do {
                plugins.append(try plugin(name))
            } catch {
                invalid.append(InvalidPlugin(path: "\(path)/\(name)", reason: Self.explain(error)))
            }
        }
    }

    private func isIgnored(_ name: String) -> Bool {
        if ["lib", "presets", ObserverFolder.name].contains(name) || name.hasPrefix(".")
            || name.hasPrefix("README")
        {
            return true
        }
        guard name.hasSuffix(".json") else { return false }
        let stem = name.dropLast(5)
        return names.contains { $0 != name && ($0 == stem || $0.hasPrefix(stem + ".")) }
    }

    private mutating func plugin(_ name: String) throws -> Plugin {
        let parsed = try PluginFileName(name)
        let status = try handle.status(of: Array(name.utf8)[...])
        switch status.kind {
        case .directory where parsed.hasExtension:
            throw Problem(reason: "a folder's name has no extension; it should be NN-\(parsed.name)")
        case .directory: return try folder(name, parsed)
        case .file: return try file(name, parsed, status)
        default: throw Problem(reason: "it is a \(status.kind.rawValue), not a folder or a file")
        }
    }

    private mutating func folder(_ name: String, _ parsed: PluginFileName) throws -> Plugin {
        let content = try digest(folder: name)
        let manifestFile = try path(name, "plugin.json")
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try read(manifestFile, atMost: Manifest.largest)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            throw Problem(reason: "it has no plugin.json")
        }
        let manifest = try Manifest(json: bytes, name: parsed.name)
        let files = Set(manifest.exec.filter { content.files[$0] != nil })
        guard let program = manifest.exec.first else { throw Problem(reason: "\"exec\" is empty") }
        if let status = content.files[program] {
            try checkExecutable(status, program)
        } else if program == "plugin" || program.contains("/") {
            throw Problem(reason: "there is no file \"\(program)\" in it")
        }
        return Plugin(
            name: parsed.name,
            order: parsed.order,
            path: "\(path)/\(name)",
            shape: .folder(files: files),
            manifest: manifest,
            library: library?.path,
            observers: content.files.keys.contains { $0.hasPrefix("\(ObserverFolder.name)/") }
                ? readObservers("\(name)/\(ObserverFolder.name)") : [],
            digest: withLibrary(content.digest)
        )
    }

    private func file(_ name: String, _ parsed: PluginFileName, _ status: FileStatus) throws -> Plugin {
        guard !name.hasSuffix(".json") else {
            throw Problem(reason: "it is a manifest without its plugin")
        }
        try trust.check(status, name)
        try checkExecutable(status, name)
        let bytes = try read(try path(name), atMost: 4 << 20)
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        var manifest = Manifest(name: parsed.name)
        let beside = String(name.split(separator: ".").first ?? "") + ".json"
        if names.contains(beside) {
            let text = try read(try path(beside), atMost: Manifest.largest)
            try trust.check(try handle.status(of: Array(beside.utf8)[...]), beside)
            hasher.update(text)
            manifest = try Manifest(json: text, name: parsed.name)
        } else if let comment = Self.manifestComment(bytes) {
            manifest = try Manifest(json: comment.json, name: parsed.name)
        }
        guard manifest.kind == .guest else {
            throw Problem(reason: "a single file is always a guest; a driver has a folder with a plugin.json")
        }
        return Plugin(
            name: parsed.name,
            order: parsed.order,
            path: "\(path)/\(name)",
            shape: .file(name),
            manifest: manifest,
            library: library?.path,
            digest: withLibrary(hasher.finish())
        )
    }

    /// The JSON of a line `# drydock: {…}` among the first 20, and which of them it is, from 1.
    static func manifestComment(_ bytes: [UInt8]) -> (json: [UInt8], line: Int)? {
        let start = Array("# drydock:".utf8)
        return bytes.split(separator: 0x0A, maxSplits: 20, omittingEmptySubsequences: false).prefix(20)
            .enumerated().first { $0.element.starts(with: start) }
            .map { (Array($0.element.dropFirst(start.count)), $0.offset + 1) }
    }

    private func checkExecutable(_ status: FileStatus, _ name: String) throws {
        if let reason = Self.problem(running: status, name) { throw Problem(reason: reason) }
    }

    /// Why a plugin's program can not be run; nil when it can.
    static func problem(running status: FileStatus, _ name: String) -> String? {
        // As root, the sandbox's user is another one than the owner.
        let needed: UInt32 = geteuid() == 0 ? 0o111 : 0o100
        guard status.permissions & needed != needed else { return nil }
        return "\"\(name)\" is not executable: chmod a+rx it"
    }
}

// MARK: Content

extension PluginDirectory {
    private func withLibrary(_ digest: Digest) -> Digest {
        guard let library else { return digest }
        return SHA256Hasher.digest(of: Array("\(digest) \(library.digest)".utf8))
    }

    /// The observers of a folder; what is wrong with one is listed, and the others count.
    private mutating func readObservers(_ folder: String) -> [Observer] {
        var reading = ObserverFolder()
        do {
            // Trusted as a plugin's own files are.
            for file in try digest(folder: folder).files.keys.sorted() {
                let path = try path(folder, file)
                reading.add(file, { try read(path, atMost: Observer.largest) }, explain: Self.explain)
            }
        } catch {
            invalid.append(InvalidPlugin(path: "\(path)/\(folder)", reason: Self.explain(error)))
        }
        invalid += reading.invalid.map { name, problem in
            InvalidPlugin(path: "\(path)/\(folder)/\(name)", reason: problem.sentence)
        }
        return reading.observers
    }

    private func path(_ names: String...) throws -> TreePath {
        do throws(PathProblem) {
            return try TreePath(parsing: names.joined(separator: "/").utf8)
        } catch {
            throw Problem(reason: error.explanation)
        }
    }

    private func read(_ path: TreePath, atMost limit: Int) throws(Errno) -> [UInt8] {
        let file = try handle.openFile(path, .read)
        return try file.withDescriptor { file throws(Errno) in try FileContents.all(of: file, atMost: limit) }
    }

    /// The digest of names, executable bits and bytes, in the order of their names; and the files by their paths.
    private func digest(folder name: String) throws -> (digest: Digest, files: [String: FileStatus]) {
        let root = try handle.openDirectory(try path(name))
        try trust.check(try root.status(), name)
        var limits = WalkLimits()
        (limits.entries, limits.bytes, limits.depth) = (10_000, .mebibytes(64), 16)
        var walker = try TreeWalker(root: root, limits: limits)
        var hasher = SHA256Hasher()
        var files: [String: FileStatus] = [:]
        while let entry = try walker.next() {
            guard let text = entry.path.text else { throw Problem(reason: "a file name in it is not UTF-8") }
            try trust.check(entry.status, "\(name)/\(text)")
            switch entry.kind {
            case .directory, .directoryEnd: continue
            case .file: break
            case .symlink: throw Problem(reason: "\"\(text)\" is a symbolic link; put the file itself there")
            case .special(let kind): throw Problem(reason: "\"\(text)\" is a \(kind.rawValue)")
            }
            files[text] = entry.status
            let content = try walker.open(entry).withDescriptor {
                try FileContents.all(of: $0, atMost: 64 << 20)
            }
            hasher.update(Array("\(text)\0\(entry.status.isExecutable ? "x" : "-")\(content.count)\0".utf8))
            hasher.update(content)
        }
        return (hasher.finish(), files)
    }
}

/// `NN-name` or `NN-name.ext`.
struct PluginFileName {
    let order: Int
    let name: PluginName
    let hasExtension: Bool

    init(_ text: String) throws(FieldProblem) {
        let bytes = Array(text.utf8)
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard bytes.count > 3, isDigit(bytes[0]), isDigit(bytes[1]), bytes[2] == UInt8(ascii: "-"),
            let order = Int(text.prefix(2))
        else { throw FieldProblem("its name does not begin with two digits and a dash, as in 50-\(text)") }
        let stem = text.dropFirst(3).prefix { $0 != "." }
        guard let name = PluginName(rawValue: String(stem)) else {
            throw FieldProblem("'\(stem)' is no plugin name", hint: PluginName.rule)
        }
        self.order = order
        self.name = name
        hasExtension = text.count > stem.count + 3
    }
}
