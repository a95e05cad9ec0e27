// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import Glibc
package import SystemPackage

/// How a git source is fetched.
package struct GitOptions: Sendable {
    /// What a URL may begin with.
    package var protocols: [String]
    /// Hosts that may be cloned from; nil = any.
    package var hosts: [String]?
    package var limits: WalkLimits
    package var timeout: Duration
    /// Whom the files belong to; nil = this process.
    package var owner: FileOwner?
    /// Further variables of git's (`NAME=value`).
    var environment: [String]

    package init(
        protocols: [String] = ["https"],
        hosts: [String]? = nil,
        limits: WalkLimits = WalkLimits(),
        timeout: Duration = .seconds(5 * 60),
        owner: FileOwner? = nil,
        environment: [String] = []
    ) {
        self.protocols = protocols
        self.hosts = hosts
        self.limits = limits
        self.timeout = timeout
        self.owner = owner
        self.environment = environment
    }
}

/// What was fetched.
package struct GitSummary: Hashable, Sendable {
    /// The commit, in hexadecimal.
    package var commit: String
    package var copied: CopySummary
}

/// A revision of a git repository as a source.
///
/// One commit deep, no tags, no submodules, no large-file filters. The repository's hooks, attributes and configuration
/// have no effect, nor has the user's configuration; git has no credentials and asks for none. What the commit holds is
/// added up before it is checked out. `.git` does not become part of the source.
package enum GitSource {
    /// Fetches `revision` (a branch, a tag or a full commit; nil = the default branch) into `directory`, an empty one.
    ///
    /// `scratch` is an empty directory on disk for the repository; it is empty again afterwards. Blocks until git ended.
    package static func fetch(
        url: String,
        revision: String?,
        into directory: DirectoryHandle,
        scratch: FilePath,
        _ options: GitOptions = GitOptions()
    ) throws(Failure) -> GitSummary {
        try GitAddress(options: options).check(url)
        let revision = revision ?? "HEAD"
        try checkRevision(revision)
        let place = try open(scratch)
        defer { try? TreeRemover.removeContents(of: place) }  // the caller's reaper removes what is left
        let deadline = ContinuousClock.now.advanced(by: options.timeout)
        let git = GitProcess(directory: scratch, options: options, deadline: deadline)
        _ = try git.run(["init", "--quiet", "--template="])
        try ignoreAttributes(of: scratch)
        _ = try git.run(["fetch", "--quiet", "--depth=1", "--no-tags", "--end-of-options", url, revision])
        let commit = try git.run(["rev-parse", "FETCH_HEAD^{commit}"])
        try checkSize(try git.run(["ls-tree", "-r", "-l", "-z", "FETCH_HEAD"]), options.limits)
        _ = try git.run(["checkout", "--quiet", "--detach", "FETCH_HEAD"])
        do throws(CopyError) {
            let copy = CopyOptions(
                limits: options.limits,
                ignoring: LocalSource.ignored,
                unfit: .leaveOut,
                required: LocalSource.required,
                owner: options.owner
            )
            let copied = try TreeCopier.copy(from: place, into: directory, copy)
            let text = String(decoding: commit.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            return GitSummary(commit: text, copied: copied)
        } catch {
            throw error.sourceFailure
        }
    }

    /// Has the repository's own attributes mean nothing: one that changes the encoding makes files many times larger than
    /// what was added up.
    ///
    /// Source: man 5 gitattributes, whose order has this file first.
    private static func ignoreAttributes(of scratch: FilePath) throws(Failure) {
        let rule = "* -text -ident !eol !filter !working-tree-encoding\n"
        do throws(Errno) {
            let info = scratch.appending(".git").appending("info")
            try makeDirectories(info, permissions: 0o700)
            let file = try OwnedDescriptor(opening: info.appending("attributes"), O_WRONLY | O_CREAT | O_EXCL)
            try file.withDescriptor { file throws(Errno) in
                try FileContents.write(Array(rule.utf8)[...], to: file)
            }
        } catch {
            throw Failure(.internal, .platform, "the repository can not be written to: \(error)")
        }
    }

    /// Throws unless it is a name of git's, which can not be taken for an option or a range.
    package static func checkRevision(_ revision: String) throws(Failure) {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-".utf8
        let isRight =
            (1...255).contains(revision.utf8.count) && revision.first != "-"
            && revision.utf8.allSatisfy { letters.contains($0) } && !revision.contains("..")
        if isRight { return }
        throw Failure(
            .sourceInvalid,
            .user,
            "'\(TreePath.shown(revision.utf8))' is no git revision",
            hint: "name a branch, a tag or a full commit"
        )
    }

    static func open(_ scratch: FilePath) throws(Failure) -> DirectoryHandle {
        do throws(Errno) {
            return try DirectoryHandle(path: scratch)
        } catch {
            throw Failure(.internal, .platform, "the directory \(scratch) can not be opened: \(error)")
        }
    }

    /// Adds up the sizes in git's `mode type object size\tpath\0`, before anything is written.
    private static func checkSize(_ listing: [UInt8], _ limits: WalkLimits) throws(Failure) {
        var files = 0
        var bytes: Int64 = 0
        for line in listing.split(separator: 0) {
            let words = line.prefix { $0 != UInt8(ascii: "\t") }.split(separator: UInt8(ascii: " "))
            let size = words.count == 4 ? Int64(String(decoding: words[3], as: UTF8.self)) ?? 0 : 0
            files += 1
            bytes = bytes.addingReportingOverflow(size).partialValue
            if files > limits.entries {
                throw WalkError.tooManyEntries(limit: limits.entries).sourceFailure
            }
            if size > limits.fileSize.bytes || bytes < 0 || bytes > limits.bytes.bytes {
                throw WalkError.tooManyBytes(limit: limits.bytes).sourceFailure
            }
        }
    }
}

/// Checks a URL before git sees it.
package struct GitAddress: Sendable {
    private let options: GitOptions

    package init(options: GitOptions) { self.options = options }

    /// Throws for what may not be cloned; returns the host, with its port where it names one.
    @discardableResult
    package func check(_ url: String) throws(Failure) -> String {
        let parts = url.split(separator: "://", maxSplits: 1).map(String.init)
        let isClean =
            url.utf8.count <= 2_048
            && url.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\")
            }
        guard isClean, parts.count == 2, options.protocols.contains(parts[0]) else {
            throw refusal(
                "'\(TreePath.shown(url.utf8))' is no URL that may be cloned",
                "begin it with \(options.protocols.map { $0 + "://" }.joined(separator: " or "))"
            )
        }
        let authority = parts[1].prefix { !"/?#".contains($0) }
        if authority.contains("@") {
            throw refusal("the git URL names a user", "leave out the user and the password")
        }
        guard let hosts = options.hosts else { return String(authority) }
        let host = authority.prefix { $0 != ":" }.lowercased()
        if !hosts.contains(host) {
            throw refusal(
                "cloning from '\(host)' is not allowed here",
                "the operator allows hosts with 'sources.git'"
            )
        }
        return String(authority)
    }

    private func refusal(_ message: String, _ hint: String) -> Failure {
        Failure(.sourceInvalid, .user, message, hint: hint)
    }
}
