// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockPreview

private func artifact(_ path: String) -> Artifact {
    Artifact(
        path: path,
        digest: Digest(rawValue: "sha256:" + path),
        size: ByteCount(1),
        role: .site,
        executable: false
    )
}

@Suite("Static sites")
struct StaticSiteTests {
    private func site(_ paths: [String], root: String = "", spa: Bool = false) -> StaticSite {
        let rule = PreviewReady(deploy: DeployID(rawValue: "x"), root: root, spa: spa)
        return StaticSite(artifacts: paths.map(artifact), rule: rule)
    }

    @Test(
        "paths find their files",
        arguments: [
            ("/", "index.html"), ("/a.css", "a.css"), ("/about", "about.html"), ("/docs/", "docs/index.html"),
            ("/sp%20ace.txt", "sp ace.txt"), ("/about.html", "about.html"),
        ]
    )
    func found(path: String, file: String) {
        let site = site(["index.html", "a.css", "about.html", "docs/index.html", "sp ace.txt"])
        #expect(site.resolve(path: path, isNavigation: false) == .file(artifact(file)))
    }

    @Test(
        "addresses have one form",
        arguments: [
            ("/docs", "/docs/"), ("//docs/", "/docs/"), ("/about/", "/about"),
            ("//evil.example", "/evil.example"),
        ]
    )
    func redirects(path: String, target: String) {
        let site = site(["index.html", "about.html", "docs/index.html"])
        #expect(site.resolve(path: path, isNavigation: true) == .redirect(target))
    }

    @Test(
        "nothing but the deploy's files is ever found",
        arguments: [
            "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%00", "/%zz", "/%ff", "/secret", "/out", "",
        ]
    )
    func escapes(path: String) {
        let site = site(["out/index.html", "secret"], root: "out")
        #expect(site.resolve(path: path, isNavigation: true) == .notFound(nil))
    }

    @Test("names are told apart and divided by their bytes, whatever a reader would see in them")
    func bytes() {
        let (composed, decomposed, mark) = ("caf\u{e9}.txt", "cafe\u{301}.txt", "\u{301}x/\u{301}y")
        let site = site(["out/" + composed, "out/" + decomposed, "out/" + mark], root: "out")
        for (path, name) in [
            ("/caf%C3%A9.txt", composed), ("/cafe%CC%81.txt", decomposed), ("/%CC%81x/%CC%81y", mark),
        ] {
            guard case .file(let file) = site.resolve(path: path, isNavigation: false) else {
                Issue.record("\(path) is not found")
                continue
            }
            #expect(file.path.utf8.elementsEqual(("out/" + name).utf8), "\(path)")
        }
    }

    @Test("the nearest 404.html answers")
    func notFound() {
        let site = site(["404.html", "docs/404.html"])
        #expect(
            site.resolve(path: "/docs/deep/x", isNavigation: true) == .notFound(artifact("docs/404.html"))
        )
        #expect(site.resolve(path: "/x", isNavigation: true) == .notFound(artifact("404.html")))
    }

    @Test("a single page answers navigations only")
    func singlePage() {
        let site = site(["index.html"], spa: true)
        #expect(site.resolve(path: "/users/7", isNavigation: true) == .file(artifact("index.html")))
        #expect(site.resolve(path: "/app.js", isNavigation: false) == .notFound(nil))
    }
}

@Suite("Parts of files")
struct FileRequestTests {
    private let etag = "\"abc\""

    @Test(
        "ranges",
        arguments: [
            ("bytes=0-4", FileRequest.Part.range(0..<5)), ("bytes=5-", .range(5..<10)),
            ("bytes=-3", .range(7..<10)),
            ("bytes=0-99", .range(0..<10)), ("bytes=-99", .range(0..<10)), ("bytes=10-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=4-2", .whole), ("bytes=0-1,3-4", .whole),
            ("items=0-1", .whole),
            ("bytes=+1-2", .whole), ("bytes=99999999999999999999-", .whole), ("bytes=-", .whole),
        ]
    )
    func ranges(text: String, part: FileRequest.Part) {
        #expect(FileRequest(range: text).part(etag: etag, size: 10) == part)
    }

    @Test("validators decide before ranges")
    func validators() {
        #expect(
            FileRequest(ifNoneMatch: "W/\"abc\"", range: "bytes=0-1").part(etag: etag, size: 10)
                == .notModified
        )
        #expect(FileRequest(ifMatch: "\"other\"").part(etag: etag, size: 10) == .preconditionFailed)
        #expect(FileRequest(range: "bytes=0-1", ifRange: "\"old\"").part(etag: etag, size: 10) == .whole)
        #expect(FileRequest(range: "bytes=0-1", ifRange: etag).part(etag: etag, size: 10) == .range(0..<2))
    }

    @Test(
        "content types",
        arguments: [("a/b.HTML", "text/html; charset=utf-8"), ("x.y/z", "application/octet-stream")]
    )
    func types(path: String, type: String) {
        #expect(ContentType.of(path: path) == type)
    }
}
