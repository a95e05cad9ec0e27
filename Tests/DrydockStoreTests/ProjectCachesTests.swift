// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockStore

@Suite("caches of projects")
struct ProjectCachesTests {
    private let project = ProjectName(rawValue: "a/b: c\nd")

    private func caches(_ scratch: ScratchDirectory, total: Int64 = 1 << 30) throws -> ProjectCaches {
        var limits = ProjectCacheLimits()
        limits.total = ByteCount(total)
        return try ProjectCaches(in: FilePath(scratch.path).appending("caches"), limits: limits)
    }

    /// Keeps one file, which holds `text`.
    @discardableResult
    private func keep(
        _ text: String,
        in caches: ProjectCaches,
        of project: ProjectName
    ) throws -> Int? {
        let new = try caches.prepare(project) { directory in
            let file = try directory.openFile(TreePath(parsing: "file".utf8), .create(permissions: 0o644))
            try file.withDescriptor { try FileContents.write(Array(text.utf8)[...], to: $0) }
            return (1, ByteCount(Int64(text.utf8.count)))
        }
        try new?.keep()
        return new?.files
    }

    private func text(_ generation: CacheGeneration?) throws -> String? {
        guard let generation else { return nil }
        let file = try generation.directory.openFile(TreePath(parsing: "file".utf8), .read)
        return String(
            decoding: try file.withDescriptor { try FileContents.all(of: $0, atMost: 100) },
            as: UTF8.self
        )
    }

    @Test("what is kept last is found, and one that is read stays as it is until it is let go")
    func generations() throws {
        let scratch = try ScratchDirectory()
        let caches = try caches(scratch)
        #expect(try caches.newest(of: project) == nil)
        #expect(try keep("one", in: caches, of: project) == 1)
        var held = try caches.newest(of: project)
        try keep("two", in: caches, of: project)
        try caches.tidy()
        #expect(try text(held) == "one")
        #expect(try text(caches.newest(of: project)) == "two")
        #expect(try caches.forget(project) == false)
        #expect(try text(held) == "one")
        held = nil
        try keep("three", in: caches, of: project)
        #expect(try caches.forget(project))
        #expect(try caches.newest(of: project) == nil && caches.entries().isEmpty)
    }

    @Test("what can not be made whole leaves the former one, and nothing of itself")
    func failed() throws {
        let scratch = try ScratchDirectory()
        let caches = try caches(scratch)
        try keep("one", in: caches, of: project)
        #expect(throws: Errno.self) {
            _ = try caches.prepare(project) { directory in
                _ = try directory.makeDirectory(Array("half".utf8)[...])
                throw Errno.noSpace
            }
        }
        #expect(try text(caches.newest(of: project)) == "one")
        let names = try FileManager.default.subpathsOfDirectory(atPath: scratch.path)
        #expect(!names.contains { $0.hasSuffix("half") || $0.hasSuffix("new") }, "\(names)")
    }

    @Test("what killed processes left goes, and so does what nobody can tell whose it is")
    func leftOver() throws {
        let scratch = try ScratchDirectory()
        let caches = try caches(scratch)
        try keep("one", in: caches, of: project)
        try keep("other", in: caches, of: ProjectName(rawValue: "other"))
        let folders = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/caches")
        for folder in folders {
            let path = scratch.path + "/caches/" + folder
            for name in ["new", "gone-1"] {
                try FileManager.default.createDirectory(
                    atPath: path + "/\(name)",
                    withIntermediateDirectories: true
                )
            }
        }
        let mine = folders.map { scratch.path + "/caches/\($0)/about.json" }
        for path in mine where try String(contentsOfFile: path, encoding: .utf8).contains("other") {
            try Data().write(to: URL(fileURLWithPath: path))
        }
        try caches.tidy()
        let names = try FileManager.default.subpathsOfDirectory(atPath: scratch.path)
        #expect(names.filter { $0.hasSuffix("/file") }.count == 1, "\(names)")
        #expect(!names.contains { $0.contains("gone") || $0.hasSuffix("new") }, "\(names)")
        #expect(try text(caches.newest(of: project)) == "one")
    }

    @Test("of two that keep at one time one does, and a project's name may be anything")
    func busy() throws {
        let scratch = try ScratchDirectory()
        let caches = try caches(scratch)
        let outer = try caches.prepare(project) { _ in (0, ByteCount(0)) }
        #expect(try keep("inner", in: caches, of: project) == nil)
        #expect(try keep("other", in: caches, of: ProjectName(rawValue: "..")) == 1)
        try outer?.discard()
        #expect(try keep("after", in: caches, of: project) == 1)
        #expect(Set(try caches.entries().map(\.project.rawValue)) == [project.rawValue, ".."])
    }

    @Test("beyond the total those go that were used longest ago, but none that is read")
    func shrinking() async throws {
        let scratch = try ScratchDirectory()
        let caches = try caches(scratch, total: 5)
        let (first, second) = (ProjectName(rawValue: "first"), ProjectName(rawValue: "second"))
        for project in [first, second] {
            try keep("aaaa", in: caches, of: project)
            try await Task.sleep(for: .milliseconds(20))
        }
        var held = try caches.newest(of: first)
        #expect(try caches.tidy().map(\.project) == [second])
        try keep("bbbb", in: caches, of: second)
        try await Task.sleep(for: .milliseconds(20))
        withExtendedLifetime(held) {}
        held = nil
        #expect(try caches.tidy().map(\.project) == [first])
        #expect(try caches.entries().map(\.project) == [second])
    }
}
